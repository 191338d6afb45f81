"""The journal's queries for the album."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from app.journal.album_order import MILLISECOND, QUARTER_S, QUARTER_SQL
from app.journal.base import JournalPart
from app.journal.entries import Entry, Extent, Filter, HeatCount, PageCursor, Standing
from app.journal.entry_reader import STANDING, Read, read
from app.journal.paths import path_functions
from app.journal.search_index import camera_mark, label_mark
from app.journal.search_query import MOST_COUNTED, counted, selection
from app.journal.sql import AMONG, listed
from app.messages import Inspection
from pylib import sqlite

MOST_IN_HEAT = 20_000
"""Entries of a filter that the heat map counts."""

# Each name is looked up behind the one before, so that it takes as many steps as there are names.
LABEL_NAMES = """
    WITH RECURSIVE found (folded) AS (
        SELECT min(folded) FROM tags
        UNION ALL
        SELECT (SELECT min(folded) FROM tags WHERE folded > found.folded) FROM found WHERE folded IS NOT NULL
    )
    SELECT (SELECT name FROM tags WHERE folded = found.folded ORDER BY place DESC LIMIT 1) FROM found
    WHERE folded IS NOT NULL
"""
CAMERA_KEYS = """
    WITH RECURSIVE found (key) AS (
        SELECT min(camera) FROM snapshots WHERE shown
        UNION ALL
        SELECT (SELECT min(camera) FROM snapshots WHERE shown AND camera > found.key) FROM found WHERE key IS NOT NULL
    )
    SELECT key FROM found WHERE key IS NOT NULL
"""
# One step in the index of a camera's entries for each camera, and for each failure since its last picture.
LAST_TAKEN = """
    SELECT value, (
        SELECT taken_at FROM snapshots WHERE camera = value AND shown AND problem = '' ORDER BY place DESC LIMIT 1
    ) FROM json_each(?)
"""
HEAT = """
    SELECT quarter * 900, snapshots, persons FROM heat
    WHERE quarter >= :since AND quarter < :until AND snapshots > 0 ORDER BY quarter
"""
HEAT_OF_CAMERAS = f"""
    SELECT place / {QUARTER_SQL} * 900 AS start, count(*), sum(person) FROM snapshots INDEXED BY snapshots_cameras
    WHERE shown AND camera IN (SELECT value FROM json_each(:cameras))
        AND place >= :since * {QUARTER_SQL} AND place < :until * {QUARTER_SQL}
    GROUP BY start ORDER BY start
"""
SAME_MOMENT = """
    WITH event (id) AS (SELECT iif(settled_into = '', id, settled_into) FROM snapshots WHERE id = :id),
    near (seq, distance) AS (
        SELECT seq, min(abs(place - :place)) FROM snapshots INDEXED BY snapshots_shown
        WHERE shown AND place BETWEEN :first AND :last AND camera != :camera GROUP BY camera
    ),
    settled (seq, distance) AS (
        SELECT seq, abs(place - :place) FROM snapshots
        WHERE settled_into != '' AND settled_into IN event AND id != :id AND deleted_at IS NULL
        UNION SELECT seq, abs(place - :place) FROM snapshots WHERE id IN event AND id != :id AND deleted_at IS NULL
    )
    SELECT seq FROM (SELECT * FROM near UNION SELECT * FROM settled) ORDER BY distance LIMIT :limit
