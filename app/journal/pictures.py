"""Which pictures are in the cache, and which of them may be evicted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.journal.base import JournalPart
from app.journal.jobs import insert_job
from app.journal.media import Medium, insert_media
from app.journal.records import CachedPicture, CameraSpace
from app.journal.rows import (
    abandon_archives,
    enqueue,
    pending_for,
    still_needed,
    update_inspected,
    upsert_taken,
)
from app.journal.search_index import unindex
from app.journal.sql import AMONG, listed, marks
from app.messages import Inspection

MEDIA_SIZE = "(SELECT coalesce(sum(media.size), 0) FROM media WHERE media.snapshot = snapshots.id)"
"""Bytes of the files beside a snapshot's picture."""


class PicturesPart(JournalPart):
    """Which pictures are in the cache, and which of them may be evicted."""

    def import_picture(
        self,
        inspection: Inspection,
        targets: Iterable[str],
        *,
        content: bytes = b"",
        media: Sequence[Medium] = (),
        job: tuple[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Record a picture that never was an event, and its pending deliveries, in one step.

        In the same step: `media`, files that belong to it, and a `job` of this kind with these arguments about it.
        """
        names = tuple(targets)

        def insert(db: sqlite3.Connection) -> None:
            upsert_taken(db, inspection.snapshot, "", content, self._clock())
            seq = update_inspected(db, inspection, self._clock(), is_news=False)
            if seq is not None:
                enqueue(db, seq, names, self._clock())
            insert_media(db, media, self._clock())
            if job is not None:
                insert_job(db, job[0], inspection.snapshot.id, job[1], self._clock())

        self.database.do(insert)

    def pictures(
        self, after: CachedPicture | None = None, *, targets: Sequence[str], archives: Sequence[str], limit: int
    ) -> list[CachedPicture]:
        """Pictures in the cache that were inspected, oldest first, starting behind `after`.

        `targets`: every target of deliveries; `archives`: those of them that store pictures.
        """
        start = (after.taken_at, after.seq) if after else (-1e12, 0)
        needed, values = still_needed(targets, archives)

        def select(db: sqlite3.Connection) -> list[CachedPicture]:
            rows = db.execute(
                f"SELECT seq, id, located(path), size + {MEDIA_SIZE}, taken_at, camera, person, starred, {needed} "
                "FROM snapshots WHERE path != '' AND state = 'inspected' AND (taken_at, seq) > (?, ?) "
                "ORDER BY taken_at, seq LIMIT ?",
                (*values, *start, limit),
            )
            return [CachedPicture(*row[:6], *map(bool, row[6:])) for row in rows]

        return self.database.do(select)

    def pictures_size(self) -> int:
        """Bytes of all pictures in the cache, and of what is kept beside them."""
        pictures = "SELECT coalesce(sum(size), 0) FROM snapshots WHERE path != ''"
        beside = "SELECT coalesce(sum(size), 0) FROM media WHERE snapshot IS NOT NULL"

        def select(db: sqlite3.Connection) -> int:
            return sum(int(db.execute(query).fetchone()[0]) for query in (pictures, beside))

        return self.database.do(select)

    def space(self) -> list[CameraSpace]:
        """What each camera's pictures take. Reads all sizes: for people, not for every second."""
        query = "SELECT camera, count(*), sum(size) FROM snapshots WHERE path != '' GROUP BY camera"
        return self.database.do(lambda db: [CameraSpace(*row) for row in db.execute(query)])

    def size_since(self, taken_at: float) -> int:
        """Bytes of the pictures in the cache that were taken since then (Unix seconds)."""
        query = "SELECT coalesce(sum(size), 0) FROM snapshots WHERE path != '' AND taken_at >= ?"
        return self.database.do(lambda db: int(db.execute(query, (taken_at,)).fetchone()[0]))

    def evict(
        self, pictures: Sequence[CachedPicture], *, targets: Sequence[str], archives: Sequence[str], problem: str = ""
    ) -> list[CachedPicture]:
        """Record that these pictures leave the cache, before their files do; returns those that may be deleted.

        One that was starred or enqueued meanwhile stays, unless a `problem` forces it out: then all archives for
        which it is pending give it up for this reason.
        """
        needed, values = still_needed(targets, archives)
        guard = "" if problem else f" AND starred = 0 AND NOT {needed}"
        statement = f"UPDATE snapshots SET path = '', gone_at = ? WHERE seq = ? AND path = stored(?){guard}"

        def update(db: sqlite3.Connection) -> list[CachedPicture]:
            now = self._clock()
            gone = []
            for picture in pictures:
                key = (now, picture.seq, picture.path)
                if db.execute(statement, key if problem else (*key, *values)).rowcount:
                    gone.append(picture)
                    db.execute("DELETE FROM media WHERE snapshot = ?", (picture.id,))
                    if problem:
                        abandon_archives(db, picture.seq, archives, problem, now)
            return gone

        return self.database.do(update)

    def purge(self, *, older_than: float, targets: Sequence[str], limit: int) -> int:
        """Delete snapshots whose picture left (or that never had one) so many seconds ago; returns how many.

        At most `limit`, and none that is pending for one of these targets, nor a starred one.
        """
        condition = self._forgettable(targets)
        values = (self._clock() - older_than, *targets, limit)

        def delete(db: sqlite3.Connection) -> int:
            rows = db.execute(f"SELECT seq FROM snapshots WHERE {condition} LIMIT ?", values).fetchall()
            seqs = [row[0] for row in rows]
            unindex(db, seqs)
            return db.execute(f"DELETE FROM snapshots WHERE seq {AMONG}", (listed(seqs),)).rowcount

        return self.database.do(delete)

    def forgettable(self, *, older_than: float, targets: Sequence[str]) -> int:
        """How many `purge` would delete."""
        query = f"SELECT count(*) FROM snapshots WHERE {self._forgettable(targets)}"
        values = (self._clock() - older_than, *targets)
        return self.database.do(lambda db: int(db.execute(query, values).fetchone()[0]))

    def with_picture(self, ids: Sequence[str]) -> set[str]:
        """Those of these ids that have a picture in the cache, or may still get one."""
        query = f"SELECT id FROM snapshots WHERE id IN ({marks(ids)}) AND (path != '' OR state = 'accepted')"
        return self.database.do(lambda db: {row[0] for row in db.execute(query, tuple(ids))})

    def began(self) -> float | None:
        """When the oldest snapshot was recorded (Unix seconds); None when there is none."""

        def select(db: sqlite3.Connection) -> float | None:
            row = db.execute("SELECT recorded_at FROM snapshots ORDER BY seq LIMIT 1").fetchone()
            return float(row[0]) if row else None

        return self.database.do(select)

    def _forgettable(self, targets: Sequence[str]) -> str:
        """The condition, with the moment and the targets as its values."""
        return (
            "path = '' AND state = 'inspected' AND coalesce(gone_at, inspected_at) < ? AND starred = 0 "
            "AND video = '' "
            f"AND NOT {pending_for(targets)}"
        )
