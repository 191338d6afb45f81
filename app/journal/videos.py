"""Videos that cameras sent: each is an event of the album that no outlet is told of, and that archives get."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from app.journal.base import JournalPart
from app.journal.rows import enqueue, update_inspected, upsert_taken
from app.journal.sql import marks
from app.messages import Inspection


class VideoClaim(NamedTuple):
    """What the journal says of a video's file."""

    stays: bool
    """Its event has a star, or an archive is still to get it."""
    gone: bool
    """Its event was deleted, or has given it up: the file is left over."""


class VideosPart(JournalPart):
    """The record of videos."""

    def record_video(self, inspection: Inspection, archives: Iterable[str], *, content: bytes) -> None:
        """Record a video that is on the disk, and its pending deliveries to archives, in one step.

        `content` is the digest of its file. A second record under the same id is ignored.
        """
        names = tuple(archives)

        def insert(db: sqlite3.Connection) -> None:
            upsert_taken(db, inspection.snapshot, "", content, self._clock())
            seq = update_inspected(db, inspection, self._clock())
            if seq is not None:
                enqueue(db, seq, names, self._clock())

        self.database.do(insert)

    def video_claims(self, ids: Sequence[str]) -> dict[str, VideoClaim]:
        """What is known of the videos of these events; nothing of those of events that are not known."""
        query = (
            "SELECT id, starred OR EXISTS (SELECT 1 FROM deliveries WHERE seq = snapshots.seq AND state = 'owed'), "
            f"video = '' FROM snapshots WHERE id IN ({marks(ids)})"
        )
        rows = self.database.do(lambda db: db.execute(query, tuple(ids)).fetchall())
        return {event_id: VideoClaim(bool(stays), bool(gone)) for event_id, stays, gone in rows}

    def forget_videos(self, ids: Sequence[str]) -> None:
        """Record that the videos of these events leave the disk, before their files do."""
        change = (
            "UPDATE snapshots SET video = '', gone_at = iif(path = '', ?, gone_at) "
            f"WHERE video != '' AND id IN ({marks(ids)})"
        )
        self.database.do(lambda db: db.execute(change, (self._clock(), *ids)))
