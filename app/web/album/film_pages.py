"""Films in the album: the list, the player, and ordering one of what a search shows."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.films.maker import Chapter
from app.films.recipe import Recipe
from app.films.shelf import Order
from app.journal import Job, Medium
from app.web import forms
from app.web.access.caller import caller_of
from app.web.album.languages import counted, number
from app.web.album.page_query import FILTERS, read
from app.web.album.rendering import Rendering
from app.web.album.view import Moment, Viewer
from app.web.context import WebContext
from app.web.films import film_named, is_ordered_for, order, remove, wanted_of


@dataclass(frozen=True, slots=True)
class FilmTile:
    """A film as the list shows it."""

    id: str
    name: str
    when: Moment
    facts: str
    """`2:05, 1500 pictures, 12.3 MB`"""
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class ChapterLink:
    """A day of a film."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class OrderedFilm:
    """A film that is being made, or could not be made."""

    name: str
    percent: int
    failed: bool
    problem: str


class FilmPages:
    """The pages of films."""

    def __init__(self, context: WebContext, rendering: Rendering, view: Viewer) -> None:
        self._context = context
        self._rendering = rendering
        self._view = view

    def routes(self) -> list[Route]:
        return [
            Route("/films", self.films),
            Route("/films", self.order, methods=["POST"]),
            Route("/films/{id}", self.film),
            Route("/films/{id}/delete", self.delete, methods=["POST"]),
        ]

    async def films(self, request: Request) -> Response:
        return await run_in_threadpool(self._films, request)

    async def film(self, request: Request) -> Response:
        return await run_in_threadpool(self._film, request)

    async def order(self, request: Request) -> Response:
        """Order a film of what a page of the album shows; its form holds that page's query."""
        given = await forms.fields(request)
        asked = {name: text for name, text in given.items() if name in FILTERS}
        query = await read(asked, self._context, caller_of(request))
        await run_in_threadpool(order, self._context, "", wanted_of(Recipe(), query.filter))
        return self._to_films()

    async def delete(self, request: Request) -> Response:
        await run_in_threadpool(remove, self._context, request.path_params["id"])
        return self._to_films()

    def _films(self, request: Request) -> Response:
        films, running = self._context.films, self._context.running_films
        caller = caller_of(request)
        tiles = [self._tile(film) for film in films.films() if not caller.cameras or film.camera in caller.cameras]
        ordered = [_ordered(job, order) for job, order in films.ordered() if is_ordered_for(order.wanted, caller)]
        names = () if caller.cameras else running.names
        growing = [(name, running.medium_id(name), running.standing(name)) for name in names]
        page = self._rendering.page(request, "films.html", {"tiles": tiles, "ordered": ordered, "running": growing})
        if not all(each.failed for each in ordered):
            page.headers["Refresh"] = "5"
        return page

    def _film(self, request: Request) -> Response:
        film = film_named(self._context, request.path_params["id"])
        about = self._context.films.description(film)
        address = self._context.site.path(f"/films/{film.id}")
        context = {
            "film": self._tile(film),
            "chapters": [self._chapter(chapter, address) for chapter in about.chapters],
            "notes": about.notes,
            "at": _seconds(request.query_params.get("t", "")),
        }
        return self._rendering.page(request, "film.html", context)

    def _tile(self, film: Medium) -> FilmTile:
        minutes, seconds = divmod(round(film.duration_s), 60)
        size = f"{number(film.size / 1e6, 1)} MB" if film.size >= 100_000 else f"{film.size / 1e3:.0f} kB"
        pictures = counted(film.frames, "picture", "pictures")
        when = self._view.moment(film.taken_at)
        return FilmTile(
            film.id, film.name, when, f"{minutes}:{seconds:02}, {pictures}, {size}", film.width, film.height
        )

    def _chapter(self, chapter: Chapter, address: str) -> ChapterLink:
        return ChapterLink(chapter.day, f"{address}?t={chapter.start_s:.3f}")

    def _to_films(self) -> Response:
        return RedirectResponse(self._context.site.path("/films"), 303)


def _ordered(job: Job, wanted: Order) -> OrderedFilm:
    failed = job.state == "failed"
    return OrderedFilm(wanted.name, round(job.progress * 100), failed, job.problem.partition(": ")[2])


def _seconds(text: str) -> str:
    """A place in a film, as an address says it; empty for its start."""
    try:
        seconds = float(text)
    except ValueError:
        return ""
    return f"{seconds:.3f}" if 0 < seconds < 1e6 else ""
