"""The album's pages for viewing: grid, viewer, cameras, status, and the stream of new cards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.journal.entries import Filter
from app.media.animation import possible_formats
from app.messages import Snapshot
from app.web.access.caller import caller_of
from app.web.album import languages, texts
from app.web.album.actions import Actions
from app.web.album.audit_pages import AuditPages
from app.web.album.camera_pages import CameraPages
from app.web.album.camera_view_pages import CameraViewPages
from app.web.album.deletion_pages import DeletionPages
from app.web.album.export_pages import ExportPages
from app.web.album.film_pages import FilmPages
from app.web.album.grid_pages import GridPages
from app.web.album.languages import tr
from app.web.album.page_query import PageQuery, read
from app.web.album.people_pages import PeoplePages
from app.web.album.rejected_pages import RejectedPages
from app.web.album.rendering import rendering
from app.web.album.rule_pages import RulePages
from app.web.album.running_film_pages import RunningFilmPages
from app.web.album.selecting import Selecting
from app.web.album.snapshot_view import details, detection_view, frame_views, tellings, video_view
from app.web.album.snoozing import Snoozing
from app.web.album.status_pages import StatusPages
from app.web.album.switches import Switch
from app.web.album.theme import COOKIE as THEME
from app.web.album.theme import THEMES
from app.web.album.undo import Undo, undo_of
from app.web.album.view import Viewer
from app.web.album.when_pages import WhenPages
from app.web.context import WebContext
from app.web.errors import NotFound, WrongField

REACH = 6
"""Neighbours on each side in the strip of a picture's page."""

_TITLES = {
    400: "That was not understood",
    403: "Not allowed",
    404: "Not here",
    405: "That did not work",
    413: "Too large",
    429: "Too many tries",
    500: "Something went wrong",
    503: "Not now",
}


class Pages:
    """The album, over the parts of the service that it may use."""

    def __init__(self, context: WebContext) -> None:
        self.rendering = rendering(prefix=context.site.prefix, version=context.version)
        self._context = context
        self._view = Viewer(path=context.site.path, zone=context.zone, now=lambda: datetime.now(UTC))
        self._anything = PageQuery({}, Filter(), context.zone, context.site.path("/"))
        self._status = StatusPages(context, self.rendering, self._view)
        self._actions = Actions(context, self.rendering, self._view)
        self._grid = GridPages(context, self.rendering, self._view, self._actions)
        self._when = WhenPages(context, self.rendering, self._view)
        self._snoozing = Snoozing(context, self.rendering, self._view)
        self._films = FilmPages(context, self.rendering, self._view)
        self._running_films = RunningFilmPages(context, self.rendering)
        self._camera_settings = CameraPages(context, self.rendering)
        self._cameras = CameraViewPages(
            context, self.rendering, self._view, self._snoozing, self._camera_settings.address, self._anything
        )
        self._rejected = RejectedPages(context, self.rendering, self._view)
        self._rules = RulePages(context, self.rendering, self._view, self._snoozing)
        self._people = PeoplePages(context, self.rendering, self._view)
        self._audit = AuditPages(context, self.rendering, self._view)

    def routes(self) -> list[Route]:
        return [
            *self._grid.routes(),
            *self._when.routes(),
            Route("/snapshots/{id}", self.snapshot),
            Route("/manifest.webmanifest", self.manifest),
            Route("/favicon.ico", self.favicon),
            Route("/service-worker.js", self.service_worker),
            Route("/static/{version}/{name:path}", self.rendering.assets.serve),
            *self._status.routes(),
            *self._actions.routes(),
            *Switch(self._context.site, THEME, THEMES).routes(),
            *Switch(self._context.site, languages.COOKIE, languages.NAMES).routes(),
            *self._rejected.routes(),
            *self._cameras.routes(),
            *self._snoozing.routes(),
            *self._rules.routes(),
            *self._films.routes(),
            *self._running_films.routes(),
            *self._camera_settings.routes(),
            *self._people.routes(),
            *self._audit.routes(),
            *Undo(self._context).routes(),
            *Selecting(self._context).routes(),
            *DeletionPages(self._context, self.rendering).routes(),
            *ExportPages(self._context, self.rendering).routes(),
        ]

    async def snapshot(self, request: Request) -> Response:
        query = await read(request.query_params, self._context, caller_of(request))
        return await run_in_threadpool(self._snapshot, request, query)

    async def error(
        self, request: Request, status_code: int, sentence: str, fields: Sequence[WrongField] = ()
    ) -> Response:
        """The error page for people; `sentence` may begin with a code."""
        code, colon, detail = sentence.partition(": ")
        if fields:
            colon, detail = "", texts.wrong_fields(fields)
            sentence = detail
        context = {"status": status_code, "title": tr(_TITLES.get(status_code, "That did not work"))}
        context["sentence"] = texts.sentence(tr(detail if colon and " " not in code else sentence))
        return self.rendering.page(request, "error.html", context, status_code=status_code)

    async def manifest(self, _: Request) -> Response:
        text = self.rendering.text("manifest.webmanifest")
        return Response(text, headers={"Cache-Control": "no-cache"}, media_type="application/manifest+json")

    async def service_worker(self, request: Request) -> Response:
        """What shows messages; its address says which pages are its own."""
        return self.rendering.assets.response(request, "service-worker.js", caching="no-cache")

    async def favicon(self, request: Request) -> Response:
        return self.rendering.assets.response(request, "icons/icon.svg", caching="public, max-age=86400")

    def _snapshot(self, request: Request, query: PageQuery) -> Response:
        journal, index = self._context.journal, self._context.index
        entry = index.entry(request.path_params["id"])
        if entry is None and isinstance(journal.find(request.path_params["id"]), Snapshot):
            return self._in_a_moment(request)
        entry = entry or index.entry(request.path_params["id"])  # it may have been looked at in between
        if entry is None:
            raise NotFound("unknown_snapshot", "There is no such picture, or it was deleted.")
        newer, older = index.around(entry.place, query.filter, reach=REACH)
        names = {archive.name: archive.url() for archive in self._context.archives}
        context = {
            "query": query,
            "card": self._view.card(entry, query),
            "entry": entry,
            "detection_view": detection_view(entry, self._view, query),
            "tellings": tellings(entry, self._context.outlets, journal.delivery_states(entry.id)),
            "details": details(entry, self._view, names, journal.timeline(entry.id)),
            "newer": self._view.cards(newer, query),
            "older": self._view.cards(older, query),
            "standing": texts.standing(*index.standing(entry.place, query.filter)),
            "undo": undo_of(request, self._context),
            "frames": frame_views(journal.media_of(entry.id, kind="frame"), self._view, self._context.site),
            "moment": self._view.cards(
                [other for other in index.same_moment(entry) if query.filter.sees(other)], self._anything
            ),
            "video": video_view(entry),
            "boxes": request.query_params.get("boxes") == "1",
            "can_look_again": bool(self._context.look_again.names),
            "animation_formats": possible_formats(),
            "away": self._context.away(),
        }
        return self.rendering.page(request, "snapshot.html", context)

    def _in_a_moment(self, request: Request) -> Response:
        """A picture that is not inspected yet; the browser asks again by itself."""
        context = {"title": tr("In a moment"), "status": "…", "sentence": tr("The picture is being looked at.")}
        page = self.rendering.page(request, "error.html", context, status_code=202)
        page.headers["Refresh"] = "1"
        return page
