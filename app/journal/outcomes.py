"""How each part that does something did last, so that a restart does not forget it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from app.journal.base import JournalPart
from app.journal.records import HourCount, OutcomeRecord
from app.journal.sql import upsert_all
from pylib.sqlite import Database

HOUR_S = 3600
KEPT_HOURS = 24
"""How many hours are counted, with the one that has begun."""

GROUP = 500
"""How many outcomes are kept together at most: a statement has no more than 32,766 values."""

KEPT = (
    "tried_at = excluded.tried_at, succeeded_at = excluded.succeeded_at, failures = excluded.failures, "
    "failing_since = excluded.failing_since, problem = excluded.problem"
)
COUNTED = "worked = worked + excluded.worked, failed = failed + excluded.failed"


class OutcomesPart(JournalPart):
    """Outcomes by subject and name, and how many there were in each of the last hours."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        super().__init__(database, clock)
        self._group: list[OutcomeRecord] | None = None
        """What is kept together, by a statement a table: an event has an outcome for each part that it passes."""
        self._group_lock = threading.Lock()

    def hand_over_outcomes(self, take: Callable[[list[OutcomeRecord]], None]) -> None:
        """Call `take` with all outcomes once the database runs, before any later change. Does not wait."""

        def select(db: sqlite3.Connection) -> list[OutcomeRecord]:
            rows = db.execute(
                "SELECT subject, name, tried_at, succeeded_at, failures, failing_since, problem FROM outcomes"
            )
            return [OutcomeRecord(*row) for row in rows]

        def selected(future: Future[list[OutcomeRecord]]) -> None:
            if future.exception() is None:
                take(future.result())

        self.database.submit(select).add_done_callback(selected)

    def keep_outcome(self, outcome: OutcomeRecord) -> None:
        """Keep a subject's latest outcome, and count it in its hour. Does not wait."""
        with self._group_lock:
            if self._group is None or len(self._group) == GROUP:
                group: list[OutcomeRecord] = []
                self._group = group
                self.database.defer(lambda db: self._keep(db, group))
            self._group.append(outcome)

    def drop_outcome_hours(self) -> None:
        """Forget hours that are over for longer than a day. Does not wait."""
        first = self._first_hour()
        self.database.defer(lambda db: db.execute("DELETE FROM outcome_hours WHERE hour < ?", (first,)))

    def outcome_hours(self, subjects: Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[HourCount, ...]]:
        """For each of these (subject, name), the last 24 hours, oldest first; the last one has just begun."""
        first = self._first_hour()
        query = "SELECT hour - ?, worked, failed FROM outcome_hours WHERE subject = ? AND name = ? AND hour >= ?"

        def select(db: sqlite3.Connection) -> dict[tuple[str, str], tuple[HourCount, ...]]:
            return {one: _filled(db.execute(query, (first, *one, first)).fetchall()) for one in subjects}

        return self.database.do(select)

    def _keep(self, db: sqlite3.Connection, group: Sequence[OutcomeRecord]) -> None:
        with self._group_lock:
            if self._group is group:  # it is whole now, and the same where this runs a second time
                self._group = None
        upsert_all(db, "outcomes", group, key="(subject, name)", change=KEPT)
        counted = [
            (one.subject, one.name, int(one.tried_at // HOUR_S), not one.failures, one.failures > 0) for one in group
        ]
        upsert_all(db, "outcome_hours", counted, key="(subject, name, hour)", change=COUNTED)

    def _first_hour(self) -> int:
        return int(self._clock() // HOUR_S) - KEPT_HOURS + 1


def _filled(rows: Sequence[tuple[int, int, int]]) -> tuple[HourCount, ...]:
    known = {int(hour): HourCount(worked, failed) for hour, worked, failed in rows}
    return tuple(known.get(hour, HourCount(0, 0)) for hour in range(KEPT_HOURS))
