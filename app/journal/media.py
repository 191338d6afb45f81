"""Files beside the one picture: the frames of a burst, what was made of them, and films."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from app.journal.base import JournalPart
from app.journal.columns import moment
from app.journal.sql import marks

MediumKind = Literal["frame", "animation", "film"]

_COLUMNS = (
    "id, kind, format, snapshot, camera, name, position, {path}, size, width, height, frames, duration_s, taken_at"
)
_READ = _COLUMNS.format(path="located(path)")


@dataclass(frozen=True, slots=True)
class Medium:
    """One file."""

    id: str
    """32 hex digits."""
    kind: MediumKind
    format: str
    """`jpeg`, `png`, `gif`, `webp`, `mp4`."""
    camera: str
    """Device key; empty for a film of several."""
    path: str
    """Absolute."""
    size: int
    """Bytes."""
    width: int
    height: int
    taken_at: datetime
    """Of its first picture."""
    snapshot: str = ""
    """Id of the event it belongs to, with which it is deleted; empty for a film."""
    name: str = ""
    """Of a film, for people."""
    position: int = 0
    """Among the frames of its event, from 0 on."""
    frames: int = 1
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True)
class EventPicture:
    """One of the pictures of an event."""

    camera: str
    """Device key."""
    path: str
    """Absolute."""
    taken_at: datetime


class MediaPart(JournalPart):
    """The record of these files."""

    def record_media(self, media: Sequence[Medium]) -> None:
        """Record files that are on the disk; one of an id that is there replaces it."""
        self.database.do(lambda db: insert_media(db, media, self._clock()))

    def media_of(self, snapshot: str, *, kind: MediumKind | None = None) -> list[Medium]:
        """The files of this event, frames in their order."""
        query = (
            f"SELECT {_READ} FROM media WHERE snapshot = ?1 AND (?2 IS NULL OR kind = ?2) ORDER BY kind, position, id"
        )
        return self.database.do(lambda db: [_medium(row) for row in db.execute(query, (snapshot, kind))])

    def event_pictures(self, snapshot: str) -> list[EventPicture]:
        """The pictures of this event that are in the cache, in the order in which they were taken.

        They are the frames of its burst, or its own and those that a camera pushed with it.
        """
        frames = (
            "SELECT camera, located(path), taken_at FROM media WHERE snapshot = ?1 AND kind = 'frame' ORDER BY position"
        )
        pushed = (
            "SELECT camera, located(path), taken_at FROM snapshots WHERE path != '' AND deleted_at IS NULL "
            "AND (id = ?1 OR settled_into = ?1 AND settled_into != '') ORDER BY taken_at, seq"
        )

        def select(db: sqlite3.Connection) -> list[EventPicture]:
            rows = db.execute(frames, (snapshot,)).fetchall() or db.execute(pushed, (snapshot,)).fetchall()
            return [EventPicture(camera, path, moment(at)) for camera, path, at in rows]

        return self.database.do(select)

    def animated(self, snapshots: Sequence[str], formats: Sequence[str]) -> set[str]:
        """Those of these events that have an animation of one of these formats."""
        query = (
            f"SELECT DISTINCT snapshot FROM media WHERE snapshot IN ({marks(snapshots)}) AND kind = 'animation' "
            f"AND format IN ({marks(formats)})"
        )
        return self.database.do(lambda db: {row[0] for row in db.execute(query, (*snapshots, *formats))})

    def films(self, *, camera: str | None = None, limit: int = 100) -> list[Medium]:
        """Films, the newest first; of one camera, or of all."""
        query = (
            f"SELECT {_READ} FROM media WHERE snapshot IS NULL AND (?1 IS NULL OR camera = ?1) "
            "ORDER BY taken_at DESC, id LIMIT ?2"
        )
        return self.database.do(lambda db: [_medium(row) for row in db.execute(query, (camera, limit))])

    def medium(self, medium_id: str) -> Medium | None:
        """The file of this id; None when there is none."""

        def select(db: sqlite3.Connection) -> Medium | None:
            row = db.execute(f"SELECT {_READ} FROM media WHERE id = ?", (medium_id,)).fetchone()
            return _medium(row) if row else None

        return self.database.do(select)

    def forget_media(self, ids: Sequence[str]) -> None:
        """Forget files that are gone."""
        self.database.do(lambda db: db.executemany("DELETE FROM media WHERE id = ?", [(one,) for one in ids]))

    def forget_orphans(self, *, before: float) -> None:
        """Forget files of events that are gone, or were never recorded. `before`: Unix seconds of recording them."""
        orphans = (
            "DELETE FROM media WHERE snapshot IS NOT NULL AND made_at < ? AND NOT EXISTS (SELECT 1 FROM snapshots "
            "WHERE id = media.snapshot AND (path != '' OR state = 'accepted'))"
        )
        self.database.do(lambda db: db.execute(orphans, (before,)))


def insert_media(db: sqlite3.Connection, media: Iterable[Medium], now: float) -> None:
    """Record files; one of an id that is there replaces it."""
    places = f"?, ?, ?, ?, ?, ?, ?, stored(?), {', '.join('?' * 6)}, ?"
    statement = f"REPLACE INTO media ({_COLUMNS.format(path='path')}, made_at) VALUES ({places})"
    db.executemany(statement, [(*_row(medium), now) for medium in media])


def _row(medium: Medium) -> tuple[object, ...]:
    return (
        medium.id,
        medium.kind,
        medium.format,
        medium.snapshot or None,
        medium.camera,
        medium.name,
        medium.position,
        medium.path,
        medium.size,
        medium.width,
        medium.height,
        medium.frames,
        medium.duration_s,
        medium.taken_at.timestamp(),
    )


def _medium(row: Sequence[Any]) -> Medium:
    return Medium(
        id=row[0],
        kind=row[1],
        format=row[2],
        snapshot=row[3] or "",
        camera=row[4],
        name=row[5],
        position=row[6],
        path=row[7],
        size=row[8],
        width=row[9],
        height=row[10],
        frames=row[11],
        duration_s=row[12],
        taken_at=moment(row[13]),
    )
