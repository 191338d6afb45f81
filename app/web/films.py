"""Films, as the API and the album order and show them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, tzinfo

from app.films.recipe import Recipe
from app.films.selection import Wanted
from app.journal import Medium
from app.journal.entries import Filter
from app.web.access.caller import Caller
from app.web.context import WebContext
from app.web.errors import NotFound, Unprocessable
from pylib.errors import Permanent
from pylib.sqlite import DatabaseUnusable


def order(context: WebContext, name: str, wanted: Wanted) -> str:
    """Have it made, and return its id. Raises `Unprocessable` where it cannot be."""
    try:
        return context.films.order(name or name_of(wanted, context), wanted)
    except DatabaseUnusable:
        raise
    except Permanent as error:
        raise Unprocessable(error.code, error.detail) from None


def wanted_of(recipe: Recipe, search: Filter) -> Wanted:
    """These pictures up to now: those that come while it is made are not in it."""
    until = min(search.until or datetime.max.replace(tzinfo=UTC), datetime.now(UTC))
    return Wanted(recipe, replace(search, until=until))


def name_of(wanted: Wanted, context: WebContext) -> str:
    """A name for people: the cameras, and the days."""
    cameras = wanted.recipe.cameras or ((wanted.search.camera,) if wanted.search.camera else ())
    labels = [context.cameras[key].label if key in context.cameras else key for key in cameras]
    where = ", ".join(labels[:3]) or "All cameras"
    first, last = (_day(moment, context.zone) for moment in (wanted.search.since, wanted.search.until))
    span = " to ".join(dict.fromkeys(day for day in (first, last) if day)) if first else f"until {last}"
    return f"{where}, {span}"[:60]


def film_named(context: WebContext, film_id: str) -> Medium:
    """The film of this id. Raises `NotFound`."""
    film = context.films.film(film_id)
    if film is None:
        raise NotFound("unknown_film", "there is no such film, or it was deleted")
    return film


def film_is_seen_by(context: WebContext, film_id: str, caller: Caller) -> bool:
    """Whether the caller may see this film, made or ordered: of several cameras only who may see all."""
    if not caller.cameras:
        return True
    if (film := context.films.film(film_id)) is not None:
        return film.camera in caller.cameras
    ordered = context.films.order_of(film_id)
    return ordered is not None and is_ordered_for(ordered[1].wanted, caller)


def is_ordered_for(wanted: Wanted, caller: Caller) -> bool:
    """Whether the caller may see all of the pictures that are wanted."""
    cameras = set(wanted.recipe.cameras) or {wanted.search.camera}
    return not caller.cameras or cameras <= caller.cameras


def remove(context: WebContext, film_id: str) -> None:
    """Delete it. Raises `NotFound`."""
    film_named(context, film_id)
    context.films.remove(film_id)


def _day(moment: datetime | None, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d}" if moment else ""
