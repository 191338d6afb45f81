"""Changes of many snapshots at once."""

from __future__ import annotations

from collections.abc import Sequence

from app.journal.entries import Filter
from app.web.access.caller import Caller
from app.web.context import WebContext
from app.web.errors import BadRequest, Conflict

AT_ONCE = 100
"""Snapshots that one step of the journal changes, for which others wait."""

LONGEST_NUMBER = 18
"""Digits of a number that SQLite holds."""


def seen_by(context: WebContext, ids: Sequence[str], caller: Caller) -> list[str]:
    """Those of these ids whose pictures the caller may see, each once."""
    unique = tuple(dict.fromkeys(ids))
    if not caller.cameras:
        return [*unique]
    seen = context.index.page(Filter(ids=unique, cameras=caller.cameras), limit=len(unique))
    return [entry.id for entry in seen]


def of_visits(context: WebContext, visits: Sequence[str], wanted: Filter, *, most: int) -> list[str]:
    """The ids of the pictures of these visits that match, at most `most`. Raises `BadRequest` for what is no number."""
    if not all(visit.isdecimal() and len(visit) <= LONGEST_NUMBER for visit in visits):
        raise BadRequest("bad_field", "visit: must be the number of a visit")
    return context.index.ids_of_visits([int(visit) for visit in visits], wanted, limit=most)


def found(context: WebContext, wanted: Filter, *, count: int) -> list[str]:
    """The ids of what a filter finds. Raises `Conflict` where that are not so many."""
    ids = [entry.id for entry in context.index.page(wanted, limit=count + 1)]
    if len(ids) != count:
        more = f"{len(ids)}" if len(ids) <= count else f"more than {count}"
        raise Conflict("other_count", f"there are {more} pictures now, not {count}; nothing was changed")
    return ids


def change(
    context: WebContext, ids: Sequence[str], *, starred: bool | None = None, reviewed: bool | None = None
) -> list[str]:
    """Star these, or say that somebody has looked at them, or take that back; returns those that there are."""
    there = [entry.id for entry in context.index.page(Filter(ids=tuple(ids)), limit=len(ids))] if ids else []
    for start in range(0, len(there), AT_ONCE):
        some = tuple(there[start : start + AT_ONCE])
        if starred is not None:
            context.index.star(some, starred=starred)
        if reviewed is not None:
            context.index.review(Filter(ids=some), reviewed=reviewed)
    return there
