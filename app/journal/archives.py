"""Which pictures each archive has, and which are pending."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from app.journal.base import JournalPart
from app.journal.records import ArchivedPicture, ArchiveStats
from app.journal.rows import UNARCHIVED
from app.journal.sql import marks


class ArchivesPart(JournalPart):
    """What archives have, and what is pending."""

    def has_delivered(self, target: str) -> bool:
        """Whether this target ever confirmed a delivery."""
        query = "SELECT EXISTS (SELECT 1 FROM deliveries WHERE target = ? AND state = 'done')"
        return self.database.do(lambda db: bool(db.execute(query, (target,)).fetchone()[0]))

    def archive_stats(self, target: str) -> ArchiveStats:
        """This archive's statistics. Reads all its deliveries: for people, not for every second."""

        def select(db: sqlite3.Connection) -> ArchiveStats:
            counts = dict(
                db.execute(
                    "SELECT deliveries.state, count(*) FROM deliveries JOIN snapshots USING (seq) "
                    "WHERE target = ? AND (size > 0 OR deliveries.state = 'owed') "
                    "AND (deleted_at IS NULL OR deliveries.state = 'done') GROUP BY deliveries.state",
                    (target,),
                )
            )
            (without,) = db.execute(
                f"SELECT count(*) FROM snapshots WHERE path != '' AND state = 'inspected' AND NOT {UNARCHIVED} "
                "AND NOT EXISTS (SELECT 1 FROM deliveries WHERE seq = snapshots.seq AND target = ?)",
                (target,),
            ).fetchone()
            (since,) = db.execute(
                "SELECT min(owed_since) FROM deliveries WHERE state = 'owed' AND target = ?", (target,)
            ).fetchone()
            problem = db.execute(
                "SELECT last_problem FROM deliveries WHERE target = ? AND state = 'owed' AND last_problem != '' "
                "ORDER BY seq DESC LIMIT 1",
                (target,),
            ).fetchone()
            return ArchiveStats(
                done=counts.get("done", 0),
                pending=counts.get("owed", 0),
                since=since,
                given_up=counts.get("given_up", 0),
                without=without,
                problem=problem[0] if problem else "",
            )

        return self.database.do(select)

    def enqueue_rest(self, target: str) -> int:
        """Enqueue for this archive all cached pictures that it gave up or never had enqueued; returns how many."""

        def update(db: sqlite3.Connection) -> int:
            now = self._clock()
            revived = db.execute(
                "UPDATE deliveries SET state = 'owed', attempts = 0, failing_since = NULL, owed_since = ?, next_at = 0 "
                "WHERE target = ? AND state = 'given_up' AND seq IN (SELECT seq FROM snapshots WHERE path != '')",
                (now, target),
            ).rowcount
            added = db.execute(
                "INSERT INTO deliveries (seq, target, owed_since, next_at) "
                "SELECT seq, ?, ?, 0 FROM snapshots WHERE path != '' AND state = 'inspected' "
                f"AND NOT {UNARCHIVED} ON CONFLICT DO NOTHING",
                (target, now),
            ).rowcount
            return revived + added

        return self.database.do(update)

    def enqueue_again(self, target: str, ids: Sequence[str]) -> int:
        """Enqueue again what this archive has lost, as far as the picture is in the cache; returns how many."""
        now = self._clock()
        statement = (
            "UPDATE deliveries SET state = 'owed', attempts = 0, failing_since = NULL, owed_since = ?, next_at = 0 "
            "WHERE target = ? AND state = 'done' AND seq = (SELECT seq FROM snapshots WHERE id = ? AND path != '')"
        )
        rows = [(now, target, snapshot_id) for snapshot_id in ids]
        return self.database.do(lambda db: db.executemany(statement, rows).rowcount)

    def archived_pictures(self, target: str, *, before: datetime, after: int = 0, limit: int) -> list[ArchivedPicture]:
        """Pictures that this archive has confirmed before then, by `seq`, starting behind `after`."""
        values = (before.timestamp(), after, limit)
        return self._archived_pictures("done_at < ? AND seq > ? ORDER BY seq LIMIT ?", target, values)

    def archived_among(self, target: str, ids: Sequence[str]) -> list[ArchivedPicture]:
        """Those of these ids whose picture this archive has confirmed."""
        return self._archived_pictures(f"id IN ({marks(ids)})", target, tuple(ids))

    def known(self, ids: Sequence[str]) -> set[str]:
        """Those of these ids that the journal has."""
        query = f"SELECT id FROM snapshots WHERE id IN ({marks(ids)})"
        return self.database.do(lambda db: {row[0] for row in db.execute(query, tuple(ids))})

    def _archived_pictures(self, condition: str, target: str, values: tuple[object, ...]) -> list[ArchivedPicture]:
        query = (
            "SELECT seq, id, size, md5, located(path) FROM snapshots JOIN deliveries USING (seq) "
            f"WHERE target = ? AND deliveries.state = 'done' AND size > 0 AND {condition}"
        )
        return self.database.do(lambda db: [ArchivedPicture(*row) for row in db.execute(query, (target, *values))])
