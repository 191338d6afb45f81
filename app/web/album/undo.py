"""What was just deleted, on the next page: for a few seconds it can be taken back there."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.web import audit
from app.web.context import WebContext
from app.web.deletion import seconds_left, take_back

DELETED = "deleted"
"""The parameter with the handle by which a deletion is taken back."""


class UndoView(NamedTuple):
    """A deletion that can be taken back."""

    handle: str
    seconds: float


def undo_of(request: Request, context: WebContext) -> UndoView | None:
    """The one that led to this page, while there is time. Asks the journal."""
    handle = request.query_params.get(DELETED, "")[:64]
    seconds = seconds_left(context, handle) if handle else 0.0
    return UndoView(handle, seconds) if seconds else None


class Undo:
    """The handler of the button that takes a deletion back."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        return [Route("/deletions/{id}/undo", self.undo, methods=["POST"])]

    async def undo(self, request: Request) -> Response:
        """Take it back, and show what is there again: the picture, or the page where several were deleted."""
        ids = await run_in_threadpool(take_back, self._context, request.path_params["id"])
        audit.say_pictures(request, ids)
        came = urlsplit(request.headers.get("referer", ""))
        query = urlencode([(name, text) for name, text in parse_qsl(came.query) if name != DELETED])
        here = f"/snapshots/{ids[0]}" if len(ids) == 1 and "/snapshots/" in came.path else "/"
        return RedirectResponse(self._context.site.path(here) + (f"?{query}" if query else ""), 303)
