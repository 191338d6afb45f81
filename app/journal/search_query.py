"""Turns a filter into the condition of a query, so that SQLite reads a page off an index."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from datetime import datetime

from app.journal.album_order import MILLISECOND
from app.journal.entries import Filter, PageCursor
from app.journal.search_index import REVIEWED, camera_mark, flag_marks, label_mark, sure_mark
from app.journal.sql import AMONG, listed

MOST_COUNTED = 10_000
"""Up to here pictures are counted."""


@dataclass(slots=True)
class SearchQuery:
    """Where entries are searched, the conditions that they have to meet, and the values for those.

    All sources give entries in the album's order, so that nothing is sorted and reading ends with the page.
    """

    source: str
    place: str
    conditions: list[str] = field(default_factory=lambda: ["shown"])
    values: list[object] = field(default_factory=list)

    def require(self, condition: str, *values: object) -> None:
        self.conditions.append(condition)
        self.values += values

    def query(self, order: str) -> str:
        """Selects `seq` of those found; `order` is ASC or DESC; the last value is how many at most."""
        return f"{self.select('seq', order)} LIMIT ?"

    def select(self, columns: str, order: str) -> str:
        """Selects these columns of all that is found."""
        where = " AND ".join(self.conditions)
        return f"SELECT {columns} FROM {self.source} WHERE {where} ORDER BY {self.place} {order}"


def selection(wanted: Filter) -> SearchQuery:
    """The query for the entries that match this filter."""
    words = _expression(wanted)
    if wanted.ids and not words:
        chosen = SearchQuery("snapshots", "+place")  # found by their ids, and not by reading the album in its order
    elif words and not _is_label_alone(wanted):
        chosen = SearchQuery("words CROSS JOIN snapshots ON snapshots.place = words.rowid", "words.rowid")
        chosen.require("words MATCH ?", words)
    elif wanted.label:
        chosen = SearchQuery("tags CROSS JOIN snapshots ON snapshots.place = tags.place", "tags.place")
        chosen.require("tags.folded = ?", wanted.label.casefold())
    else:
        chosen = SearchQuery("snapshots", "place")
    if wanted.visit:
        chosen.require("visit = ?", wanted.visit)
    if wanted.reviewed is not None and not chosen.source.startswith("words"):
        chosen.require("reviewed = ?", wanted.reviewed)
    _require_confidence(chosen, wanted)
    _require_time(chosen, wanted)
    if wanted.ids:
        chosen.require(f"id {AMONG}", listed(wanted.ids))
    return chosen


def counted(db: sqlite3.Connection, chosen: SearchQuery, most: int) -> int:
    """How many entries a query finds; `most` + 1 where it is more than that."""
    query = f"SELECT count(*) FROM ({chosen.select('1', 'DESC')} LIMIT ?)"
    return int(db.execute(query, (*chosen.values, most + 1)).fetchone()[0])


def _is_label_alone(wanted: Filter) -> bool:
    return bool(wanted.label) and not wanted.words and len(_marks(wanted)) == 1


def _expression(wanted: Filter) -> str:
    """The expression for the full-text search; empty when none is needed."""
    parts = []
    if wanted.words:
        starts = " AND ".join(f'"{word}"*' for word in wanted.words)
        parts.append(f"{{labels camera note}} : ({starts})")
    if marks := _marks(wanted):
        parts.append(f"marks : ({' AND '.join(marks)})")
    if parts and wanted.reviewed:
        parts.append(f"marks : {REVIEWED}")
    words = " AND ".join(parts)
    # What nobody has reviewed has no mark for that: rows of earlier releases stay as they are.
    return f"({words}) NOT marks : {REVIEWED}" if words and wanted.reviewed is False else words


def _marks(wanted: Filter) -> list[str]:
    marks = flag_marks(person=wanted.person, starred=wanted.starred, problem=wanted.problem)
    if wanted.camera:
        marks.append(camera_mark(wanted.camera))
    if wanted.cameras:
        marks.append(f"({' OR '.join(map(camera_mark, sorted(wanted.cameras)))})")
    if wanted.label and wanted.min_confidence > 0:
        sure = (sure_mark(wanted.label, tenths / 10) for tenths in range(int(min(wanted.min_confidence, 1) * 10), 11))
        marks.append(f"({' OR '.join(sure)})")
    elif wanted.label:
        marks.append(label_mark(wanted.label))
    return marks


def _require_confidence(chosen: SearchQuery, wanted: Filter) -> None:
    if wanted.min_confidence <= 0:
        return
    if not wanted.label:
        chosen.require("surest >= ?", wanted.min_confidence)
    elif chosen.source.startswith("tags"):
        chosen.require("tags.confidence >= ?", wanted.min_confidence)
    else:
        condition = f"EXISTS (SELECT 1 FROM tags WHERE folded = ? AND place = {chosen.place} AND confidence >= ?)"
        chosen.require(condition, wanted.label.casefold(), wanted.min_confidence)


def _require_time(chosen: SearchQuery, wanted: Filter) -> None:
    if wanted.since is not None:
        chosen.require(f"{chosen.place} >= ? AND taken_at >= ?", _number(wanted.since), wanted.since.timestamp())
    if wanted.until is not None:
        latest = _number(wanted.until) + MILLISECOND
        chosen.require(f"{chosen.place} < ? AND taken_at < ?", latest, wanted.until.timestamp())
    if wanted.hours is not None:
        chosen.require(wanted.hours.condition)


def _number(moment: datetime) -> int:
    return PageCursor(moment.timestamp(), 0).number
