"""Pending deliveries, and how often each was tried."""

from __future__ import annotations

import json
import random
import sqlite3
from concurrent.futures import Future
from typing import Any

import structlog

from app.journal.base import JournalPart
from app.journal.records import Backoff, DeliveryState, TargetBacklog
from app.journal.rows import inspection
from app.journal.schema import SNAPSHOT_VALUES, VERDICT_COLUMNS
from app.messages import Inspection, Review

log = structlog.get_logger(__name__)

LONGEST_DIGEST_S = 86_400.0
"""No digest is put off for longer."""

POSTPONE = """
    UPDATE deliveries SET
        attempts = attempts + 1,
        next_at = :now + :jitter * min(:last, :first * (1 << min(attempts, 16))),
        failing_since = CASE
            WHEN last_problem = :code OR substr(last_problem, 1, length(:code) + 1) = :code || ':'
            THEN coalesce(failing_since, :now) ELSE :now END,
        last_problem = :problem
    WHERE target = :target AND state = 'owed' AND seq = (SELECT seq FROM snapshots WHERE id = :id)
    RETURNING failing_since
"""


class DeliveriesPart(JournalPart):
    """Pending deliveries, and how often each was tried."""

    def pending(self, target: str, *, limit: int, newest_first: bool = False) -> list[Inspection]:
        """This target's pending deliveries that may be tried now, at most `limit`, oldest first by default."""
        now = self._clock()
        order = "DESC" if newest_first else "ASC"

        def select(db: sqlite3.Connection) -> list[Inspection]:
            rows = db.execute(
                # Found in the order of the index first: a long backlog is neither sorted nor read.
                f"SELECT {SNAPSHOT_VALUES}, {VERDICT_COLUMNS} FROM snapshots WHERE seq IN (SELECT seq FROM deliveries "
                f"WHERE target = ? AND state = 'owed' AND digest = 0 AND next_at <= ? ORDER BY seq {order} LIMIT ?) "
                f"ORDER BY seq {order}",
                (target, now, limit),
            ).fetchall()
            return [inspection(db, row) for row in rows]

        return self.database.do(select)

    def digest_due(self, target: str, *, limit: int) -> list[Inspection]:
        """What this target's digest consists of, oldest first, at most `limit`; empty before its time."""
        now = self._clock()

        def select(db: sqlite3.Connection) -> list[Inspection]:
            members = (
                "SELECT seq, next_at FROM deliveries WHERE target = ? AND state = 'owed' AND digest = 1 "
                "ORDER BY seq LIMIT ?"
            )
            (first,) = db.execute(f"SELECT min(next_at) FROM ({members})", (target, limit)).fetchone()
            # So far ahead none is set: the clock was set back.
            if first is None or now < first <= now + LONGEST_DIGEST_S:
                return []
            rows = db.execute(
                f"SELECT {SNAPSHOT_VALUES}, {VERDICT_COLUMNS} FROM snapshots "
                f"WHERE seq IN (SELECT seq FROM ({members})) ORDER BY seq",
                (target, limit),
            ).fetchall()
            return [inspection(db, row) for row in rows]

        return self.database.do(select)

    def delivered(self, snapshot_id: str, target: str, *, md5: str = "", review: Review | None = None) -> Future[Any]:
        """The target has confirmed it, as a file of this MD5. Does not wait: at worst it is delivered once more.

        What it returns is done when that is recorded.

        `review`: the one that it was delivered with, to a target that follows edits. It stays pending where somebody
        has changed it since.
        """
        change = "state = 'done', done_at = ?, last_problem = '', md5 = ?"
        return self._set_delivery(snapshot_id, target, change, (self._clock(), md5), review=review)

    def postpone(
        self,
        snapshot_id: str,
        target: str,
        *,
        problem: str,
        backoff: Backoff,
        abandon_after: float | None = None,
    ) -> None:
        """Try again later, or give up once it has failed so, and in no other way, for `abandon_after` seconds.

        Does not wait.
        """
        now = self._clock()
        values = {
            "id": snapshot_id,
            "target": target,
            "now": now,
            "code": problem.partition(":")[0],
            "problem": problem,
            "jitter": random.uniform(0.8, 1.2),
            "first": backoff.first_s,
            "last": backoff.last_s,
        }

        def change(db: sqlite3.Connection) -> None:
            row = db.execute(POSTPONE, values).fetchone()
            if row is not None and abandon_after is not None and row[0] <= now - abandon_after:
                log.error("given up", target=target, event_id=snapshot_id, reason=problem)
                _give_up(db, snapshot_id, target, now)

        self.database.defer(change)

    def abandon(self, snapshot_id: str, target: str, *, problem: str) -> None:
        """The target will never take it. Does not wait."""
        now = self._clock()
        self._set_delivery(snapshot_id, target, "attempts = attempts + 1, last_problem = ?", (problem,))
        self.database.defer(lambda db: _give_up(db, snapshot_id, target, now))

    def retry_now(self, target: str) -> None:
        """The target is back: all its pending deliveries may be tried at once, as if new. Does not wait."""
        statement = (
            "UPDATE deliveries SET next_at = 0, attempts = 0 "
            "WHERE state = 'owed' AND target = ? AND (attempts > 0 OR digest = 0 AND next_at > ?)"
        )
        values = (target, self._clock())
        self.database.defer(lambda db: db.execute(statement, values))

    def backlog(self, target: str) -> TargetBacklog:
        """How many deliveries are pending for this target, and since when; and how many were given up."""

        def select(db: sqlite3.Connection) -> TargetBacklog:
            query = (
                "SELECT count(*), min(owed_since), "
                "(SELECT count(*) FROM deliveries WHERE state = 'given_up' AND target = :target), "
                "(SELECT last_problem FROM deliveries WHERE state = 'given_up' AND target = :target "
                "ORDER BY seq DESC LIMIT 1) "
                # A digest whose time has not come is not late.
                "FROM deliveries WHERE state = 'owed' AND target = :target AND (digest = 0 OR attempts > 0)"
            )
            return TargetBacklog(*db.execute(query, {"target": target}).fetchone())

        return self.database.do(select)

    def delivery_states(self, snapshot_id: str) -> dict[str, DeliveryState]:
        """What became of this snapshot's deliveries, by target."""
        of_snapshot = "seq = (SELECT seq FROM snapshots WHERE id = ?)"
        query = f"SELECT target, state, last_problem FROM deliveries WHERE {of_snapshot}"

        def select(db: sqlite3.Connection) -> dict[str, DeliveryState]:
            return {target: DeliveryState(*state) for target, *state in db.execute(query, (snapshot_id,))}

        return self.database.do(select)

    def _set_delivery(
        self,
        snapshot_id: str,
        target: str,
        change: str,
        values: tuple[object, ...],
        *,
        review: Review | None = None,
    ) -> Future[Any]:
        """`review`: only while that is still the snapshot's."""
        values, same = (*values, target, snapshot_id), ""
        if review is not None:
            values = (*values, None if review.labels is None else json.dumps(review.labels), review.deleted)
            values = (*values, review.description)
            same = " AND corrected IS ? AND (deleted_at IS NOT NULL) = ? AND description = ?"
        statement = (
            f"UPDATE deliveries SET {change} "
            f"WHERE target = ? AND state = 'owed' AND seq = (SELECT seq FROM snapshots WHERE id = ?{same})"
        )
        return self.database.defer(lambda db: db.execute(statement, values))


def _give_up(db: sqlite3.Connection, snapshot_id: str, target: str, now: float) -> None:
    of_event = "seq = (SELECT seq FROM snapshots WHERE id = ?)"
    change = "UPDATE deliveries SET state = 'given_up', done_at = ? WHERE target = ? AND state = 'owed' AND "
    db.execute(change + of_event, (now, target, snapshot_id))
    db.execute(f"DELETE FROM told WHERE outlet = ? AND {of_event}", (target, snapshot_id))  # it began no cooldown
