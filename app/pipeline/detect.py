"""The detect stage: has the detector look at a picture, records the result and the outlets that get it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Sequence

import structlog

from app.detectors import Looker, Question
from app.journal import Journal
from app.messages import Inspection, Snapshot, Tier
from app.pipeline.best import best_of, frames_of, sharpness_of, shown, why_alone, why_best, why_sharpest
from app.pipeline.decide import Decide, sum_up
from pylib import tracing
from pylib.errors import Failure, Permanent
from pylib.files import durable
from pylib.runtime.stage import Stage
from pylib.sqlite import DatabaseUnavailable

log = structlog.get_logger(__name__)

CODES = {
    "detector_away": (
        "The detector had failed several times and was not asked for a while.",
        "look at the failures before it",
    ),
    "picture_gone": ("The picture's file was gone before the detector looked.", "delete later"),
    "internal_error": (
        "The detector itself went wrong. The log says more.",
        "report it, with the traceback from the log",
    ),
}
"""Code -> what happened, and what to do about it."""


class Detect(Stage[Snapshot]):
    """Turns snapshots into inspections, those of bursts with their best frame.

    A detector that fails never stops the event: the failure is its `problem`.
    """

    def __init__(
        self,
        detector: Looker | None,
        *,
        journal: Journal,
        decide: Decide,
        holds: Callable[[Snapshot], bool] = lambda _snapshot: False,
        tier_of: Callable[[str], Tier | None] = lambda _camera: None,
    ) -> None:
        """`holds`: whether a later stage decides if a snapshot becomes an event of its own; `tier_of`: which of two
        detectors the rules have look at a camera's pictures now."""
        self._detector = detector
        self._journal = journal
        self._decide = decide
        self._tier_of = tier_of
        self._holds = holds
        self._just_started = True
        self._made = time.monotonic()
        self._unrecorded: dict[str, Inspection] = {}

    def handle(self, snapshot: Snapshot) -> Iterable[Inspection]:
        inspection = shown(self._seen(snapshot), snapshot.path)
        if self._holds(snapshot):
            self._journal.hold(inspection)
        else:
            if not inspection.decisions:
                inspection = self._unrecorded[snapshot.id] = self._decide(inspection)
            self._journal.inspect(inspection)
        del self._unrecorded[snapshot.id]
        log.info(
            "event",
            camera=inspection.camera,
            event_id=inspection.id,
            decision=inspection.decision,
            persons=inspection.detection.person_count,
            delay_s=inspection.snapshot.delay_s,
        )
        return [inspection]

    def pending(self) -> Iterable[Snapshot]:
        if self._just_started:
            self._just_started = False
            # A snapshot younger than this object has a message that announces it.
            return self._journal.uninspected(older_than=time.monotonic() - self._made)
        return self._journal.uninspected()

    def close(self) -> None:
        if self._detector is not None:
            self._detector.close()

    def _seen(self, snapshot: Snapshot) -> Inspection:
        """What is in the picture: kept while the disk is full, so that no picture is paid for or counted twice."""
        seen = self._unrecorded.get(snapshot.id)
        if seen is None:
            seen = self._unrecorded[snapshot.id] = self._best(snapshot)
            seen = self._unrecorded[snapshot.id] = self._decide.marked(seen)
        return seen

    def _best(self, snapshot: Snapshot) -> Inspection:
        """The only picture's inspection, or the best one of a burst's frames."""
        frames = frames_of(snapshot, self._journal)
        if len(frames) == 1:
            inspection, alone = self._inspect(snapshot), why_alone(snapshot)
            return dataclasses.replace(inspection, best=alone) if alone else inspection
        look = snapshot.burst.look if snapshot.burst else "all"
        if look == "sharpest":
            best = self._inspect(max(frames, key=sharpness_of))
        else:
            best = self._best_of(frames, until_person=look == "person")
        why = why_sharpest(best, len(frames)) if look == "sharpest" else why_best(best, len(frames))
        return dataclasses.replace(best, best=why)

    def _best_of(self, frames: Sequence[Snapshot], *, until_person: bool) -> Inspection:
        """The best, with what all looks cost; one that the detector failed on is the best of its like alone."""
        looked: list[Inspection] = []
        for frame in frames:
            looked.append(self._inspect(frame))
            if until_person and looked[-1].detection.person_count:
                break
        fine = [inspection for inspection in looked if not inspection.problem]
        cost_usd = sum(inspection.cost_usd for inspection in fine)
        return dataclasses.replace(best_of(fine or looked), looks=len(fine), cost_usd=cost_usd)

    def _inspect(self, snapshot: Snapshot) -> Inspection:
        if snapshot.problem or self._detector is None:
            return Inspection(snapshot, decision=sum_up(None), problem=snapshot.problem)
        try:
            return look_at(snapshot, self._detector, self._tier_of(snapshot.camera))
        except DatabaseUnavailable:
            raise  # an answer that was paid for waits until it can be kept
        except Failure as failure:
            tracing.failed(str(failure))
            log.warning("not inspected", camera=snapshot.camera, event_id=snapshot.id, reason=str(failure))
            return Inspection(snapshot, decision=sum_up(None), problem=str(failure))


def look_at(snapshot: Snapshot, detector: Looker, tier: Tier | None) -> Inspection:
    """What the detector sees in its picture. Raises `pylib.errors.Failure`."""
    try:
        picture = durable.read(snapshot.path)
    except OSError as error:
        raise Permanent("picture_gone", f"cannot read {snapshot.path}: {error.strerror}") from error
    seen = detector.look(picture, Question(snapshot.camera, tier))
    decision = sum_up(seen.detection)
    return Inspection(
        snapshot, seen.detector, seen.detection, decision, cost_usd=seen.cost_usd, detector_note=seen.note
    )
