"""Running films, as the API and the album ask for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.web.api.param_types import at_home
from app.web.context import WebContext
from app.web.errors import NotFound, Unprocessable


def running_film(context: WebContext, text: str) -> str:
    """The name of the running film that has this name or id. Raises `NotFound`."""
    films = context.running_films
    for name in films.names:
        if text in (name, films.medium_id(name)):
            return name
    raise NotFound("unknown_film", "there is no such running film")


def date_picture(context: WebContext, film: str, picture: str, taken_at: datetime) -> None:
    """Record when a picture was taken; without a zone it is at home. Raises `NotFound`, `Unprocessable`."""
    moment = at_home(taken_at, context.zone)
    if moment > datetime.now(UTC) + timedelta(days=1):
        raise Unprocessable("in_the_future", "that lies in the future")
    if not context.running_films.date(film, picture, moment):
        raise NotFound("unknown_picture", "there is no such picture without a date")
