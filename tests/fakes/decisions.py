"""Decisions as tests need them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from app.messages import Inspection, OutletDecision
from app.pipeline.decide import Decide
from app.rules.evaluate import Outlets
from app.rules.model import RuleBook
from app.rules.telling import Snooze


def told(outlets: Iterable[str]) -> tuple[OutletDecision, ...]:
    """That these outlets are told."""
    return tuple(OutletDecision(outlet, tell=True, reason="") for outlet in outlets)


def told_to(inspection: Inspection, outlets: Iterable[str]) -> Inspection:
    """The inspection with the decision that these outlets are told."""
    return dataclasses.replace(inspection, decisions=told(outlets))


class Switches:
    """What people switch by hand, as a test sets it."""

    def __init__(self, mode: str = "home", snooze: Snooze | None = None) -> None:
        self.mode = mode
        self.snooze = snooze

    def snoozed(self, camera: str) -> Snooze | None:
        return self.snooze


class NeverTold:
    """Nothing went before."""

    def told_at(self, rule: str, outlet: str, camera: str) -> float | None:
        return None

    def last_inspections(self, camera: str, *, limit: int) -> Sequence[Inspection]:
        return ()


def tells_all(outlets: Iterable[str]) -> Decide:
    """Decides without rules that these outlets are told."""
    return Decide(Outlets(tuple(outlets)), book=RuleBook, switches=Switches(), told=NeverTold())
