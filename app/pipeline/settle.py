"""The settle stage: groups the pictures that a camera pushes within seconds into one event, with the best one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import structlog

from app.journal import Journal
from app.media.picture import BadPicture
from app.media.sharpness import sharpness
from app.messages import PERSON, Inspection, Snapshot
from app.pipeline.decide import Decide
from pylib.runtime.stage import Stage

log = structlog.get_logger(__name__)


class Settle(Stage[Inspection]):
    """Passes on what is not grouped; chooses the best of a group as soon as its time is over.

    The groups live in the journal, so that a restart changes nothing.
    """

    def __init__(
        self,
        seconds: float,
        *,
        journal: Journal,
        decide: Decide,
        archives: Sequence[str] = (),
        holds: Callable[[Snapshot], bool],
    ) -> None:
        """`seconds`: from the first picture of a group to its end; `archives` get the other pictures, too."""
        self._seconds = seconds
        self._journal = journal
        self._decide = decide
        self._archives = tuple(archives)
        self._holds = holds

    def handle(self, inspection: Inspection) -> Iterable[Inspection]:
        if not self._holds(inspection.snapshot):
            return [inspection]
        group = self._journal.group_due(inspection.camera, self._seconds)
        if not group:
            return []
        best = best_of(group)
        others = [member.id for member in group if member.id != best.id]
        best = self._decide(best)
        self._journal.settle(best.id, others, best.decisions, archives=self._archives)
        log.info("settled", camera=best.camera, event_id=best.id, pictures=len(group))
        return [best]

    def pending(self) -> Iterable[Inspection]:
        return self._journal.groups_due(self._seconds)


def best_of(group: Sequence[Inspection]) -> Inspection:
    """The picture with more persons, surer persons, anything at all; the sharpest of those that are equal so far."""
    most = max(map(_seen, group))
    best = [inspection for inspection in group if _seen(inspection) == most]
    # Sharpness costs decoding each picture.
    return best[0] if len(best) == 1 else max(best, key=lambda inspection: _sharpness(inspection.snapshot))


def _seen(inspection: Inspection) -> tuple[int, float, bool]:
    labels = inspection.detection.labels
    surest = max((label.confidence for label in labels if label.name == PERSON), default=0.0)
    return inspection.detection.person_count, surest, bool(labels)


def _sharpness(snapshot: Snapshot) -> float:
    try:
        return sharpness(Path(snapshot.path).read_bytes()) if snapshot.path else -1.0
    except (OSError, BadPicture):
        return -1.0
