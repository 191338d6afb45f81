"""Decides which outlets get an inspection, and sums up in one word what was seen."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from app.messages import Detection, Inspection, OutletDecision

PERSON = "person"
"""At least one person was counted."""
CLEAR = "clear"
"""A detector looked and counted no person."""
UNKNOWN = "unknown"
"""Not inspected: no picture, no detector, or the detector failed."""


class Decide:
    """Decides for every outlet. Delivery rows exist only for those that get the event."""

    def __init__(self, outlets: Sequence[str]) -> None:
        self._outlets = tuple(outlets)

    def __call__(self, inspection: Inspection) -> Inspection:
        """The same with one decision for each outlet, in the order of the outlets."""
        decisions = tuple(OutletDecision(outlet, tell=True, reason="there is no rule") for outlet in self._outlets)
        return dataclasses.replace(inspection, decisions=decisions)


def sum_up(detection: Detection | None) -> str:
    """`PERSON`, `CLEAR`, or `UNKNOWN` when there is no detection."""
    if detection is None:
        return UNKNOWN
    return PERSON if detection.person_count else CLEAR
