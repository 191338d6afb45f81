"""When: the map of days and hours that leads to them, as a part of the grid's page and as a page of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.web.access.caller import caller_of
from app.web.album.camera_names import CameraDirectory
from app.web.album.heat import LAST, heat_map, newest_day, span
from app.web.album.page_query import PageQuery, read
from app.web.album.rendering import Rendering, is_part
from app.web.album.view import Viewer
from app.web.context import WebContext
from app.web.errors import BadRequest, WrongField


class WhenPages:
    """The handler of the map. The grid's page stands without it, and asks for it as soon as it is in sight."""

    def __init__(self, context: WebContext, rendering: Rendering, view: Viewer) -> None:
        self._context = context
        self._rendering = rendering
        self._view = view
        self._label = CameraDirectory(context.cameras, context.index.camera_label).label

    def routes(self) -> list[Route]:
        return [Route("/when", self.when)]

    async def when(self, request: Request) -> Response:
        query = await read(request.query_params, self._context, caller_of(request))
        asked = _day_of(request.query_params.get(LAST, ""))
        return await run_in_threadpool(self._when, request, query, asked)

    def _when(self, request: Request, query: PageQuery, asked: date | None) -> Response:
        today = self._view.today()
        last = newest_day(query, today=today, asked=asked)
        anytime = replace(query.filter, since=None, until=None, hours=None, visit=0)
        quarters = self._context.index.heat(*span(last, query.zone), anytime)
        context: dict[str, object] = {
            "query": query,
            "heat": heat_map(quarters, last=last, today=today, query=query),
            "whole": not is_part(request),
        }
        if is_part(request):
            return self._rendering.page(request, "_when.html", context)
        context["active_filters"] = query.active_filters(self._label)
        return self._rendering.page(request, "when.html", context)


def _day_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadRequest.of_fields("bad_parameter", [WrongField(LAST, "must be a day such as 2026-11-21")]) from None
