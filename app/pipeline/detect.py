"""The detect stage: has the detector look at a picture, records the result and the outlets that get it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Sequence

import structlog

from app.detectors import Detector
from app.journal import Journal
from app.messages import Detection, Inspection, Snapshot
from app.pipeline.best import best_of, frames_of, sharpness_of, shown, why_alone, why_best
from app.pipeline.decide import Decide, sum_up
from pylib.errors import Failure, Permanent, Transient
from pylib.files import durable
from pylib.runtime.circuit_breaker import Breaker
from pylib.runtime.stage import Stage

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
        detector: Detector | None,
        *,
        journal: Journal,
        decide: Decide,
        breaker: Breaker | None = None,
        count: Callable[[str, str], None] = lambda _detector, _outcome: None,
        holds: Callable[[Snapshot], bool] = lambda _snapshot: False,
    ) -> None:
        """`holds`: whether a later stage decides if a snapshot becomes an event of its own."""
        self._detector = detector
        self._journal = journal
        self._decide = decide
        self._breaker = breaker or Breaker()
        self._count = count
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
            delay_s=snapshot.delay_s,
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
            best, looks = self._inspect(max(frames, key=sharpness_of)), 1
        else:
            best, looks = self._best_of(frames, until_person=look == "person")
        why = f"sharpest of {len(frames)}" if look == "sharpest" else why_best(best, len(frames))
        return dataclasses.replace(best, best=why, looks=looks)

    def _best_of(self, frames: Sequence[Snapshot], *, until_person: bool) -> tuple[Inspection, int]:
        """The best, and how many the detector has seen; one that it failed on is the best of its like alone."""
        looked: list[Inspection] = []
        for frame in frames:
            looked.append(self._inspect(frame))
            if until_person and looked[-1].detection.person_count:
                break
        fine = [inspection for inspection in looked if not inspection.problem]
        return best_of(fine or looked), len(fine)

    def _inspect(self, snapshot: Snapshot) -> Inspection:
        if snapshot.problem or self._detector is None:
            return Inspection(snapshot, decision=sum_up(None), problem=snapshot.problem)
        try:
            detection = self._look(self._detector, snapshot)
        except Failure as error:
            log.warning("not inspected", camera=snapshot.camera, event_id=snapshot.id, reason=str(error))
            failure = error
        except Exception as error:
            log.exception("detector failed unexpectedly", camera=snapshot.camera, event_id=snapshot.id)
            failure = Failure("internal_error", f"the detector failed with {type(error).__name__}")
        else:
            self._count(self._detector.name, "ok")
            return Inspection(snapshot, self._detector.name, detection, sum_up(detection))
        self._count(self._detector.name, failure.code)
        return Inspection(snapshot, decision=sum_up(None), problem=str(failure))

    def _look(self, detector: Detector, snapshot: Snapshot) -> Detection:
        if not self._breaker.allow():
            wait = f"{self._breaker.retry_in:.0f} s"
            raise Transient("detector_away", f"{detector.name} failed repeatedly and is not asked for {wait}")
        try:
            detection = detector.detect(_read(snapshot))
        except Transient:
            self._breaker.failed()
            raise
        except BaseException:
            self._breaker.succeeded()  # it answered: a refused picture says nothing about the next one
            raise
        self._breaker.succeeded()
        return detection


def _read(snapshot: Snapshot) -> bytes:
    try:
        return durable.read(snapshot.path)
    except OSError as error:
        raise Permanent("picture_gone", f"cannot read {snapshot.path}: {error.strerror}") from error
