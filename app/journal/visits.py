"""Visits: what one camera saw, each picture at most a minute after the one before.

The visit is decided when an event is recorded, so that a page of visits is read off an index. A picture that comes
late, as by FTP after an outage, joins what stands beside it, and makes one visit of two that it connects. What is
deleted leaves its visit whole.

What a camera failed to take is in no visit of pictures: the tries that failed one after the other are one outage, and
so is their card, however long it lasts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from app.journal.album_order import MILLISECOND, OUTAGE_MOST, VISIT_GAP, VISIT_LENGTH, VISIT_MOST, place
from app.journal.sql import AMONG, listed

NEAR = """
    SELECT visit, min(place), max(place), count(*) FROM snapshots INDEXED BY snapshots_visits
    WHERE shown AND visit IN (
        SELECT visit FROM snapshots INDEXED BY snapshots_cameras
        WHERE shown AND camera = ? AND place BETWEEN ? AND ? AND visit > 0 AND problem = ''
    )
    GROUP BY visit ORDER BY 2
"""

BESIDE = """
    SELECT visit, problem FROM snapshots INDEXED BY snapshots_cameras
    WHERE shown AND camera = ? AND place {} ? AND visit > 0 ORDER BY place {} LIMIT 1
"""
SIZE = "SELECT count(*) FROM (SELECT 1 FROM snapshots INDEXED BY snapshots_visits WHERE shown AND visit = ? LIMIT ?)"


class _Span(NamedTuple):
    visit: int
    first: int
    last: int
    pictures: int

    def with_(self, other: _Span) -> _Span:
        return _Span(
            self.visit, min(self.first, other.first), max(self.last, other.last), self.pictures + other.pictures
        )

    @property
    def fits(self) -> bool:
        return self.last - self.first <= VISIT_LENGTH and self.pictures <= VISIT_MOST


def visit_of(db: sqlite3.Connection, camera: str, taken_at: float, *, failed: bool) -> int | None:
    """The visit that an entry belongs to which is not shown yet; None where it begins one.

    `taken_at`: Unix seconds; `failed`: there is no picture, because the camera gave none.
    """
    at = place(taken_at, 0)
    if failed:
        return _outage(db, camera, at)
    joined = _Span(0, at, at, 1)
    for row in db.execute(NEAR, (camera, at - VISIT_GAP, at + VISIT_GAP + MILLISECOND - 1)).fetchall():
        near = _Span(*row)
        if not near.with_(joined).fits:
            continue
        if joined.visit:
            db.execute("UPDATE snapshots SET visit = ? WHERE visit = ?", (joined.visit, near.visit))
        joined = (joined if joined.visit else near).with_(near if joined.visit else joined)
    return joined.visit or None


def _outage(db: sqlite3.Connection, camera: str, at: int) -> int | None:
    for side, order in (("<=", "DESC"), (">", "ASC")):
        row = db.execute(BESIDE.format(side, order), (camera, at + MILLISECOND - 1)).fetchone()
        if row and row[1] and db.execute(SIZE, (row[0], OUTAGE_MOST)).fetchone()[0] < OUTAGE_MOST:
            return int(row[0])
    return None


def join_visits(db: sqlite3.Connection, seqs: Sequence[int]) -> None:
    """Find the visits of entries that are shown from now on, oldest first."""
    query = f"SELECT seq, camera, taken_at, problem != '' FROM snapshots WHERE seq {AMONG} ORDER BY taken_at"
    for seq, camera, taken_at, failed in db.execute(query, (listed(seqs),)).fetchall():
        visit = visit_of(db, camera, taken_at, failed=bool(failed))
        db.execute("UPDATE snapshots SET visit = coalesce(?, seq) WHERE seq = ?", (visit, seq))