"""


def recorded_labels(journal: Path) -> list[str]:
    """All labels, read from a journal that another process may have open. Raises `pylib.sqlite.DatabaseUnusable`."""
    with sqlite.reading(journal) as database:
        return [row[0] for row in database.execute(LABEL_NAMES)]


def recorded_cameras(journal: Path) -> list[str]:
    """Device keys of all cameras, read in the same way. Raises `pylib.sqlite.DatabaseUnusable`."""
    with sqlite.reading(journal) as database:
        return [row[0] for row in database.execute(CAMERA_KEYS)]


def recorded_inspections(journal: Path, *, since: datetime, limit: int) -> list[Inspection]:
    """The newest events since then, oldest first, from a journal that another process may have open.

    Raises `pylib.sqlite.DatabaseUnusable`.
    """
    with sqlite.reading(journal, functions=path_functions(journal.parent)) as database:
        chosen = selection(Filter(since=since))
        found = read(database, f"seq IN ({chosen.query('DESC')}) ORDER BY place", (*chosen.values, limit))
        return [entry.inspection for entry in found.entries()]


def recorded_entries(journal: Path, filter: Filter, after: PageCursor | None, limit: int) -> list[Entry]:
    """The same as `AlbumPart.oldest`, from a journal that another process may have open.

    Raises `pylib.sqlite.DatabaseUnusable`.
    """
    with sqlite.reading(journal, functions=path_functions(journal.parent)) as database:
        return _oldest(database, filter, after, limit).entries()


class Totals(NamedTuple):
    """How much a filter finds."""

    snapshots: int
    pictures: int
    size: int
    """Bytes of the pictures."""


def recorded_totals(journal: Path, filter: Filter) -> Totals:
    """How much there is of it, from a journal that another process may have open.

    Raises `pylib.sqlite.DatabaseUnusable`.
    """
    with sqlite.reading(journal, functions=path_functions(journal.parent)) as database:
        chosen = selection(filter)
        query = f"SELECT count(*), total(path != ''), total(size) FROM snapshots WHERE seq IN ({chosen.query('ASC')})"
        return Totals(*map(int, database.execute(query, (*chosen.values, -1)).fetchone()))


def recorded_newest(journal: Path, filter: Filter) -> Entry | None:
    """The newest that matches, from a journal that another process may have open.

    Raises `pylib.sqlite.DatabaseUnusable`.
    """
    with sqlite.reading(journal, functions=path_functions(journal.parent)) as database:
        chosen = selection(filter)
        return read(database, f"seq IN ({chosen.query('DESC')})", (*chosen.values, 1)).first()


def _oldest(db: sqlite3.Connection, filter: Filter, after: PageCursor | None, limit: int) -> Read:
    chosen = selection(filter)
    if after is not None:
        chosen.require(f"{chosen.place} > ?", after.number)
    return read(db, f"seq IN ({chosen.query('ASC')}) ORDER BY place", (*chosen.values, limit))


class AlbumPart(JournalPart):
    """What the album shows.

    It shows what became an event and was not deleted; what was grouped into another event is found by id only.
    """

    def page(self, filter: Filter, *, before: PageCursor | None = None, limit: int = 60) -> list[Entry]:
        """The newest entries that match and stand before that place, newest first."""
        chosen = selection(filter)
        if before is not None:
            chosen.require(f"{chosen.place} < ?", before.number)
        query, values = chosen.query("DESC"), (*chosen.values, limit)
        return self.database.do(lambda db: read(db, f"seq IN ({query}) ORDER BY place DESC", values)).entries()

    def oldest(self, filter: Filter, after: PageCursor | None, limit: int) -> list[Entry]:
        """The oldest entries that match and stand behind that place, oldest first."""
        return self.database.do(lambda db: _oldest(db, filter, after, limit)).entries()

    def newest_picture(self, camera: str) -> Entry | None:
        """The camera's newest entry whose picture is in the cache."""
        condition = "camera = ? AND shown AND path != '' ORDER BY place DESC LIMIT 1"
        return self.database.do(lambda db: read(db, condition, (camera,))).first()

    def last_taken(self, cameras: Collection[str]) -> dict[str, float]:
        """When the newest picture of each of these cameras was taken, in Unix seconds; without those that have none."""
        rows = self.database.do(lambda db: db.execute(LAST_TAKEN, (listed(cameras),)).fetchall())
        return {camera: taken_at for camera, taken_at in rows if taken_at is not None}

    def last_inspections(self, camera: str, *, limit: int) -> list[Inspection]:
        """The camera's last so many inspections, oldest first."""
        return [entry.inspection for entry in reversed(self.page(Filter(camera=camera), limit=limit))]

    def entry(self, snapshot_id: str) -> Entry | None:
        """An entry that was inspected and not deleted, also one that was grouped into another event."""
        return self.database.do(lambda db: read(db, f"id = ? AND {STANDING}", (snapshot_id,))).first()

    def around(self, place: PageCursor, filter: Filter, *, reach: int) -> tuple[list[Entry], list[Entry]]:
        """The next newer and the next older matching entries, so many of each, the nearest first."""

        def select(db: sqlite3.Connection) -> tuple[Read, Read]:
            return beside(db, ">", "ASC"), beside(db, "<", "DESC")

        def beside(db: sqlite3.Connection, side: str, order: str) -> Read:
            chosen = selection(filter)
            chosen.require(f"{chosen.place} {side} ?", place.number)
            return read(db, f"seq IN ({chosen.query(order)}) ORDER BY place {order}", (*chosen.values, reach))

        newer, older = self.database.do(select)
        return newer.entries(), older.entries()

    def standing(self, place: PageCursor, filter: Filter, *, most: int = MOST_COUNTED) -> Standing:
        """Where the entry at this place stands among those that match; a number beyond `most` is `most` + 1."""

        def select(db: sqlite3.Connection) -> Standing:
            newer = selection(filter)
            newer.require(f"{newer.place} > ?", place.number)
            return Standing(min(counted(db, newer, most), most) + 1, counted(db, selection(filter), most))

        return self.database.do(select)

    def totals(self, filter: Filter, *, most: int) -> Extent:
        """How many entries match, at most so many, and what they take."""
        chosen = selection(filter)
        query = (
            f"SELECT count(*), coalesce(sum(size) FILTER (WHERE path != ''), 0) FROM snapshots "
            f"WHERE seq IN ({chosen.query('DESC')})"
        )
        values = (*chosen.values, most)
        return Extent(*self.database.do(lambda db: db.execute(query, values).fetchone()))

    def same_moment(self, entry: Entry, *, within_s: float = 30, limit: int = 12) -> list[Entry]:
        """The nearest picture of each other camera, and those grouped into one event with it, nearest first."""
        place = entry.place.number
        reach = int(within_s * 1000) * MILLISECOND
        values = {"id": entry.id, "camera": entry.inspection.camera, "place": place}
        values |= {"first": place - reach, "last": place + reach, "limit": limit}

        def select(db: sqlite3.Connection) -> Read:
            seqs = [row[0] for row in db.execute(SAME_MOMENT, values)]
            return read(db, f"seq {AMONG}", (listed(seqs),))

        found = self.database.do(select).entries()
        return sorted(found, key=lambda other: abs(other.place.number - place))

    def inspected_after(self, snapshot_id: str, *, limit: int) -> list[Entry]:
        """Entries that became events after that one did, oldest first; nothing when that one is unknown."""
        condition = (
            "event_number > (SELECT event_number FROM snapshots WHERE id = ?) AND shown ORDER BY event_number LIMIT ?"
        )
        return self.database.do(lambda db: read(db, condition, (snapshot_id, limit))).entries()

    def heat(self, since: datetime, until: datetime, filter: Filter = Filter()) -> list[HeatCount]:  # noqa: B008
        """The quarters of an hour that have matching entries, from that of `since` to before `until`.

        With a filter, the newest `MOST_IN_HEAT` entries count; its own times do not.
        """
        first, last = int(since.timestamp() // QUARTER_S), math.ceil(until.timestamp() / QUARTER_S)
        values = {"since": first, "until": last, "cameras": listed(filter.cameras)}
        if filter:
            chosen = selection(replace(filter, since=since, until=until))
            newest = chosen.select(f"{chosen.place} / {QUARTER_SQL} AS quarter, person", "DESC")
            counted = f"SELECT quarter * 900, count(*), sum(person) FROM ({newest} LIMIT ?) GROUP BY quarter"
            return self._heat(counted, (*chosen.values, MOST_IN_HEAT))
        return self._heat(HEAT_OF_CAMERAS if filter.cameras else HEAT, values)

    def _heat(self, query: str, values: Any) -> list[HeatCount]:
        return [HeatCount(*row) for row in self.database.do(lambda db: db.execute(query, values).fetchall())]

    def label_names(self, cameras: Collection[str] = ()) -> list[str]:
        """All labels in the album, sorted; those that these cameras saw, where any is named."""
        seen = f"({' OR '.join(map(camera_mark, sorted(cameras)))})"

        def select(db: sqlite3.Connection) -> list[str]:
            names = [str(row[0]) for row in db.execute(LABEL_NAMES)]
            return [name for name in names if is_seen(db, name)] if cameras else names

        def is_seen(db: sqlite3.Connection, name: str) -> bool:
            words = f"marks : ({label_mark(name)} AND {seen})"
            return db.execute("SELECT 1 FROM words WHERE words MATCH ? LIMIT 1", (words,)).fetchone() is not None

        return sorted(self.database.do(select), key=str.casefold)

    def camera_label(self, camera: str) -> str:
        """What people called the place of this camera when it last took a picture; its key where it never did."""
        query = "SELECT label FROM snapshots WHERE shown AND camera = ? ORDER BY place DESC LIMIT 1"
        found = self.database.do(lambda db: db.execute(query, (camera,)).fetchone())
        return found[0] if found and found[0] else camera

    def camera_keys(self) -> list[str]:
        """Device keys of all cameras in the album, sorted."""
        return sorted(
            (row[0] for row in self.database.do(lambda db: db.execute(CAMERA_KEYS).fetchall())), key=str.casefold
        )
