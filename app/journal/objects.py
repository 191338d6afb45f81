"""What became of objects in buckets, longer than their snapshots are remembered, and messages that are no events."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.journal.base import JournalPart
from app.journal.rows import upsert_taken
from app.journal.sql import AMONG, listed
from app.messages import ObjectCreated, Snapshot
from pylib import sqlite

MOST_REJECTED = 1000
"""Rejected messages of a source that are remembered, the newest."""

_THIS = "source = ? AND bucket = ? AND key = ? AND version = ?"
_BEGUN = (
    "INSERT INTO bucket_objects (source, bucket, key, version, attempts, seen_at) VALUES (?, ?, ?, ?, 1, ?) "
    "ON CONFLICT DO UPDATE SET attempts = attempts + 1, seen_at = excluded.seen_at"
)
_RECORD = (
    "INSERT INTO bucket_objects (source, bucket, key, version, etag, sequencer, outcome, seen_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET etag = excluded.etag, "
    "sequencer = excluded.sequencer, outcome = excluded.outcome, attempts = 0, seen_at = excluded.seen_at"
)


@dataclass(frozen=True, slots=True)
class RecordedObject:
    """What is known of an object; of one without versions, as it was written last."""

    etag: str
    sequencer: str
    outcome: str
    """Id of its snapshot, or why there is none; empty while it is only being worked on."""
    attempts: int
    """How often work on it began and never ended."""


@dataclass(frozen=True, slots=True)
class RejectedMessages:
    """A source's messages that were no events."""

    count: int
    """At most `MOST_REJECTED`."""
    reason: str
    """Of the newest one; empty where there are none."""


class ObjectsPart(JournalPart):
    """Objects in buckets, and the messages about them."""

    def object_found(self, found: ObjectCreated) -> RecordedObject | None:
        """What is known of this object's version, or of the object where there are no versions."""

        def select(db: sqlite3.Connection) -> RecordedObject | None:
            query = f"SELECT etag, sequencer, outcome, attempts FROM bucket_objects WHERE {_THIS}"
            row = db.execute(query, _place(found)).fetchone()
            return RecordedObject(*row) if row else None

        return self.database.do(select)

    def begin_object(self, found: ObjectCreated) -> None:
        """Work on it begins that could end the process."""
        self.database.do(lambda db: db.execute(_BEGUN, (*_place(found), self._clock())))

    def end_object(self, found: ObjectCreated) -> None:
        """The work that began last has ended, without an outcome to record."""
        statement = f"UPDATE bucket_objects SET attempts = attempts - 1 WHERE {_THIS} AND attempts > 0"
        self.database.do(lambda db: db.execute(statement, _place(found)))

    def record_object(
        self, found: ObjectCreated, *, snapshot: Snapshot | None = None, outcome: str = "", note: str = ""
    ) -> None:
        """Record what became of an object, and its snapshot with it: both or neither.

        `outcome`: why there is no snapshot, where there is none; `note`: a user's.
        """

        def record(db: sqlite3.Connection) -> None:
            now = self._clock()
            if snapshot is not None:
                upsert_taken(db, snapshot, "", b"", now, note=note)
            ended = snapshot.id if snapshot else outcome
            db.execute(_RECORD, (*_place(found), found.etag, found.sequencer, ended, now))

        self.database.do(record)

    def known_objects(self, source: str, bucket: str, keys: Collection[str]) -> Mapping[str, str]:
        """Those of these keys that have an outcome -> the ETag that they had then; for a bucket that is listed."""
        query = (
            "SELECT key, etag FROM bucket_objects "
            f"WHERE source = ? AND bucket = ? AND version = '' AND outcome != '' AND key {AMONG}"
        )
        return self.database.do(lambda db: dict(db.execute(query, (source, bucket, listed(keys))).fetchall()))

    def remembered_objects(self, source: str, bucket: str, *, after: str = "", limit: int = 1000) -> list[str]:
        """Keys of this bucket that are remembered, in the order of their UTF-8 bytes, those behind `after`."""
        query = (
            "SELECT key FROM bucket_objects WHERE source = ? AND bucket = ? AND key > ? AND version = '' "
            "ORDER BY key LIMIT ?"
        )

        def select(db: sqlite3.Connection) -> list[str]:
            return [row[0] for row in db.execute(query, (source, bucket, after, limit))]

        return self.database.do(select)

    def forget_objects(self, source: str, bucket: str, keys: Collection[str]) -> None:
        """Forget objects that have vanished from a bucket: what comes under such a key is a new one."""
        statement = f"DELETE FROM bucket_objects WHERE source = ? AND bucket = ? AND key {AMONG}"
        self.database.do(lambda db: db.execute(statement, (source, bucket, listed(keys))))

    def forget_old_objects(self, sources: Collection[str], *, older_than: float) -> None:
        """Forget the objects of these sources that were recorded more than so many seconds ago.

        And those of queues that are no sources any more: only what a queue told of has a version or a sequencer.
        """
        queued = f"(source {AMONG} OR version != '' OR sequencer != '')"
        statement = f"DELETE FROM bucket_objects WHERE seen_at < ? AND {queued}"
        before = self._clock() - older_than
        self.database.do(lambda db: db.execute(statement, (before, listed(sources))))

    def reject_message(self, source: str, message: str, reason: str) -> bool:
        """Remember a source's message that is no event, with its reason, beside the newest of its others.

        Returns whether it is a new one.
        """

        def insert(db: sqlite3.Connection) -> bool:
            row = (source, message, reason, self._clock())
            new = db.execute("INSERT INTO rejected_messages VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", row).rowcount
            db.execute(
                "DELETE FROM rejected_messages WHERE source = ?1 AND id NOT IN ("
                "SELECT id FROM rejected_messages WHERE source = ?1 ORDER BY rejected_at DESC LIMIT ?2)",
                (source, MOST_REJECTED),
            )
            return new > 0

        return self.database.do(insert)

    def rejected_messages(self, source: str) -> RejectedMessages:
        """How many of a source's messages were rejected, and why the newest was."""
        return self.database.do(lambda db: _rejected(db, source))


def _place(found: ObjectCreated) -> tuple[str, str, str, str]:
    return found.origin, found.bucket, found.key, found.version


def recorded_rejections(journal: Path, source: str) -> RejectedMessages:
    """The same, read from a journal that another process may have open. Raises `pylib.sqlite.DatabaseUnusable`."""
    with sqlite.reading(journal) as database:
        return _rejected(database, source)


def _rejected(db: sqlite3.Connection, source: str) -> RejectedMessages:
    query = (
        "SELECT count(*), coalesce((SELECT reason FROM rejected_messages WHERE source = ?1 "
        "ORDER BY rejected_at DESC LIMIT 1), '') FROM rejected_messages WHERE source = ?1"
    )
    return RejectedMessages(*db.execute(query, (source,)).fetchone())
