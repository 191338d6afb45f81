"""What the shared index does not know yet: the journal as its outbox."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from app.journal.base import JournalPart
from app.journal.entries import Entry
from app.journal.entry_reader import read
from app.journal.sql import AMONG, listed

INDEX = "index"
"""The target of deliveries to the shared index."""
BEFORE = -1_000_000_000
"""The first revision of what was there before the index was: below 0 it is no news, however it changes."""

_NOW = "(julianday('now') - 2440587.5) * 86400"
_ENQUEUE = f"""
    INSERT INTO deliveries (seq, target, owed_since, next_at, revision) VALUES (new.seq, '{INDEX}', {_NOW}, 0, 1)
    ON CONFLICT (seq, target) DO UPDATE SET
        owed_since = iif(state = 'owed', owed_since, excluded.owed_since),
        state = 'owed', attempts = 0, next_at = 0, failing_since = NULL, revision = revision + 1;
"""
# Whatever changes an event, it is pending by the same transaction.
TRIGGERS = {
    "mirror_changed": f"""
        AFTER UPDATE OF state, settled_into, deleted_at, starred, reviewed, note, corrected, description, visit,
            detector, person_count, verdict_problem, decisions ON snapshots WHEN new.state = 'inspected'
        BEGIN {_ENQUEUE} END
    """,
    "mirror_archived": f"""
        AFTER UPDATE OF state, md5 ON deliveries
        WHEN (new.state = 'done' AND new.md5 != '') != (old.state = 'done' AND old.md5 != '')
        BEGIN {_ENQUEUE} END
    """,
    "mirror_forgotten": "AFTER DELETE ON snapshots BEGIN REPLACE INTO forgotten_events VALUES (old.id); END",
}


@dataclass(frozen=True, slots=True)
class Change:
    """An event as it is now, which the index has otherwise or not at all."""

    entry: Entry
    settled_into: str
    """Id of the event that it went into; empty for one of its own."""
    gone: bool
    """Deleted, or hidden until it is."""
    news: int
    """Its number among what became an event a moment ago; 0 for all else."""
    revision: int
    """Counts its changes."""


class MirrorPart(JournalPart):
    """What the shared index does not have yet."""

    def mirror(self, *, wanted: bool) -> None:
        """Have every event enqueued for the index, those that are there and whatever changes; or none any more.

        Does not wait.
        """

        def begin(db: sqlite3.Connection) -> None:
            for name, trigger in TRIGGERS.items():
                db.execute(f"CREATE TRIGGER IF NOT EXISTS {name} {trigger}")
            db.execute(
                "INSERT INTO deliveries (seq, target, owed_since, next_at, revision) "
                "SELECT seq, ?, ?, 0, ? FROM snapshots WHERE state = 'inspected' ON CONFLICT DO NOTHING",
                (INDEX, self._clock(), BEFORE),
            )

        def end(db: sqlite3.Connection) -> None:
            if db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'mirror_changed'").fetchone():
                for name in TRIGGERS:
                    db.execute(f"DROP TRIGGER IF EXISTS {name}")
                db.execute("DELETE FROM deliveries WHERE target = ?", (INDEX,))
                db.execute("DELETE FROM forgotten_events")

        self.database.submit(begin if wanted else end)

    def identity(self) -> str:
        """What distinguishes this journal from all others, and a copy of it from none."""

        def known(db: sqlite3.Connection) -> str:
            new = "INSERT INTO remembered VALUES ('journal', ?) ON CONFLICT DO NOTHING"
            db.execute(new, (uuid.uuid4().hex,))
            return str(db.execute("SELECT value FROM remembered WHERE name = 'journal'").fetchone()[0])

        return self.database.do(known)

    def mirror_anew(self, identity: str) -> None:
        """Enqueue every event again where the index is another one than before."""

        def enqueue(db: sqlite3.Connection) -> None:
            row = db.execute("SELECT value FROM remembered WHERE name = 'index'").fetchone()
            if row is None or row[0] != identity:
                change = "state = 'owed', owed_since = ?, next_at = 0, attempts = 0, revision = ?"
                db.execute(
                    f"UPDATE deliveries SET {change} WHERE target = ? AND state = 'done'",
                    (self._clock(), BEFORE, INDEX),
                )
                db.execute("INSERT OR REPLACE INTO remembered VALUES ('index', ?)", (identity,))

        self.database.do(enqueue)

    def changes(self, *, limit: int = 200) -> list[Change]:
        """What the index does not have yet and may be tried now: of what is newest, so many, oldest first."""
        chosen = (
            "SELECT seq FROM deliveries WHERE target = ? AND state = 'owed' AND digest = 0 AND next_at <= ? "
            "ORDER BY seq DESC LIMIT ?"
        )
        return self._changes(f"seq IN ({chosen})", (INDEX, self._clock(), limit))

    def changes_of(self, ids: Sequence[str]) -> list[Change]:
        """The same of these events, pending or not."""
        return self._changes(f"id {AMONG} AND state = 'inspected'", (listed(ids),))

    def mirrored(self, changes: Sequence[Change]) -> None:
        """The index has these. What has changed since stays pending. Does not wait."""
        done = (
            "UPDATE deliveries SET state = 'done', done_at = ?, last_problem = '' "
            "WHERE seq = ? AND target = ? AND revision = ?"
        )
        rows = [(self._clock(), change.entry.seq, INDEX, change.revision) for change in changes]
        self.database.defer(lambda db: db.executemany(done, rows))

    def paths_of(self, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Where picture and video of these events lie; empty where there is none in the cache."""
        query = f"SELECT id, located(path), located(video) FROM snapshots WHERE id {AMONG}"
        values = (listed(ids),)
        return self.database.do(lambda db: {row[0]: row[1:] for row in db.execute(query, values)})

    def forgotten(self, *, limit: int = 1000) -> list[str]:
        """Ids of events that the journal has forgotten, and the index has not."""
        query = "SELECT id FROM forgotten_events LIMIT ?"
        return self.database.do(lambda db: [row[0] for row in db.execute(query, (limit,))])

    def forgotten_there(self, ids: Sequence[str]) -> None:
        """The index has forgotten them too. Does not wait."""
        self.database.defer(lambda db: db.execute(f"DELETE FROM forgotten_events WHERE id {AMONG}", (listed(ids),)))

    def _changes(self, condition: str, values: Sequence[object]) -> list[Change]:
        def select(db: sqlite3.Connection) -> tuple[list[Entry], dict[int, tuple[str, bool, int, int]]]:
            found = read(db, f"{condition} ORDER BY seq", values)
            entries = found.entries()
            rows = db.execute(_BESIDES, (INDEX, listed(entry.seq for entry in entries)))
            return entries, {row[0]: (row[1], bool(row[2]), row[3], row[4]) for row in rows}

        entries, besides = self.database.do(select)
        return [Change(entry, *besides[entry.seq]) for entry in entries]


_BESIDES = f"""
    SELECT snapshots.seq, settled_into, deleted_at IS NOT NULL,
        iif(revision > 0, coalesce(event_number, 0), 0), coalesce(revision, 0)
    FROM snapshots LEFT JOIN deliveries ON deliveries.seq = snapshots.seq AND target = ? WHERE snapshots.seq {AMONG}
"""
