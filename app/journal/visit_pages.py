"""The journal's queries for visits: pages of them, how many pictures a filter finds, and what was reviewed."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from app.journal.base import JournalPart
from app.journal.entries import Filter, PageCursor
from app.journal.entry_reader import Read, read
from app.journal.search_index import reindex, unindex
from app.journal.search_query import MOST_COUNTED, counted, selection
from app.journal.sql import AMONG, listed
from app.journal.visit_folds import REACH, VisitFold, VisitPage, VisitRow, folded

MOST_OF_LABEL = 1_000
"""The same for each of several labels."""
MOST_AT_ONCE = 1_000
"""Pictures that are reviewed in one step."""
FARTHEST = 2**63 - 1
COLUMNS = "seq, {}, visit, person, surest, reviewed"
OF_VISIT = "snapshots INDEXED BY snapshots_visits WHERE shown AND visit = ?"
SPAN_OF_VISITS = f"""
    SELECT min(place), max(place) FROM snapshots INDEXED BY snapshots_visits WHERE shown AND visit {AMONG}
"""
LATELY = 500
"""Of so many newest entries come the cameras that saw something lately."""

# Each name is looked up behind the one before, so that it takes as many steps as there are names.
LAST_EVENT = "SELECT id FROM snapshots WHERE event_number IS NOT NULL ORDER BY event_number DESC LIMIT 1"
LABELS_FROM = """
    WITH RECURSIVE found (folded) AS (
        SELECT min(folded) FROM tags WHERE folded >= :begin
        UNION ALL
        SELECT (SELECT min(folded) FROM tags WHERE folded > found.folded) FROM found WHERE folded < :end LIMIT :limit
    )
    SELECT (SELECT name FROM tags WHERE folded = found.folded ORDER BY place DESC LIMIT 1) FROM found
    WHERE folded < :end
"""


class VisitsPart(JournalPart):
    """Visits, and what has to do with how many there are."""

    def visits(self, filter: Filter, *, before: PageCursor | None = None, limit: int = 60) -> VisitPage:
        """The newest visits with matching pictures whose newest one stands before that place."""

        def select(db: sqlite3.Connection) -> tuple[list[VisitFold], PageCursor | None, Read, list[tuple[str]]]:
            folds, older = folded(_Pictures(db, filter), None if before is None else before.number, limit)
            found = read(db, f"seq {AMONG}", (listed(fold.best.seq for fold in folds),))
            return folds, older, found, db.execute(LAST_EVENT).fetchall()

        folds, older, found, last = self.database.do(select)
        entries = {entry.seq: entry for entry in found.entries()}
        return VisitPage([fold.visit(entries[fold.best.seq]) for fold in folds], older, last[0][0] if last else "")

    def ids_of_visits(self, visits: Collection[int], filter: Filter, *, limit: int) -> list[str]:
        """The ids of the entries of these visits that match, newest first."""

        def select(db: sqlite3.Connection) -> list[str]:
            first, last = db.execute(SPAN_OF_VISITS, (listed(visits),)).fetchone()
            chosen = selection(filter)
            # Without it, all that matches would be looked through.
            chosen.require(f"{chosen.place} BETWEEN ? AND ?", first, last)
            chosen.require(f"visit {AMONG}", listed(visits))
            return [row[0] for row in db.execute(chosen.select("id", "DESC") + " LIMIT ?", (*chosen.values, limit))]

        return self.database.do(select)

    def count(self, filter: Filter, *, most: int = MOST_COUNTED) -> int:
        """How many entries match; `most` + 1 where it is more than that."""
        return self.database.do(lambda db: _count(db, filter, most))

    def review(self, filter: Filter, *, reviewed: bool) -> int:
        """Say of all entries that match, `MOST_AT_ONCE` at most, whether somebody has looked at them.

        Returns how many match.
        """

        def update(db: sqlite3.Connection) -> int:
            chosen = selection(filter)
            seqs = [row[0] for row in db.execute(chosen.query("DESC"), (*chosen.values, MOST_AT_ONCE)).fetchall()]
            query = f"SELECT seq FROM snapshots WHERE seq {AMONG} AND reviewed != ?"
            changed = [row[0] for row in db.execute(query, (listed(seqs), reviewed)).fetchall()]
            unindex(db, changed)
            db.execute(f"UPDATE snapshots SET reviewed = ? WHERE seq {AMONG}", (reviewed, listed(changed)))
            reindex(db, changed)
            return len(seqs)

        return self.database.do(update)

    def labels_like(self, beginning: str, filter: Filter, *, limit: int = 20) -> list[tuple[str, int]]:
        """Labels that begin so, the most frequent first, each with how many matching entries have it.

        Counts end at `MOST_OF_LABEL` + 1; labels without a matching entry are left out.
        """
        begin = beginning.casefold()
        values = {"begin": begin, "end": begin + "\U0010ffff", "limit": limit}

        def select(db: sqlite3.Connection) -> list[tuple[str, int]]:
            names = [row[0] for row in db.execute(LABELS_FROM, values).fetchall()]
            return [(name, _count(db, replace(filter, label=name), MOST_OF_LABEL)) for name in names]

        return sorted((one for one in self.database.do(select) if one[1]), key=lambda one: (-one[1], one[0].casefold()))

    def lately(self, filter: Filter, *, limit: int) -> list[str]:
        """Device keys of cameras that saw something matching lately, the last one first."""
        chosen = selection(filter)
        newest = chosen.select("snapshots.camera AS camera, snapshots.place AS at", "DESC") + " LIMIT ?"
        query = f"SELECT camera FROM ({newest}) GROUP BY camera ORDER BY max(at) DESC LIMIT ?"
        values = (*chosen.values, LATELY, limit)
        return self.database.do(lambda db: [row[0] for row in db.execute(query, values)])


class _Pictures:
    """Those that match a filter, in the journal."""

    def __init__(self, db: sqlite3.Connection, filter: Filter) -> None:
        self._db = db
        self._filter = filter

    def below(self, place: int | None) -> Iterable[VisitRow]:
        chosen = selection(self._filter)
        if place is not None:
            chosen.require(f"{chosen.place} < ?", place)
        return self._rows(chosen.select(COLUMNS.format(chosen.place), "DESC"), chosen.values)

    def visits_above(self, place: int) -> set[int]:
        chosen = selection(self._filter)
        chosen.require(f"{chosen.place} >= ? AND {chosen.place} < ?", place, place + REACH)
        return {row[0] for row in self._db.execute(chosen.select("visit", "DESC"), chosen.values)}

    def is_above(self, visit: int, place: int) -> bool:
        until = self._filter.until
        last = PageCursor(until.timestamp(), 0).number - 1 if until else FARTHEST
        query = f"SELECT 1 FROM {OF_VISIT} AND place BETWEEN ? AND ? LIMIT 1"
        return self._db.execute(query, (visit, place, last)).fetchone() is not None

    def failures_below(self, visit: int, place: int) -> Iterable[VisitRow]:
        since = self._filter.since
        first = PageCursor(since.timestamp(), 0).number if since else -FARTHEST
        query = f"SELECT {COLUMNS.format('place')} FROM {OF_VISIT} AND place >= ? AND place < ? ORDER BY place DESC"
        return self._rows(query, (visit, first, place))

    def _rows(self, query: str, values: Sequence[object]) -> Iterable[VisitRow]:
        return (VisitRow._make(row) for row in self._db.execute(query, values))


def _count(db: sqlite3.Connection, filter: Filter, most: int) -> int:
    return counted(db, selection(filter), most)
