"""The journal's queries for the album."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

from app.journal.album_order import MILLISECOND, QUARTER_S
from app.journal.base import JournalPart
from app.journal.entries import Entry, Filter, HeatCount, PageCursor
from app.journal.entry_reader import STANDING, Read, read
from app.journal.paths import path_functions
from app.journal.search_query import selection
from app.journal.sql import AMONG, listed
from app.messages import Inspection
from pylib import sqlite

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

    def last_inspections(self, camera: str, *, limit: int) -> list[Inspection]:
        """The camera's last so many inspections, oldest first."""
        return [entry.inspection for entry in reversed(self.page(Filter(camera=camera), limit=limit))]

    def entry(self, snapshot_id: str) -> Entry | None:
        """An entry that was inspected and not deleted, also one that was grouped into another event."""
        return self.database.do(lambda db: read(db, f"id = ? AND {STANDING}", (snapshot_id,))).first()

    def neighbours(self, place: PageCursor, filter: Filter) -> tuple[Entry | None, Entry | None]:
        """The next newer and the next older matching entry."""

        def select(db: sqlite3.Connection) -> tuple[Read, Read]:
            return beside(db, ">", "ASC"), beside(db, "<", "DESC")

        def beside(db: sqlite3.Connection, side: str, order: str) -> Read:
            chosen = selection(filter)
            chosen.require(f"{chosen.place} {side} ?", place.number)
            return read(db, f"seq IN ({chosen.query(order)})", (*chosen.values, 1))

        newer, older = self.database.do(select)
        return newer.first(), older.first()

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

    def heat(self, since: datetime, until: datetime) -> list[HeatCount]:
        """The quarters of an hour that have entries, from that of `since` to before `until`."""
        query = (
            "SELECT quarter * 900, snapshots, persons FROM heat "
            "WHERE quarter >= ? AND quarter < ? AND snapshots > 0 ORDER BY quarter"
        )
        values = (since.timestamp() // QUARTER_S, until.timestamp() / QUARTER_S)
        return [HeatCount(*row) for row in self.database.do(lambda db: db.execute(query, values).fetchall())]

    def label_names(self) -> list[str]:
        """All labels in the album, sorted."""
        return sorted(
            (row[0] for row in self.database.do(lambda db: db.execute(LABEL_NAMES).fetchall())), key=str.casefold
        )

    def camera_keys(self) -> list[str]:
        """Device keys of all cameras in the album, sorted."""
        return sorted(
            (row[0] for row in self.database.do(lambda db: db.execute(CAMERA_KEYS).fetchall())), key=str.casefold
        )
