"""How each part that does something did last, so that a restart does not forget it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from app.journal.base import JournalPart
from app.journal.records import HourCount, OutcomeRecord

HOUR_S = 3600
KEPT_HOURS = 24
"""How many hours are counted, with the one that has begun."""

KEEP = """
    INSERT INTO outcomes (subject, name, tried_at, succeeded_at, failures, failing_since, problem)
    VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (subject, name) DO UPDATE SET
        tried_at = excluded.tried_at, succeeded_at = excluded.succeeded_at, failures = excluded.failures,
        failing_since = excluded.failing_since, problem = excluded.problem
"""
COUNT = """
    INSERT INTO outcome_hours (subject, name, hour, worked, failed) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (subject, name, hour) DO UPDATE SET
        worked = worked + excluded.worked, failed = failed + excluded.failed
"""


class OutcomesPart(JournalPart):
    """Outcomes by subject and name, and how many there were in each of the last hours."""

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
        failed = outcome.failures > 0
        counted = (outcome.subject, outcome.name, int(outcome.tried_at // HOUR_S), not failed, failed)

        def keep(db: sqlite3.Connection) -> None:
            db.execute(KEEP, outcome)
            db.execute(COUNT, counted)

        self.database.submit(keep)

    def drop_outcome_hours(self) -> None:
        """Forget hours that are over for longer than a day. Does not wait."""
        first = self._first_hour()
        self.database.submit(lambda db: db.execute("DELETE FROM outcome_hours WHERE hour < ?", (first,)))

    def outcome_hours(self, subjects: Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[HourCount, ...]]:
        """For each of these (subject, name), the last 24 hours, oldest first; the last one has just begun."""
        first = self._first_hour()
        query = "SELECT hour - ?, worked, failed FROM outcome_hours WHERE subject = ? AND name = ? AND hour >= ?"

        def select(db: sqlite3.Connection) -> dict[tuple[str, str], tuple[HourCount, ...]]:
            return {one: _filled(db.execute(query, (first, *one, first)).fetchall()) for one in subjects}

        return self.database.do(select)

    def _first_hour(self) -> int:
        return int(self._clock() // HOUR_S) - KEPT_HOURS + 1


def _filled(rows: Sequence[tuple[int, int, int]]) -> tuple[HourCount, ...]:
    known = {int(hour): HourCount(worked, failed) for hour, worked, failed in rows}
    return tuple(known.get(hour, HourCount(0, 0)) for hour in range(KEPT_HOURS))
