"""Deletion by people: at once, or hidden at once and carried out a little later, unless it is taken back."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.journal.columns import packed, unpacked
from app.journal.edits import EditsPart, deliver_again
from app.journal.entries import Deleted, Entry, Extent
from app.journal.entry_reader import STANDING, read
from app.journal.mirror import INDEX
from app.journal.pictures import MEDIA_SIZE
from app.journal.rows import abandon_archives
from app.journal.search_index import reindex, unindex
from app.journal.sql import AMONG, listed
from app.journal.visits import join_visits

JOB = "deletion"
"""Kind of the jobs that carry out what was hidden; the key is the handle by which it is taken back."""


@dataclass(frozen=True, slots=True)
class Doomed:
    """Entries that are to be deleted: of a camera, of a time, or both."""

    since: datetime | None = None
    """Taken then or later."""
    until: datetime | None = None
    """Taken earlier than that."""
    camera: str = ""
    """Device key; empty for all."""
    last: int = 0
    """The largest `seq`: what was recorded later stays. 0 for no limit."""

    @property
    def condition(self) -> tuple[str, tuple[object, ...]]:
        """A condition on a row of `snapshots`, and its values."""
        chosen: list[tuple[str, object]] = []
        if self.camera:
            chosen.append(("camera = ?", self.camera))
        if self.since:
            chosen.append(("taken_at >= ?", self.since.timestamp()))
        if self.until:
            chosen.append(("taken_at < ?", self.until.timestamp()))
        if self.last:
            chosen.append(("seq <= ?", self.last))
        return " AND ".join((STANDING, *(text for text, _ in chosen))), tuple(value for _, value in chosen)


class DeletionPart(EditsPart):
    """What people delete.

    It is no longer shown, and what was grouped into its event appears for itself. Archives give up pending copies of
    its picture; targets that follow edits are told; others still get the event, without it. The row stays until
    `purge`, so that the same trigger or file is recognised when it comes again.
    """

    def delete(self, snapshot_id: str, *, archives: Sequence[str], removed: Sequence[str] = ()) -> Deleted | None:
        """Delete an entry, and return what is left to do; None when there is no such entry.

        `archives`: all of them; `removed`: those of them that have deleted their copy.
        """

        def update(db: sqlite3.Connection) -> Deleted | None:
            row = db.execute(f"SELECT seq FROM snapshots WHERE id = ? AND {STANDING}", (snapshot_id,)).fetchone()
            if row is None:
                return None
            unindex(db, row)
            gone = "UPDATE deliveries SET state = 'given_up', md5 = '', last_problem = 'deleted' WHERE seq = ? "
            db.execute(f"{gone} AND state = 'done' AND target {AMONG}", (row[0], listed(removed)))
            return self._wipe(db, row[0], snapshot_id, archives)

        return self.database.do(update)

    def hide(self, ids: Sequence[str], *, handle: str, seconds: float) -> list[str]:
        """Hide these entries everywhere, and have them deleted in so many seconds by a job; returns those there were.

        Until then `unhide` takes it back. A delivery that is pending waits for that time, too; the shared index hears
        of it at once.
        """
        now = self._clock()

        def update(db: sqlite3.Connection) -> list[str]:
            query = f"SELECT seq, id FROM snapshots WHERE id {AMONG} AND {STANDING} ORDER BY place DESC"
            rows = db.execute(query, (listed(ids),)).fetchall()
            if rows:
                seqs, found = listed(row[0] for row in rows), [row[1] for row in rows]
                unindex(db, [row[0] for row in rows])
                db.execute(f"UPDATE snapshots SET deleted_at = ? WHERE seq {AMONG}", (now, seqs))
                wait = "UPDATE deliveries SET next_at = max(next_at, ?) WHERE state = 'owed' AND digest = 0 AND "
                db.execute(wait + f"target != ? AND seq {AMONG}", (now + seconds, INDEX, seqs))
                job = "INSERT INTO jobs (kind, key, arguments, next_at, made_at) VALUES (?, ?, ?, ?, ?)"
                db.execute(job, (JOB, handle, packed({"ids": found}), now + seconds, now))
            return [row[1] for row in rows]

        return self.database.do(update)

    def unhide(self, handle: str) -> list[str]:
        """Take back what was hidden under this handle; returns its ids, none when it is too late."""
        now = self._clock()
        waiting = "DELETE FROM jobs WHERE kind = ? AND key = ? AND state = 'waiting' AND attempts = 0 AND next_at > ?"

        def update(db: sqlite3.Connection) -> list[str]:
            job = db.execute(f"{waiting} RETURNING arguments", (JOB, handle, now)).fetchone()
            ids: list[str] = unpacked(job[0])["ids"] if job else []
            shown = f"UPDATE snapshots SET deleted_at = NULL WHERE id {AMONG} RETURNING seq"
            seqs = [row[0] for row in db.execute(shown, (listed(ids),)).fetchall()]
            reindex(db, seqs)
            for seq in seqs:
                deliver_again(db, seq, self.followers, now)
            return ids

        return self.database.do(update)

    def hidden_until(self, handle: str) -> float:
        """Until when what was hidden under this handle can be taken back (Unix seconds); 0 when it is too late."""
        query = "SELECT next_at FROM jobs WHERE kind = ? AND key = ? AND state = 'waiting' AND attempts = 0"
        row = self.database.do(lambda db: db.execute(query, (JOB, handle)).fetchone())
        return float(row[0]) if row else 0.0

    def carry_out(self, snapshot_id: str, *, archives: Sequence[str]) -> Deleted | None:
        """Delete an entry that was hidden; done twice it changes nothing. None when it is not hidden."""

        def update(db: sqlite3.Connection) -> Deleted | None:
            query = "SELECT seq FROM snapshots WHERE id = ? AND deleted_at IS NOT NULL"
            row = db.execute(query, (snapshot_id,)).fetchone()
            return self._wipe(db, row[0], snapshot_id, archives) if row else None

        return self.database.do(update)

    def doomed_totals(self, doomed: Doomed) -> Extent:
        """How much these entries are. Reads all of them: for people, not for every second."""
        condition, values = doomed.condition
        sizes = f"coalesce(sum(iif(path = '', 0, size + {MEDIA_SIZE})), 0)"
        query = f"SELECT count(*), {sizes}, coalesce(sum(starred), 0), coalesce(max(seq), 0) FROM snapshots "
        archived = (
            "SELECT target, count(*) FROM deliveries WHERE state = 'done' AND md5 != '' "
            f"AND seq IN (SELECT seq FROM snapshots WHERE {condition}) GROUP BY target"
        )

        def select(db: sqlite3.Connection) -> Extent:
            count, size, starred, last = db.execute(f"{query} WHERE {condition}", values).fetchone()
            return Extent(count, size, starred, dict(db.execute(archived, values).fetchall()), last)

        return self.database.do(select)

    def doomed(self, doomed: Doomed, *, after: int = 0, limit: int) -> list[Entry]:
        """These entries in the order in which they were recorded, behind the one of this `seq`."""
        condition, values = doomed.condition
        page = f"{condition} AND seq > ? ORDER BY seq LIMIT ?"
        return self.database.do(lambda db: read(db, page, (*values, after, limit))).entries()

    def _wipe(self, db: sqlite3.Connection, seq: int, snapshot_id: str, archives: Sequence[str]) -> Deleted:
        """In a transaction, of an entry that is in no index any more."""
        now = self._clock()
        files = db.execute("SELECT located(path), located(video) FROM snapshots WHERE seq = ?", (seq,)).fetchone()
        db.execute(
            "UPDATE snapshots SET deleted_at = ?, gone_at = ?, path = '', starred = 0, note = '', "
            "description = '', corrected = NULL, video = '', person = 0, surest = 0 WHERE seq = ?",
            (now, now, seq),
        )
        db.execute("DELETE FROM labels WHERE seq = ?", (seq,))
        db.execute("DELETE FROM media WHERE snapshot = ?", (snapshot_id,))
        abandon_archives(db, seq, archives, "deleted", now)
        deliver_again(db, seq, self.followers, now)
        _release(db, snapshot_id)
        return Deleted(*files)


def _release(db: sqlite3.Connection, event_id: str) -> None:
    """Show for themselves the entries that were grouped into this event."""
    released = db.execute(
        "UPDATE snapshots SET settled_into = '' WHERE settled_into = ? AND settled_into != '' RETURNING seq",
        (event_id,),
    ).fetchall()
    seqs = [row[0] for row in released]
    join_visits(db, seqs)
    reindex(db, seqs)
