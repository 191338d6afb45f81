"""The page of a running film: how it is, and the pictures that nobody knows the date of."""

from __future__ import annotations

from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.web import forms
from app.web.album.rendering import Rendering
from app.web.context import WebContext
from app.web.errors import Unprocessable
from app.web.running_films import date_picture, running_film


class RunningFilmPages:
    """The pages of running films."""

    def __init__(self, context: WebContext, rendering: Rendering) -> None:
        self._context = context
        self._rendering = rendering

    def routes(self) -> list[Route]:
        return [
            Route("/running-films/{id}", self.film),
            Route("/running-films/{id}/dates", self.date, methods=["POST"]),
        ]

    async def film(self, request: Request) -> Response:
        return await run_in_threadpool(self._film, request)

    async def date(self, request: Request) -> Response:
        given = await forms.fields(request)
        name = running_film(self._context, request.path_params["id"])
        try:
            taken_at = datetime.fromisoformat(given.get("taken_at", ""))
        except ValueError:
            raise Unprocessable("bad_date", "that is no date and time") from None
        await run_in_threadpool(date_picture, self._context, name, given.get("picture", ""), taken_at)
        return RedirectResponse(self._context.site.path(f"/running-films/{request.path_params['id']}"), 303)

    def _film(self, request: Request) -> Response:
        films = self._context.running_films
        name = running_film(self._context, request.path_params["id"])
        film_id = films.medium_id(name)
        context = {
            "name": name,
            "id": film_id,
            "standing": films.standing(name),
            "made": self._context.films.film(film_id) is not None,
            "undated": films.undated(name),
            "broken": films.broken(name),
        }
        return self._rendering.page(request, "running_film.html", context)
