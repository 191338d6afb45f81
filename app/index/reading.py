"""What the album asks, answered by the shared index."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog

from app.index.database import IndexDatabase
from app.index.query import Query, place_at, query_of, storable
from app.index.rows import READ, entry_of
from app.journal.album import MOST_IN_HEAT
from app.journal.album_order import MILLISECOND, QUARTER_S, QUARTER_SQL
from app.journal.entries import Entry, Filter, HeatCount, PageCursor, Standing
from app.journal.search_query import MOST_COUNTED
from app.journal.visit_folds import REACH, VisitPage, VisitRow, folded
from app.journal.visit_pages import FARTHEST, LATELY, MOST_OF_LABEL

log = structlog.get_logger(__name__)

VISIT = "seq, place, visit, person::int, surest, reviewed::int"
PART = 500
"""Pictures that are read at once where visits are folded out of them, and behind those that are not understood."""

# Each name is looked up behind the one before, so that it takes as many steps as there are names.
LABELS = """
    WITH RECURSIVE found (folded) AS (
        SELECT min(folded) FROM index_labels WHERE folded >= %s
        UNION ALL
        SELECT (SELECT min(folded) FROM index_labels AS l WHERE l.folded > found.folded) FROM found WHERE folded < %s
    )
    SELECT folded, (SELECT name FROM index_labels AS l WHERE l.folded = found.folded ORDER BY place DESC LIMIT 1)
    FROM found WHERE folded < %s LIMIT %s
"""
CAMERAS = """
    WITH RECURSIVE found (key) AS (
        SELECT min(camera) FROM index_events WHERE shown
        UNION ALL
        SELECT (SELECT min(camera) FROM index_events WHERE shown AND camera > found.key) FROM found
        WHERE key IS NOT NULL
    )
    SELECT key FROM found WHERE key IS NOT NULL
"""
SAME_MOMENT = f"""
    WITH event (id) AS (SELECT CASE settled_into WHEN '' THEN id ELSE settled_into END FROM index_events WHERE id = %s),
    near AS (
        SELECT DISTINCT ON (camera) seq FROM index_events
        WHERE shown AND place BETWEEN %s AND %s AND camera != %s ORDER BY camera, abs(place - %s), seq
    ),
    settled AS (
        SELECT seq FROM index_events
        WHERE settled_into != '' AND settled_into IN (SELECT id FROM event) AND id != %s AND NOT gone
        UNION SELECT seq FROM index_events WHERE id IN (SELECT id FROM event) AND id != %s AND NOT gone
    )
    SELECT {READ} FROM index_events WHERE seq IN (SELECT seq FROM near UNION SELECT seq FROM settled)
    ORDER BY abs(place - %s) LIMIT %s
"""
RELATED = """
    SELECT id FROM index_events WHERE settled_into = %s AND settled_into != '' AND NOT gone
    UNION SELECT settled_into FROM index_events WHERE id = %s AND settled_into != ''
