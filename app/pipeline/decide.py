"""What a look at a picture amounts to, in one word for rules and for people."""

from __future__ import annotations

from app.messages import Detection

PERSON = "person"
"""At least one person was counted."""
CLEAR = "clear"
"""A detector looked and counted nobody."""
UNKNOWN = "unknown"
"""Nobody looked: no picture, no detector, or the detector failed."""


def decide(detection: Detection | None) -> str:
    """`PERSON`, `CLEAR`, or `UNKNOWN` when there is no detection."""
    if detection is None:
        return UNKNOWN
    return PERSON if detection.person_count else CLEAR
