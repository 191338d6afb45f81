"""Turns a filter into the condition of a query of the index: what `Filter.matches` says, as SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from app.journal.album_order import MILLISECOND
from app.journal.entries import Filter, PageCursor, words

LONGEST_WORD = 500
"""Characters of a word that are looked at: PostgreSQL takes no word of more than 2,046 bytes."""


@dataclass(slots=True)
class Query:
    """Conditions on rows of `index_events`, and the values for those."""

    conditions: list[str] = field(default_factory=lambda: ["shown"])
    values: list[object] = field(default_factory=list)

    def require(self, condition: str, *values: object) -> None:
        self.conditions.append(condition)
        self.values += values

    def select(self, columns: str, order: str = "ORDER BY place DESC") -> str:
        """Selects these columns of all that is found."""
        return f"SELECT {columns} FROM index_events WHERE {' AND '.join(self.conditions)} {order}"


def query_of(wanted: Filter) -> Query:
    """The query for the events that match this filter."""
    query = Query()
    flags = {"person": wanted.person, "starred": wanted.starred, "problem": wanted.problem, "reviewed": wanted.reviewed}
    for name, flag in flags.items():
        if flag is not None:
            query.require(name if flag else f"NOT {name}")
    if wanted.camera:
        query.require("camera = %s", storable(wanted.camera))
    if wanted.cameras:
        query.require("camera = ANY(%s)", [storable(one) for one in sorted(wanted.cameras)])
    if wanted.ids:
        query.require("id = ANY(%s)", [storable(one) for one in wanted.ids])
    if wanted.visit:
        query.require("visit = %s", wanted.visit)
    if typed := words(" ".join(wanted.words)):
        query.require("words @@ %s::tsquery", " & ".join(f"'{word[:LONGEST_WORD]}':*" for word in typed))
    _require_label(query, wanted)
    _require_time(query, wanted)
    return query


def storable(text: str) -> str:
    """A text as PostgreSQL takes it, which knows no NUL and no half of a surrogate pair."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def _require_label(query: Query, wanted: Filter) -> None:
    if wanted.label:
        labelled = "seq = index_events.seq AND folded = %s AND confidence >= %s"
        name = storable(wanted.label.casefold())
        query.require(f"EXISTS (SELECT 1 FROM index_labels AS l WHERE l.{labelled})", name, wanted.min_confidence)
    elif wanted.min_confidence > 0:
        query.require("surest >= %s", wanted.min_confidence)


def _require_time(query: Query, wanted: Filter) -> None:
    if wanted.since is not None:
        query.require("place >= %s AND taken_at >= %s", place_at(wanted.since), wanted.since.timestamp())
    if wanted.until is not None:
        latest = place_at(wanted.until) + MILLISECOND
        query.require("place < %s AND taken_at < %s", latest, wanted.until.timestamp())
    if wanted.hours is not None:
        seconds, hours = wanted.hours.local_seconds, list(wanted.hours.hours)
        query.require(f"mod(floor(({seconds}) / 3600)::bigint, 24) = ANY(%s)", hours)


def place_at(moment: datetime) -> int:
    """The first place of this moment."""
    return PageCursor(moment.timestamp(), 0).number