"""


class IndexReading:
    """The queries of the album; see `app.index.EventIndex`. All raise `IndexUnavailable`."""

    def __init__(self, database: IndexDatabase) -> None:
        self._database = database

    def page(self, filter: Filter, *, before: PageCursor | None = None, limit: int = 60) -> list[Entry]:
        query = query_of(filter)
        if before is not None:
            query.require("place < %s", before.number)
        return self._found(query, limit=limit)

    def newest_picture(self, camera: str) -> Entry | None:
        query = query_of(Filter(camera=camera))
        query.require("name != ''")
        return next(iter(self._found(query, limit=1)), None)

    def entry(self, snapshot_id: str) -> Entry | None:
        return next(
            iter(self._entries(f"SELECT {READ} FROM index_events WHERE id = %s AND NOT gone", [_id(snapshot_id)])), None
        )

    def around(self, place: PageCursor, filter: Filter, *, reach: int) -> tuple[list[Entry], list[Entry]]:
        newer, older = query_of(filter), query_of(filter)
        newer.require("place > %s", place.number)
        older.require("place < %s", place.number)
        return self._found(newer, newest=False, limit=reach), self._found(older, limit=reach)

    def standing(self, place: PageCursor, filter: Filter, *, most: int = MOST_COUNTED) -> Standing:
        newer = query_of(filter)
        newer.require("place > %s", place.number)
        return Standing(min(self._counted(newer, most), most) + 1, self._counted(query_of(filter), most))

    def count(self, filter: Filter, *, most: int = MOST_COUNTED) -> int:
        return self._counted(query_of(filter), most)

    def same_moment(self, entry: Entry, *, within_s: float = 30, limit: int = 12) -> list[Entry]:
        at, own = entry.place.number, _id(entry.id)
        reach = int(within_s * 1000) * MILLISECOND
        camera = storable(entry.inspection.camera)
        return self._entries(SAME_MOMENT, [own, at - reach, at + reach, camera, at, own, own, at, limit])

    def inspected_after(self, snapshot_id: str, *, limit: int) -> list[Entry]:
        behind = "news > (SELECT news FROM index_events WHERE id = %s) AND shown ORDER BY news LIMIT %s"
        return self._entries(f"SELECT {READ} FROM index_events WHERE {behind}", [_id(snapshot_id), limit])

    def related(self, snapshot_id: str) -> list[str]:
        return [row[0] for row in self._rows(RELATED, [_id(snapshot_id)] * 2)]

    def camera_of(self, snapshot_id: str) -> str | None:
        found = self._rows("SELECT camera FROM index_events WHERE id = %s", [_id(snapshot_id)])
        return str(found[0][0]) if found else None

    def heat(self, since: datetime, until: datetime, filter: Filter = Filter()) -> list[HeatCount]:  # noqa: B008
        cell = f"place / {QUARTER_SQL} AS quarter, person"
        if filter:
            query = query_of(replace(filter, since=since, until=until))
            counted, values = f"{query.select(cell)} LIMIT %s", [*query.values, MOST_IN_HEAT]
        else:
            query = query_of(filter)
            first, last = int(since.timestamp() // QUARTER_S), math.ceil(until.timestamp() / QUARTER_S)
            query.require(f"place >= %s * {QUARTER_SQL} AND place < %s * {QUARTER_SQL}", first, last)
            counted, values = query.select(cell, ""), query.values
        grouped = f"SELECT quarter * 900, count(*), count(*) FILTER (WHERE person) FROM ({counted}) AS found"
        return [HeatCount(*row) for row in self._rows(f"{grouped} GROUP BY quarter ORDER BY quarter", values)]

    def label_names(self, cameras: Collection[str] = ()) -> list[str]:
        found = self._labels("", limit=FARTHEST)
        if cameras:
            seen = "SELECT DISTINCT folded FROM index_labels WHERE folded = ANY(%s) AND camera = ANY(%s)"
            keys = [storable(camera) for camera in cameras]
            known = {row[0] for row in self._rows(seen, [list(found), keys])}
            found = {folded: name for folded, name in found.items() if folded in known}
        return sorted(found.values(), key=str.casefold)

    def labels_like(self, beginning: str, filter: Filter, *, limit: int = 20) -> list[tuple[str, int]]:
        names = self._labels(beginning, limit=limit).values()
        counts = [(name, self._counted(query_of(replace(filter, label=name)), MOST_OF_LABEL)) for name in names]
        return sorted((one for one in counts if one[1]), key=lambda one: (-one[1], one[0].casefold()))

    def camera_keys(self) -> list[str]:
        return sorted((row[0] for row in self._rows(CAMERAS)), key=str.casefold)

    def camera_label(self, camera: str) -> str:
        query = query_of(Filter(camera=camera))
        found = self._rows(f"{query.select('label')} LIMIT 1", query.values)
        return found[0][0] if found and found[0][0] else camera

    def lately(self, filter: Filter, *, limit: int) -> list[str]:
        query = query_of(filter)
        newest = f"SELECT camera FROM ({query.select('camera, place')} LIMIT %s) AS newest"
        found = self._rows(
            f"{newest} GROUP BY camera ORDER BY max(place) DESC LIMIT %s", [*query.values, LATELY, limit]
        )
        return [row[0] for row in found]

    def visits(self, filter: Filter, *, before: PageCursor | None = None, limit: int = 60) -> VisitPage:
        folds, older = folded(_Pictures(self._rows, filter), None if before is None else before.number, limit)
        best = [fold.best.seq for fold in folds]
        found = self._entries(f"SELECT {READ} FROM index_events WHERE seq = ANY(%s)", [best])
        entries = {entry.seq: entry for entry in found}
        last = self._rows("SELECT id FROM index_events WHERE news IS NOT NULL ORDER BY news DESC LIMIT 1")
        # What was forgotten since it was counted is left out, and what is not understood.
        visits = [fold.visit(entries[fold.best.seq]) for fold in folds if fold.best.seq in entries]
        return VisitPage(visits, older, last[0][0] if last else "")

    def ids_of_visits(self, visits: Collection[int], filter: Filter, *, limit: int) -> list[str]:
        query = query_of(filter)
        query.require("visit = ANY(%s)", [*visits])
        return [row[0] for row in self._rows(f"{query.select('id')} LIMIT %s", [*query.values, limit])]

    # -- for those who follow ---------------------------------------------------------------------

    def what_is_new(self) -> tuple[int, bool]:
        """The number of what became an event last, and whether others changed something of this replica's."""
        self._database.ready()
        edited = "EXISTS (SELECT 1 FROM index_edits WHERE owner = %s)"
        ((number, waits, *known),) = self._rows(
            f"SELECT last_news, {edited}, version, identity FROM index_versions", [self._database.owner]
        )
        with self._database.failing_clearly():
            self._database.refuse_another(*known)
        return number, waits

    def news(self, *, after: int, last: int, limit: int) -> list[Entry]:
        """The newest so many of other replicas' pictures that became events with these numbers, oldest first."""
        newest = (
            f"SELECT {READ} FROM index_events WHERE news > %s AND news <= %s AND owner != %s AND shown "
            "ORDER BY news DESC LIMIT %s"
        )
        return self._entries(newest, [after, last, self._database.owner, limit])[::-1]

    def _labels(self, beginning: str, *, limit: int) -> dict[str, str]:
        begin = storable(beginning.casefold())
        end = begin + "\U0010ffff"
        return dict(self._rows(LABELS, [begin, end, end, limit]))

    def _found(self, query: Query, *, newest: bool = True, limit: int) -> list[Entry]:
        """So many, newest or oldest first; fewer only where there are no more, whatever of them is not understood."""
        order, beyond = ("ORDER BY place DESC", "place < %s") if newest else ("ORDER BY place", "place > %s")
        found, asked = list[Entry](), limit
        while True:
            rows = self._rows(f"{query.select(f'{READ}, place', order)} LIMIT %s", [*query.values, asked])
            found += self._read([row[:-1] for row in rows])
            if len(found) >= limit or len(rows) < asked:
                return found[:limit]
            query.require(beyond, rows[-1][-1])
            asked = PART

    def _counted(self, query: Query, most: int) -> int:
        found = f"SELECT count(*) FROM ({query.select('1', '')} LIMIT %s) AS found"
        return int(self._rows(found, [*query.values, most + 1])[0][0])

    def _entries(self, statement: str, values: Sequence[object]) -> list[Entry]:
        return self._read(self._rows(statement, values))

    def _read(self, rows: Sequence[Sequence[Any]]) -> list[Entry]:
        owners = self._database.owners
        if any(row[1] not in owners and row[1] != self._database.owner for row in rows):
            self._database.learn_owners()  # one has come since
        found = []
        for row in rows:
            try:
                found.append(entry_of(row, self._database.owners))
            except Exception as error:  # noqa: BLE001 - others wrote it, of whatever release: it harms itself only
                log.warning("event of the shared index not understood", seq=row[0], reason=type(error).__name__)
        return found

    def _rows(self, statement: str, values: Sequence[object] | None = None) -> list[tuple[Any, ...]]:
        return self._database.read(statement, values)


