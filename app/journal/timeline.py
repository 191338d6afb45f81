"""The way of an event by the journal's own times: when what was done to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Literal, NamedTuple

from app.journal.base import JournalPart

LATER_S = 3600.0
"""Seconds after the look from which on a delivery is not of the event's way: an edit or a new archive asked for it."""

Work = Literal["triggered", "received", "picture", "no_picture", "looked", "decided", "delivered", "given_up"]


class Step(NamedTuple):
    """Something that was done to an event, and is over."""

    work: Work
    at: float
    """Unix seconds, by this machine's clock."""
    after_s: float
    """Seconds from the first step; less than 0 for a picture from before the trigger."""
    outlet: str = ""
    """Of a delivery: who got it, or did not."""


class TimelinePart(JournalPart):
    """When what was done to an event."""

    def timeline(self, snapshot_id: str) -> list[Step]:
        """The steps of its way so far, in their order; empty where there is no such event."""

        def select(db: sqlite3.Connection) -> list[Step]:
            row = db.execute(_OF_SNAPSHOT, (snapshot_id,)).fetchone()
            return _steps(row[1:], db.execute(_DELIVERIES, (row[0],)).fetchall()) if row else []

        return self.database.do(select)


# What was pushed has no other trigger than its picture, whose time is the camera's.
_OF_SNAPSHOT = (
    "SELECT seq, delay_s = 0 AND triggered_at = taken_at, taken_at, delay_s, recorded_at, inspected_at, problem != '', "
    "detector != '' FROM snapshots WHERE id = ? AND state != 'accepted'"
)
_DELIVERIES = "SELECT target, state, owed_since, done_at FROM deliveries WHERE seq = ? AND state != 'owed'"


def _steps(snapshot: Sequence[Any], deliveries: Sequence[Sequence[Any]]) -> list[Step]:
    pushed, taken_at, delay_s, recorded_at, inspected_at, failed, looked = snapshot
    began = recorded_at if pushed else taken_at - delay_s
    steps: list[tuple[Work, float, str]] = [("received" if pushed else "triggered", began, "")]
    if not pushed:
        steps.append(("no_picture" if failed else "picture", taken_at, ""))
    if inspected_at is not None:
        steps.append(("looked" if looked else "decided", inspected_at, ""))
        steps += sorted(
            (
                ("delivered" if state == "done" else "given_up", done_at, target)
                for target, state, since, done_at in deliveries
                if done_at is not None and since - inspected_at < LATER_S
            ),
            key=itemgetter(1, 2),
        )
    return [Step(work, at, round(at - began, 3), outlet) for work, at, outlet in steps]
