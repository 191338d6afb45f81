"""What people do with many pictures of the grid at once, by a plain form."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from app.films.recipe import Recipe
from app.journal.entries import Filter
from app.web import audit, export, films, forms, selection
from app.web.access.caller import caller_of
from app.web.album.languages import tr
from app.web.album.page_query import read
from app.web.album.undo import DELETED
from app.web.api.selection_models import MOST
from app.web.context import WebContext
from app.web.deletion import hide
from app.web.errors import BadRequest

SELECT = "select"
"""The parameter that makes the grid one to choose from."""


class Selecting:
    """The handlers of the form around the grid, one for each of its buttons."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        wishes = {
            "star": self.star,
            "reviewed": self.reviewed,
            "zip": self.zip,
            "film": self.film,
            "delete": self.delete,
            "ids": self.ids,
        }
        return [Route(f"/selection/{name}", wish, methods=["POST"]) for name, wish in wishes.items()]

    async def star(self, request: Request) -> Response:
        return await self._change(request, starred=True)

    async def reviewed(self, request: Request) -> Response:
        return await self._change(request, reviewed=True)

    async def zip(self, request: Request) -> Response:
        return await export.zip_of(self._context, Filter(ids=tuple(await self._chosen(request))))

    async def film(self, request: Request) -> Response:
        wanted = films.wanted_of(Recipe(), Filter(ids=tuple(await self._chosen(request))))
        await run_in_threadpool(films.order, self._context, "", wanted)
        return RedirectResponse(self._context.site.path("/films"), 303)

    async def delete(self, request: Request) -> Response:
        """Delete them, so that it can be taken back for a while."""
        hidden = await run_in_threadpool(hide, self._context, await self._chosen(request))
        return self._back(request, deleted=hidden.handle)

    async def ids(self, request: Request) -> Response:
        """The ids of what was chosen: a script has them deleted, so that it can put the cards back."""
        return JSONResponse({"ids": await self._chosen(request)})

    async def _change(self, request: Request, *, starred: bool | None = None, reviewed: bool | None = None) -> Response:
        ids = await self._chosen(request)
        await run_in_threadpool(lambda: selection.change(self._context, ids, starred=starred, reviewed=reviewed))
        return self._back(request)

    async def _chosen(self, request: Request) -> list[str]:
        """What was chosen, of what the reader may see. Raises `BadRequest` where that is nothing, or too much."""
        form, caller = await forms.lists(request, boxes=MOST + 1), caller_of(request)
        given, visits = form.get("id", []), form.get("visit", [])
        ids = await run_in_threadpool(selection.seen_by, self._context, given, caller) if given else []
        if visits:
            shown = await read(dict(parse_qsl(form.get("query", [""])[0].removeprefix("?"))), self._context, caller)
            ids += await run_in_threadpool(selection.of_visits, self._context, visits, shown.filter, most=MOST + 1)
        if not ids:
            raise BadRequest("nothing_selected", "Choose at least one picture, and then what to do with it.")
        if len(ids) > MOST:
            raise BadRequest("too_many_selected", tr("Choose at most {most} pictures at once.", most=f"{MOST:,}"))
        audit.say_pictures(request, ids)
        return ids

    def _back(self, request: Request, deleted: str = "") -> Response:
        """To the grid as it was, to look at."""
        asked = parse_qsl(urlsplit(request.headers.get("referer", "")).query)
        kept = [(name, text) for name, text in asked if name not in (SELECT, DELETED)]
        query = urlencode([*kept, *([(DELETED, deleted)] if deleted else [])])
        return RedirectResponse(self._context.site.path("/") + (f"?{query}" if query else ""), 303)