class _Pictures:
    """Those that match a filter, in the index."""

    def __init__(self, rows: Any, filter: Filter) -> None:
        self._rows = rows
        self._filter = filter

    def below(self, place: int | None) -> Iterable[VisitRow]:
        while True:
            query = query_of(self._filter)
            if place is not None:
                query.require("place < %s", place)
            rows = self._rows(f"{query.select(VISIT)} LIMIT %s", [*query.values, PART])
            yield from map(VisitRow._make, rows)
            if len(rows) < PART:
                return
            place = rows[-1][1]

    def visits_above(self, place: int) -> set[int]:
        query = query_of(self._filter)
        query.require("place >= %s AND place < %s", place, place + REACH)
        return {row[0] for row in self._rows(query.select("visit", ""), query.values)}

    def is_above(self, visit: int, place: int) -> bool:
        last = place_at(self._filter.until) - 1 if self._filter.until else FARTHEST
        query = "SELECT 1 FROM index_events WHERE shown AND visit = %s AND place BETWEEN %s AND %s LIMIT 1"
        return bool(self._rows(query, [visit, place, last]))

    def failures_below(self, visit: int, place: int) -> Iterable[VisitRow]:
        first = place_at(self._filter.since) if self._filter.since else -FARTHEST
        of_visit = "FROM index_events WHERE shown AND visit = %s AND place >= %s AND place < %s ORDER BY place DESC"
        return map(VisitRow._make, self._rows(f"SELECT {VISIT} {of_visit}", [visit, first, place]))


def _id(snapshot_id: str) -> str:
    return storable(snapshot_id)
