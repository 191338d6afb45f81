"""Decides which outlets get an inspection, and sums up in one word what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.messages import Detection, Inspection

PERSON = "person"
"""At least one person was counted."""
CLEAR = "clear"
"""A detector looked and counted no person."""
UNKNOWN = "unknown"
"""Not inspected: no picture, no detector, or the detector failed."""


@dataclass(frozen=True, slots=True)
class OutletDecision:
    """Whether one outlet gets the event, and why, in words."""

    outlet: str
    tell: bool
    reason: str


class Decide:
    """Decides for every outlet. Delivery rows exist only for those that get the event."""

    def __init__(self, outlets: Sequence[str]) -> None:
        self._outlets = tuple(outlets)

    def __call__(self, inspection: Inspection) -> list[OutletDecision]:  # noqa: ARG002 - without rules all get it
        """One decision for each outlet, in the order of the outlets."""
        return [OutletDecision(outlet, tell=True, reason="there is no rule") for outlet in self._outlets]

    def targets(self, inspection: Inspection) -> tuple[str, ...]:
        """The names of the outlets that get the event."""
        return tuple(decision.outlet for decision in self(inspection) if decision.tell)


def sum_up(detection: Detection | None) -> str:
    """`PERSON`, `CLEAR`, or `UNKNOWN` when there is no detection."""
    if detection is None:
        return UNKNOWN
    return PERSON if detection.person_count else CLEAR
