"""Decides which outlets get an inspection, and sums up in one word what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.messages import Detection, Inspection

PERSON = "person"
"""At least one person was counted."""
CLEAR = "clear"
"""A detector looked and counted nobody."""
UNKNOWN = "unknown"
"""Nobody looked: no picture, no detector, or the detector failed."""


@dataclass(frozen=True, slots=True)
class OutletDecision:
    """Whether one outlet is told, and why, in words."""

    outlet: str
    tell: bool
    reason: str


class Decide:
    """Answers for every outlet. Delivery rows exist only for those that are told."""

    def __init__(self, outlets: Sequence[str]) -> None:
        self._outlets = tuple(outlets)

    def __call__(self, inspection: Inspection) -> list[OutletDecision]:  # noqa: ARG002 - without rules all are told
        """One decision an outlet, in the order of the outlets."""
        return [OutletDecision(outlet, tell=True, reason="there is no rule") for outlet in self._outlets]

    def targets(self, inspection: Inspection) -> tuple[str, ...]:
        """The names of the outlets that are told."""
        return tuple(decision.outlet for decision in self(inspection) if decision.tell)


def sum_up(detection: Detection | None) -> str:
    """`PERSON`, `CLEAR`, or `UNKNOWN` when there is no detection."""
    if detection is None:
        return UNKNOWN
    return PERSON if detection.person_count else CLEAR
