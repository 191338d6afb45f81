"""A camera's newest picture under an address that stays, for dashboards and programs that look again and again."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.journal.entries import Entry
from app.naming import slug
from app.storage.thumbnails import PictureGone
from app.web.access.caller import caller_of
from app.web.api import request_models, response_models, validation
from app.web.api.common import ERRORS, FAILURES, error
from app.web.api.filters import device_key
from app.web.api.operation import BodySpec, Operation, ResponseSpec, json_of
from app.web.api.pictures import NO_SUCH_WIDTH, has_already, made_of, width_of, widths_of
from app.web.context import WebContext
from app.web.errors import NotFound, Unprocessable
from app.web.links import LATEST

CACHING = "private, max-age=5"
"""Who asks more often than every so many seconds gets the one that it has."""


class LatestEndpoints:
    """The endpoints of newest pictures."""

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self._widths = widths_of(context)
        self._params = request_models.of_widths(request_models.LatestParams, self._widths)

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "GET",
                f"/api/cameras/{{name:path}}/{LATEST}",
                self.latest,
                "A camera's newest picture, at most 2048 pixels a side, or as a thumbnail of a width",
                {
                    200: ResponseSpec("The picture.", {"image/jpeg": None}, ("ETag", "Cache-Control")),
                    304: ResponseSpec("You have it already."),
                    **ERRORS,
                    404: error("There is no such camera, or no picture of it."),
                    **NO_SUCH_WIDTH,
                    **FAILURES,
                },
                query=self._params,
                headers=("If-None-Match",),
                links=True,
            ),
            Operation(
                "POST",
                "/api/cameras/{name:path}/link",
                self.make_latest_link,
                "Make a link that opens a camera's newest picture, for whoever has it, until it expires",
                {
                    200: json_of("The link.", response_models.LinkModel),
                    **ERRORS,
                    404: error("There is no such camera."),
                },
                query=request_models.NoParams,
                body=BodySpec({"application/json": request_models.LinkForBody}, required=False),
            ),
        ]

    async def latest(self, request: Request) -> Response:
        asked = validation.query(request, self._params)
        width = width_of(asked.width, self._widths)
        if asked.boxes and width:
            raise Unprocessable("no_width", "boxes are drawn into the whole picture: leave out boxes, or width")
        kind = "annotated" if asked.boxes else "thumbnail" if width else "preview"
        entry = await self._newest(request)
        headers = {"ETag": f'"{entry.id}-{kind}{f"-{width}" if width else ""}"', "Cache-Control": CACHING}
        if has_already(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        await run_in_threadpool(self._context.fetch, entry)
        try:
            content = await made_of(self._context, entry, kind, width)
        except PictureGone:
            raise NotFound("picture_gone", "the newest picture is no longer in the cache") from None
        return Response(content, headers=headers, media_type="image/jpeg")

    async def make_latest_link(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        wanted = await validation.body(request, request_models.LinkForBody)
        name = slug(await device_key(request.path_params["name"], self._context, caller_of(request)))
        signed = self._context.links.sign(name, LATEST, seconds=wanted.seconds)
        expires = datetime.fromtimestamp(int(time.time()) + wanted.seconds, UTC)
        url = self._context.site.url(f"/api/cameras/{name}/{LATEST}")
        return JSONResponse({"url": f"{url}?{signed}", "expires": expires.isoformat()})

    async def _newest(self, request: Request) -> Entry:
        camera = await device_key(request.path_params["name"], self._context, caller_of(request))
        entry = await run_in_threadpool(self._context.index.newest_picture, camera)
        if entry is None:
            raise NotFound("no_picture", f"there is no picture of {camera} yet, or none any more")
        return entry
