"""The album's order as one number, `snapshots.place`: the timestamp in milliseconds, then the entry's own number.

The journals that are there hold these numbers: to change one is a change of the schema.
"""

from __future__ import annotations

MILLISECOND = 1_048_576
"""What a millisecond counts in a place: the entries of one are told apart by the last bits of their `seq`."""
LAST_MILLISECOND = 8_700_000_000_000
"""Farthest from 1970, both ways, so that a place is an SQL integer."""
QUARTER_S = 900
"""What the heat map counts by."""

PLACE_SQL = (
    f"CAST(min(max(taken_at * 1000 + 0.5, -{LAST_MILLISECOND}), {LAST_MILLISECOND}) AS INTEGER) * {MILLISECOND}"
    f" + (seq & {MILLISECOND - 1})"
)
QUARTER_SQL = f"{QUARTER_S * 1000 * MILLISECOND}"
"""What a place is divided by."""


def place(taken_at: float, seq: int) -> int:
    """The same as SQL counts it. `taken_at`: Unix seconds."""
    milliseconds = int(min(max(taken_at * 1000 + 0.5, -LAST_MILLISECOND), LAST_MILLISECOND))
    return milliseconds * MILLISECOND + (seq & MILLISECOND - 1)
