"""Decides which outlets get an inspection, and sums up in one word what was seen."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo
from typing import Protocol

import structlog

from app.messages import Detection, Inspection, OutletDecision
from app.rules.digests import Digests
from app.rules.evaluate import Outlets, Situation, evaluate
from app.rules.model import RuleBook
from app.rules.still import StillThings
from app.rules.telling import Snooze
from pylib import tracing
from pylib.errors import Transient

log = structlog.get_logger(__name__)

PERSON = "person"
"""At least one person was counted."""
CLEAR = "clear"
"""A detector looked and counted no person."""
UNKNOWN = "unknown"
"""Not inspected: no picture, no detector, or the detector failed."""

EARLIER = 50
"""Inspections of a camera that say after a start what stands still."""


class Told(Protocol):
    """What the journal knows of earlier events."""

    def told_at(self, rule: str, outlet: str, camera: str) -> float | None:
        """When this rule had the outlet told of this camera last (Unix seconds)."""
        ...

    def last_inspections(self, camera: str, *, limit: int) -> Sequence[Inspection]:
        """The camera's last inspections, oldest first."""
        ...


class Switches(Protocol):
    """What people switch by hand."""

    @property
    def mode(self) -> str: ...

    def snoozed(self, camera: str) -> Snooze | None: ...


class Decide:
    """Decides for every outlet. Delivery rows exist only for those that get the event."""

    def __init__(
        self,
        outlets: Outlets,
        *,
        book: Callable[[], RuleBook],
        switches: Switches,
        told: Told,
        zone: tzinfo = UTC,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`book`: the rules as they are now; `zone`: the home's."""
        self._outlets = outlets
        self._book = book
        self._switches = switches
        self._told = told
        self._zone = zone
        self._clock = clock
        self._digests = Digests()
        self._things: dict[str, StillThings] = {}

    def marked(self, inspection: Inspection) -> Inspection:
        """The same, with what stands still marked. Called once for each inspection, a camera's in their order."""
        book = self._book()
        if not book.rules:
            return inspection
        things = self._things.get(inspection.camera)
        if things is None or things.settings != book.still:
            earlier = self._told.last_inspections(inspection.camera, limit=EARLIER)
            things = self._things[inspection.camera] = StillThings(book.still, earlier)
        return things.marked(inspection)

    def __call__(self, inspection: Inspection) -> Inspection:
        """The same with one decision for each outlet, in the order of the outlets."""
        now, book = self._clock(), self._book()
        situation = Situation(
            now=now,
            zone=self._zone,
            mode=self._switches.mode,
            snooze=self._switches.snoozed(inspection.camera),
            told_at=self._told.told_at,
            digest_at=lambda outlet: self._digests.digest_at(book.digest, outlet, now),
        )
        try:
            with tracing.within("decide"):
                decisions = evaluate(book, inspection, self._outlets, situation)
        except Transient:
            raise
        except Exception:
            log.exception("rules failed, everybody is told", camera=inspection.camera, event_id=inspection.id)
            reason = "the rules failed, told to be safe"
            decisions = tuple(OutletDecision(name, tell=True, reason=reason) for name in self._outlets.names)
        return dataclasses.replace(inspection, decisions=decisions)


def sum_up(detection: Detection | None) -> str:
    """`PERSON`, `CLEAR`, or `UNKNOWN` when there is no detection."""
    if detection is None:
        return UNKNOWN
    return PERSON if detection.person_count else CLEAR
