"""The album's order as one number, `snapshots.place`: the timestamp in milliseconds, then the entry's own number.

Existing journals hold these numbers: changing one needs a migration of the schema.
"""

from __future__ import annotations

MILLISECOND = 1_048_576
"""What a millisecond counts in a place: entries of the same millisecond differ in the last bits of their `seq`."""
LAST_MILLISECOND = 8_700_000_000_000
"""Farthest from 1970, both ways, so that a place fits an SQL integer."""
QUARTER_S = 900
"""Seconds of one cell of the heat map."""

VISIT_GAP = 60_000 * MILLISECOND
"""How far a picture of a visit is from the next one, at most."""
VISIT_LENGTH = 300_000 * MILLISECOND
"""How long a visit is, at most: what moves all day, such as a tree in the wind, is many visits."""
VISIT_MOST = 50
"""Pictures of one visit, at most."""
OUTAGE_MOST = 1000
"""Failed tries of one outage, at most: counting them takes time."""

PLACE_SQL = (
    f"CAST(min(max(taken_at * 1000 + 0.5, -{LAST_MILLISECOND}), {LAST_MILLISECOND}) AS INTEGER) * {MILLISECOND}"
    f" + (seq & {MILLISECOND - 1})"
)
QUARTER_SQL = f"{QUARTER_S * 1000 * MILLISECOND}"
"""A place divided by this is its quarter of an hour."""


def place(taken_at: float, seq: int) -> int:
    """The same number as `PLACE_SQL` computes. `taken_at`: Unix seconds."""
    milliseconds = int(min(max(taken_at * 1000 + 0.5, -LAST_MILLISECOND), LAST_MILLISECOND))
    return milliseconds * MILLISECOND + (seq & MILLISECOND - 1)
