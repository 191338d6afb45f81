"""The settle stage: groups the pictures that a camera pushes within seconds into one event, with the best one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence

import structlog

from app.journal import Journal
from app.messages import Inspection, Snapshot
from app.pipeline.best import best_of, why_best
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
        if others:
            snapshot = dataclasses.replace(best.snapshot, frames=len(group))
            best = dataclasses.replace(best, snapshot=snapshot, best=why_best(best, len(group)))
        best = self._decide(best)
        self._journal.settle(best.id, others, best.decisions, archives=self._archives, why=best.best)
        log.info("settled", camera=best.camera, event_id=best.id, pictures=len(group))
        return [best]

    def pending(self) -> Iterable[Inspection]:
        return self._journal.groups_due(self._seconds)
