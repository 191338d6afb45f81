"""The grid: visits or pictures that match, and what is offered while one types."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.journal.entries import Entry, Filter, PageCursor, Standing
from app.journal.search_query import MOST_COUNTED
from app.journal.visit_pages import MOST_OF_LABEL
from app.web import forms
from app.web.access.caller import Caller, Right, caller_of
from app.web.album import texts
from app.web.album.actions import Actions
from app.web.album.camera_names import MOST_LISTED, OFFERED, PILLS, CameraDirectory
from app.web.album.languages import InLanguage, current
from app.web.album.page_query import BY, PageQuery, read
from app.web.album.rendering import Rendering, is_part
from app.web.album.selecting import SELECT
from app.web.album.undo import undo_of
from app.web.album.view import Card, Viewer
from app.web.api import request_models, validation
from app.web.api.filters import place_of
from app.web.api.param_types import cursor
from app.web.api.visits import visit_of
from app.web.context import WebContext
from app.web.errors import NotFound
from app.web.permission import still

PAGE = 30
"""Cards that are loaded at once."""
REMEMBERED_S = 365 * 86_400
COOKIE = "album_by"
"""What a card is, as somebody chose it last."""


class GridPages:
    """The handlers of the first page, and of its parts."""

    def __init__(self, context: WebContext, rendering: Rendering, view: Viewer, actions: Actions) -> None:
        self._context = context
        self._rendering = rendering
        self._view = view
        self._actions = actions
        self._directory = CameraDirectory(context.cameras, context.index.camera_label)
        self._anything = PageQuery({}, Filter(), context.zone, context.site.path("/"))

    def routes(self) -> list[Route]:
        return [
            Route("/", self.grid),
            Route("/live", self.live),
            Route("/visits/{visit:int}", self.visit),
            Route("/visits/{visit:int}/review", self.review, methods=["POST"]),
            Route("/names/labels", self.labels),
            Route("/names/cameras", self.cameras),
        ]

    async def grid(self, request: Request) -> Response:
        # Who selects without JavaScript selects pictures.
        by = "picture" if request.query_params.get(SELECT) == "1" else request.cookies.get(COOKIE, "")
        query = await read(request.query_params, self._context, caller_of(request), by=by)
        page = await run_in_threadpool(self._grid, request, query)
        if BY in query.values:
            path = self._context.site.path("/")
            page.set_cookie(COOKIE, query.values[BY], max_age=REMEMBERED_S, path=path, httponly=True, samesite="lax")
        return page

    async def live(self, request: Request) -> Response:
        """New entries as cards, for open pages; the reader's page adds its own query to their links."""
        query = await read(request.query_params, self._context, caller_of(request))
        may_look = still(request, self._context)
        render = InLanguage(current(), self._live_card)
        return self._context.broadcast.stream(
            request, filter=query.filter, render=render, event="card", may_look=may_look
        )

    async def visit(self, request: Request) -> Response:
        """The pictures of a visit that match, as cards, the newest first."""
        query = await read(request.query_params, self._context, caller_of(request))
        chosen = replace(query.filter, visit=visit_of(request))
        entries = await run_in_threadpool(lambda: self._context.index.page(chosen))
        cards = self._view.cards(entries, query)
        return self._rendering.page(request, "_cards.html", {"cards": cards, "day": "", "older": ""})

    async def review(self, request: Request) -> Response:
        """Review all of a visit, or take that back; for htmx the button as it is now."""
        reviewed = (await forms.fields(request)).get("reviewed") == "1"
        visit = visit_of(request)
        chosen = Filter(visit=visit, cameras=caller_of(request).cameras)
        if not await run_in_threadpool(lambda: self._context.index.review(chosen, reviewed=reviewed)):
            raise NotFound("unknown_visit", "There is no such visit, or its pictures were deleted.")
        if is_part(request):
            context = {"action": f"/visits/{visit}/review", "reviewed": reviewed}
            return self._rendering.page(request, "_review.html", context)
        return RedirectResponse(self._context.site.path("/"), 303)

    async def labels(self, request: Request) -> Response:
        """Labels that begin as what is typed."""
        typed = request.query_params.get("label", "").strip()[:60]
        seen = Filter(cameras=caller_of(request).cameras)
        found = await run_in_threadpool(lambda: self._context.index.labels_like(typed, seen, limit=OFFERED))
        options = [(name, f"{name}, {texts.up_to(count, MOST_OF_LABEL)}") for name, count in found]
        return self._rendering.page(request, "_options.html", {"options": options})

    async def cameras(self, request: Request) -> Response:
        """Cameras that are called as what is typed."""
        typed = next((text for name in ("camera", "cameras") if (text := request.query_params.get(name))), "")
        found = await run_in_threadpool(self._directory.like, typed[:200])
        mine = [camera for camera in found if caller_of(request).sees(camera.key)][:OFFERED]
        return self._rendering.page(request, "_options.html", {"options": mine})

    def _grid(self, request: Request, query: PageQuery) -> Response:
        before = self._before(request)
        cards, last, last_event, standing = self._cards(query, before)
        part = before is not None and is_part(request)
        context: dict[str, Any] = {
            "query": query,
            "cards": cards,
            "last_event": last_event,
            "older": query.address(before=cursor(last)) if last else "",
            # Cards that are appended to those of their day need no second heading.
            "day": self._day(before.taken_at) if before and part else "",
        }
        if part:
            return self._rendering.page(request, "_cards.html", context)
        caller = caller_of(request)
        mine = [camera for camera in self._directory.all if caller.sees(camera.key)]
        context |= {
            "pills": self._pills(query, caller),
            "cameras": mine if len(mine) <= MOST_LISTED else (),
            "camera_label": self._directory.label(query.filter.camera),
            "every": len(mine),
            "may_ask": caller.may(Right.OPERATOR),
            "standing": standing,
            "selecting": request.query_params.get(SELECT) == "1",
            "undo": undo_of(request, self._context),
            "configured": [(camera.label, self._view.camera_url(camera.key)) for camera in mine[:6]],
            "active_filters": query.active_filters(self._directory.label),
            "found": self._found(query),
            "is_first": before is None,
            "upload": self._actions.upload_form(caller),
            "away": self._context.away(),
            "shares_index": self._context.index is not self._context.journal,
        }
        return self._rendering.page(request, "grid.html", context)

    def _cards(
        self, query: PageQuery, before: PageCursor | None
    ) -> tuple[list[Card], PageCursor | None, str, Standing | None]:
        """The cards of a page, the place behind which older ones follow, or None, the last event that it knows, and
        where its first picture stands; None for visits."""
        index = self._context.index
        if query.by_visit:
            page = index.visits(query.filter, before=before, limit=PAGE)
            cards = self._view.visit_cards(page.visits, query)
            return cards, page.older, page.last_event, None
        entries = index.page(query.filter, before=before, limit=PAGE + 1)
        shown = entries[:PAGE]
        older = shown[-1].place if len(entries) > PAGE else None
        standing = index.standing(shown[0].place, query.filter) if shown else Standing(0, 0)
        return self._view.cards(shown, query), older, shown[0].id if shown else "", standing

    def _pills(self, query: PageQuery, caller: Caller) -> list[tuple[str, str]]:
        """Names of cameras and the grid with each: all where there are few, or those that saw something lately."""
        keys = [camera.key for camera in self._directory.all if caller.sees(camera.key)]
        if len(keys) > PILLS or not keys:
            keys = self._context.index.lately(Filter(cameras=caller.cameras), limit=PILLS)
        others = [key for key in keys if key != query.filter.camera]
        return [(self._directory.label(key), query.address(camera=key)) for key in others]

    def _found(self, query: PageQuery) -> str:
        """How many pictures a filter finds, in words; empty without one."""
        count = self._context.index.count(query.filter) if query.filter else 0
        return texts.up_to(count, MOST_COUNTED) if query.filter else ""

    def _live_card(self, entry: Entry) -> str:
        return self._rendering.text("_live.html", card=self._view.card(entry, self._anything))

    def _before(self, request: Request) -> PageCursor | None:
        values = {"before": request.query_params["before"]} if request.query_params.get("before") else {}
        return place_of(validation.checked(request_models.SearchParams, values, "bad_parameter"), self._context)

    def _day(self, taken_at: float) -> str:
        return datetime.fromtimestamp(taken_at, UTC).astimezone(self._context.zone).date().isoformat()
