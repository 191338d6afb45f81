"""The cameras' pages: all of them, each one, and the stream that both follow."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.journal.entries import Entry
from app.naming import slug
from app.web.access.caller import Right, caller_of
from app.web.album.camera_names import CameraDirectory
from app.web.album.camera_view import CameraViews
from app.web.album.languages import InLanguage, current
from app.web.album.page_query import PageQuery, read
from app.web.album.rendering import Rendering
from app.web.album.snoozing import Snoozing
from app.web.album.view import Viewer
from app.web.context import WebContext
from app.web.errors import NotFound
from app.web.permission import still
from app.web.rules import zones_of

TILES = 48
"""Cameras on one page of them."""
LATEST = 12
"""Cards on a camera's page."""
ASK_AGAIN_S = 3
"""Seconds after which a page without JavaScript asks again for a picture that is on its way."""


class CameraViewPages:
    """The pages, and what of them is sent again when something happens."""

    def __init__(
        self,
        context: WebContext,
        rendering: Rendering,
        view: Viewer,
        snoozing: Snoozing,
        settings: Callable[..., str],
        anything: PageQuery,
    ) -> None:
        """`settings`: address of a camera's form, or of all of them, for whoever asks; empty for none."""
        self._context = context
        self._rendering = rendering
        self._view = view
        self._snoozing = snoozing
        self._settings = settings
        self._anything = anything
        self._directory = CameraDirectory(context.cameras, context.index.camera_label)
        self.views = CameraViews(context, view)
        self._streams = {"tiles": self._live_tile, "cameras": self._live_camera}

    def routes(self) -> list[Route]:
        return [
            Route("/live/{what}", self.live),
            Route("/cameras", self.cameras),
            Route("/cameras/{name}", self.camera),
        ]

    async def live(self, request: Request) -> Response:
        """The parts of cameras' pages that an event changes, rendered once for all readers."""
        render = self._streams.get(request.path_params["what"])
        if render is None:
            raise NotFound("not_found", "There is nothing at this address.")
        query = await read(request.query_params, self._context, caller_of(request))
        spoken = InLanguage(current(), render)
        return self._context.broadcast.stream(
            request, filter=query.filter, render=spoken, event="camera", may_look=still(request, self._context)
        )

    async def cameras(self, request: Request) -> Response:
        return await run_in_threadpool(self._cameras, request)

    async def camera(self, request: Request) -> Response:
        """A camera's page; with `asked`, the id of a picture on its way, it leads on to that when it is there."""
        query = await read({"camera": request.path_params["name"]}, self._context, caller_of(request))
        return await run_in_threadpool(self._camera, request, query)

    def _cameras(self, request: Request) -> Response:
        typed, caller = request.query_params.get("q", "").strip()[:200], caller_of(request)
        found = [camera.key for camera in self._directory.like(typed) if caller.sees(camera.key)]
        pages = max(1, math.ceil(len(found) / TILES))
        number = min(max(1, _number(request.query_params.get("page", ""))), pages)
        every = sum(caller.sees(camera.key) for camera in self._directory.all)
        context = {
            "tiles": [self.views.of(key) for key in found[(number - 1) * TILES : number * TILES]],
            "settings": self._settings(request),
            "q": typed,
            "page": number,
            "pages": pages,
            "every": every,
            "searchable": every > TILES or bool(typed),
        }
        return self._rendering.page(request, "cameras.html", context)

    def _camera(self, request: Request, query: PageQuery) -> Response:
        asked = request.query_params.get("asked", "")
        if asked and self._context.index.entry(asked) is not None:
            return RedirectResponse(self._context.site.path(f"/snapshots/{asked}"), 303)
        page = self._rendering.page(request, "camera.html", self._page(request, query, asked=bool(asked)))
        if asked:
            page.headers["Refresh"] = str(ASK_AGAIN_S)
        return page

    def _page(self, request: Request, query: PageQuery, *, asked: bool) -> dict[str, Any]:
        key, caller = query.filter.camera, caller_of(request)
        entries = self._context.index.page(query.filter, limit=LATEST)
        face = self._context.cameras.get(key)
        return {
            "camera": self.views.of(key, entries[0] if entries else None),
            "query": query,
            "cards": self._view.cards(entries, query),
            "asked": asked,
            "settings": self._settings(request, key),
            "may_ask": caller.may(Right.OPERATOR),
            "reach": face.reach() if face and caller.may(Right.ADMIN) else None,
            "host": request.url.hostname or "",
            "zones": zones_of(self._context, key),
            "zones_at": slug(key),
            "masks": face.masks if face else (),
            "tells": bool(self._context.outlets.notifying),
            **self._snoozing.of_camera(key),
        }

    def _live_tile(self, entry: Entry) -> str:
        return self._rendering.text("_tile.html", tile=self.views.of(entry.inspection.camera, entry))

    def _live_camera(self, entry: Entry) -> str:
        camera = self.views.of(entry.inspection.camera, entry)
        return self._rendering.text("_camera_live.html", camera=camera, card=self._view.card(entry, self._anything))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1
