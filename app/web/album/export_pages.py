"""The page before a download: how many pictures it is, and whether that is one ZIP."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.web import export
from app.web.access.caller import caller_of
from app.web.album import texts
from app.web.album.camera_names import CameraDirectory
from app.web.album.languages import tr
from app.web.album.page_query import read
from app.web.album.rendering import Rendering
from app.web.api.selections import ZIP
from app.web.context import WebContext


class ExportPages:
    """The page of downloading what a search finds."""

    def __init__(self, context: WebContext, rendering: Rendering) -> None:
        self._context = context
        self._rendering = rendering

    def routes(self) -> list[Route]:
        return [Route("/export", self.export)]

    async def export(self, request: Request) -> Response:
        query = await read(request.query_params, self._context, caller_of(request))
        totals = await export.totals_of(self._context, query.filter)
        refused = export.refusal(totals)
        label = CameraDirectory(self._context.cameras, self._context.index.camera_label).label
        context = {
            "query": query,
            "what": [each.text for each in query.active_filters(label)],
            "words": texts.pictures(totals.count),
            "size": texts.size(totals.size),
            "problem": texts.sentence(tr(refused.detail)) if refused else "",
            "zip": self._context.site.path(ZIP) + query.string(),
        }
        return self._rendering.page(request, "export.html", context)
