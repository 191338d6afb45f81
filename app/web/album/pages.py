"""The album's pages for viewing: grid, viewer, cameras, status, and the stream of new cards."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.journal.entries import Entry, Filter, PageCursor
from app.media.animation import possible_formats
from app.messages import Snapshot
from app.naming import slug
from app.web.album import status, texts
from app.web.album.actions import Actions
from app.web.album.heat import heat_map, span
from app.web.album.page_query import MAP, PageQuery, read
from app.web.album.rendering import is_part, rendering
from app.web.album.rule_pages import RulePages
from app.web.album.snapshot_view import details, detection_view, frame_views, tellings
from app.web.album.snoozing import Snoozing
from app.web.album.status import JobRow, job_row
from app.web.album.view import Viewer, camera_labels
from app.web.api import request_models, validation
from app.web.api.bans import bans_of
from app.web.api.filters import place_of
from app.web.api.param_types import cursor
from app.web.context import WebContext
from app.web.errors import BadRequest, NotFound
from app.web.rules import zones_of

PAGE = 60
"""Cards that are loaded at once."""

LATEST = 12
"""Cards on a camera's page."""

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
        self._standings = status.ArchiveStatsCache(context.journal, context.archives)
        self._actions = Actions(context, self.rendering)
        self._snoozing = Snoozing(context, self.rendering, self._view)
        self._rules = RulePages(context, self.rendering, self._view, self._snoozing)
        self._anything = PageQuery({}, Filter(), context.zone, context.site.path("/"))

    def routes(self) -> list[Route]:
        return [
            Route("/", self.grid),
            Route("/live", self.live),
            Route("/snapshots/{id}", self.snapshot),
            Route("/cameras", self.cameras),
            Route("/cameras/{name}", self.camera),
            Route("/status", self.status),
            Route("/manifest.webmanifest", self.manifest),
            Route("/favicon.ico", self.favicon),
            Route("/service-worker.js", self.service_worker),
            Route("/static/{version}/{name:path}", self.rendering.assets.serve),
            *self._actions.routes(),
            *self._snoozing.routes(),
            *self._rules.routes(),
        ]

    async def grid(self, request: Request) -> Response:
        query = await read(request.query_params, self._context)
        return await run_in_threadpool(self._grid, request, query)

    async def live(self, request: Request) -> Response:
        """New entries as cards, for open pages; the reader's page adds its own query to their links."""
        query = await read(request.query_params, self._context)
        return self._context.broadcast.stream(request, filter=query.filter, render=self._live_card, event="card")

    async def snapshot(self, request: Request) -> Response:
        query = await read(request.query_params, self._context)
        return await run_in_threadpool(self._snapshot, request, query)

    async def cameras(self, request: Request) -> Response:
        return await run_in_threadpool(self._cameras, request)

    async def camera(self, request: Request) -> Response:
        query = await read({"camera": request.path_params["name"]}, self._context)
        return await run_in_threadpool(self._camera, request, query)

    async def status(self, request: Request) -> Response:
        return await run_in_threadpool(self._status, request)

    async def error(self, request: Request, status_code: int, sentence: str) -> Response:
        """The error page for people; `sentence` may begin with a code."""
        code, colon, detail = sentence.partition(": ")
        context = {"status": status_code, "title": _TITLES.get(status_code, "That did not work")}
        context["sentence"] = _capitalised(detail if colon and " " not in code else sentence)
        return self.rendering.page(request, "error.html", context, status_code=status_code)

    async def manifest(self, _: Request) -> Response:
        text = self.rendering.text("manifest.webmanifest")
        return Response(text, headers={"Cache-Control": "no-cache"}, media_type="application/manifest+json")

    async def service_worker(self, request: Request) -> Response:
        """What shows messages; its address says which pages are its own."""
        return self.rendering.assets.response(request, "service-worker.js", caching="no-cache")

    async def favicon(self, request: Request) -> Response:
        return self.rendering.assets.response(request, "icons/icon.svg", caching="public, max-age=86400")

    def _grid(self, request: Request, query: PageQuery) -> Response:
        journal = self._context.journal
        before = self._before(request)
        entries = journal.page(query.filter, before=before, limit=PAGE + 1)
        shown = entries[:PAGE]
        context: dict[str, Any] = {
            "query": query,
            "cards": self._view.cards(shown, query),
            "older": query.address(before=cursor(shown[-1].place)) if len(entries) > PAGE else "",
            # Cards that are appended to those of their day need no second heading.
            "day": self._day(before.taken_at) if before and is_part(request) else "",
        }
        if is_part(request):
            return self.rendering.page(request, "_cards.html", context)
        labels = camera_labels(self._context.cameras, journal.camera_keys())
        context |= {
            "cameras": labels,
            "configured": self._faces(),
            "names": journal.label_names(),
            "active_filters": query.active_filters(labels),
            "heat": self._heat(query),
            "is_first": before is None,
            "upload": self._actions.upload_form(),
        }
        return self.rendering.page(request, "grid.html", context)

    def _snapshot(self, request: Request, query: PageQuery) -> Response:
        journal = self._context.journal
        entry = journal.entry(request.path_params["id"])
        if entry is None and isinstance(journal.find(request.path_params["id"]), Snapshot):
            return self._in_a_moment(request)
        if entry is None:
            raise NotFound("unknown_snapshot", "There is no such picture, or it was deleted.")
        newer, older = journal.neighbours(entry.place, query.filter)
        names = {archive.name: archive.url() for archive in self._context.archives}
        context = {
            "query": query,
            "card": self._view.card(entry, query),
            "entry": entry,
            "detection_view": detection_view(entry, self._view, query),
            "tellings": tellings(entry, self._context.outlets, journal.delivery_states(entry.id)),
            "details": details(entry, self._view, names),
            "newer": self._view.card(newer, query) if newer else None,
            "older": self._view.card(older, query) if older else None,
            "frames": frame_views(journal.media_of(entry.id, kind="frame"), self._view, self._context.site),
            "moment": self._view.cards(journal.same_moment(entry), self._anything),
            "boxes": request.query_params.get("boxes") == "1",
            "animation_formats": possible_formats(),
            "names": journal.label_names(),
        }
        return self.rendering.page(request, "snapshot.html", context)

    def _in_a_moment(self, request: Request) -> Response:
        """A picture that is not inspected yet; the browser asks again by itself."""
        context = {"title": "In a moment", "status": "…", "sentence": "The picture is being looked at."}
        page = self.rendering.page(request, "error.html", context, status_code=202)
        page.headers["Refresh"] = "1"
        return page

    def _cameras(self, request: Request) -> Response:
        tiles = []
        for face in self._faces():
            latest = self._context.journal.page(Filter(camera=face["key"]), limit=1)
            tiles.append({**face, "card": self._view.card(latest[0], self._anything) if latest else None})
        return self.rendering.page(request, "cameras.html", {"tiles": tiles})

    def _camera(self, request: Request, query: PageQuery) -> Response:
        key = query.filter.camera
        entries = self._context.journal.page(query.filter, limit=LATEST)
        label = entries[0].inspection.snapshot.label if entries else key
        former = {"key": key, "label": label, "url": self._view.camera_url(key), "state": ""}
        face = next((face for face in self._faces() if face["key"] == key), former)
        context = {
            "face": face,
            "query": query,
            "cards": self._view.cards(entries, query),
            "asked": "asked" in request.query_params,
            "zones": zones_of(self._context, key),
            "zones_at": slug(key),
            "tells": bool(self._context.outlets.notifying),
            **self._snoozing.of_camera(key),
        }
        return self.rendering.page(request, "camera.html", context)

    def _status(self, request: Request) -> Response:
        faces = self._faces()
        checks = self._context.health.checks()
        archives = self._standings.rows(self._view, checks)
        context = {
            **status.overview(checks, archives, faces),
            "archives": archives,
            "cameras": faces,
            "bans": [status.ban_row(server, ban, self._view) for server, ban in bans_of(self._context)],
            "jobs": self._jobs(),
            "detector": texts.detector(self._context.detector),
            "push_outlets": list(self._context.push_outlets),
            "now": self._view.moment(datetime.now(UTC)),
        }
        return self.rendering.page(request, "status.html", context)

    def _jobs(self) -> list[JobRow]:
        """Those that are not done."""
        titles, jobs = self._context.job_titles, self._context.journal.jobs()
        return [job_row(job, titles.get(job.kind, job.kind), self._view) for job in jobs if job.state != "done"]

    def _live_card(self, entry: Entry) -> str:
        return self.rendering.text("_live.html", card=self._view.card(entry, self._anything))

    def _heat(self, query: PageQuery) -> object:
        today = self._view.today()
        last = min(_day_of(query.values[MAP]), today) if MAP in query.values else today
        quarters = self._context.journal.heat(*span(last, query.zone))
        return heat_map(quarters, last=last, today=today, query=query)

    def _faces(self) -> list[dict[str, str]]:
        """The configured cameras: key, label, address, and their state in words."""
        return [
            {
                "key": key,
                "label": face.label,
                "url": self._view.camera_url(key),
                "circuit": face.circuit().value,
                "state": texts.circuit(face.circuit(), face.retry_in()),
            }
            for key, face in self._context.cameras.items()
        ]

    def _before(self, request: Request) -> PageCursor | None:
        values = {"before": request.query_params["before"]} if request.query_params.get("before") else {}
        return place_of(validation.checked(request_models.SearchParams, values, "bad_parameter"), self._context)

    def _day(self, taken_at: float) -> str:
        return datetime.fromtimestamp(taken_at, self._context.zone).date().isoformat()


def _day_of(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadRequest("bad_parameter", f"{MAP} is a day such as 2026-11-21") from None


def _capitalised(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:] + ("" if sentence.endswith((".", "!", "?")) else ".")
