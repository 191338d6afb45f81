"""The pictures of a snapshot: original, thumbnail, preview, annotated; and signed links to them."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from app.journal.entries import Entry
from app.media.formats import CONTENT_TYPES
from app.naming import slug
from app.storage.thumbnails import PictureGone
from app.web.api import request_models, response_models, validation
from app.web.api.common import ERRORS, FAILURES, error
from app.web.api.operation import BodySpec, Endpoint, Operation, ResponseSpec, json_of
from app.web.api.serialize import entry_of
from app.web.context import WebContext
from app.web.errors import NotFound

KINDS = {
    "image": "The picture as it came",
    "thumbnail": "The picture, at most 480 pixels wide",
    "preview": "The picture, at most 2048 pixels a side",
    "annotated": "The picture with a frame around everything that was seen",
}

CACHING = "private, max-age=31536000, immutable"


class PictureEndpoints:
    """The endpoints of pictures."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def operations(self) -> list[Operation]:
        link = Operation(
            "POST",
            "/api/snapshots/{id}/link",
            self.make_link,
            "Make a link that opens one picture, for whoever has it, until it expires",
            {200: json_of("The link.", response_models.LinkModel), **ERRORS, 404: error("There is no such snapshot.")},
            query=request_models.NoParams,
            body=BodySpec({"application/json": request_models.WantedBody}, required=False),
        )
        return [*(self._operation(kind, summary) for kind, summary in KINDS.items()), link]

    async def make_link(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        wanted = await validation.body(request, request_models.WantedBody)
        entry = await entry_of(self._context, request.path_params["id"])
        signed = self._context.links.sign(entry.id, wanted.kind, seconds=wanted.seconds)
        url = self._context.site.url(f"/api/snapshots/{entry.id}/{wanted.kind}")
        expires = datetime.fromtimestamp(int(time.time()) + wanted.seconds, UTC)
        return JSONResponse({"url": f"{url}?{signed}", "expires": expires.isoformat()})

    def _operation(self, kind: str, summary: str) -> Operation:
        types = [*CONTENT_TYPES.values()] if kind == "image" else ["image/jpeg"]
        return Operation(
            "GET",
            f"/api/snapshots/{{id}}/{kind}",
            self._endpoint(kind),
            summary,
            {
                200: ResponseSpec("The picture.", dict.fromkeys(types), ("ETag", "Cache-Control")),
                **(
                    {206: ResponseSpec("The part of it that was asked for.", dict.fromkeys(types))}
                    if kind == "image"
                    else {}
                ),
                304: ResponseSpec("You have it already."),
                **ERRORS,
                404: error("There is no such snapshot, or no picture; the sentence says where it is archived."),
                **FAILURES,
            },
            query=request_models.SignedLinkParams,
            headers=("If-None-Match",),
            links=True,
        )

    def _endpoint(self, kind: str) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            return await self._picture(request, kind)

        endpoint.__name__ = kind
        return endpoint

    async def _picture(self, request: Request, kind: str) -> Response:
        validation.query(request, request_models.SignedLinkParams)
        entry = await entry_of(self._context, request.path_params["id"])
        path = _path_of(entry)
        stat = await run_in_threadpool(_stat, path)
        if stat is None:
            raise _gone(entry)
        # A snapshot's picture never changes.
        headers = {"ETag": f'"{entry.id}-{kind}"', "Cache-Control": CACHING}
        if _has(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        if kind == "image":
            return _as_it_came(path, stat, entry=entry, headers=headers)
        try:
            content = await self._made(entry, kind)
        except PictureGone:
            raise _gone(entry) from None
        return Response(content, headers=headers, media_type="image/jpeg")

    async def _made(self, entry: Entry, kind: str) -> bytes:
        if kind == "annotated":
            return await self._context.pictures.annotated(entry.inspection)
        return await self._context.pictures.small(
            entry.inspection.snapshot, "thumbnail" if kind == "thumbnail" else "preview"
        )


def _path_of(entry: Entry) -> Path:
    """The picture on disk. Raises `NotFound` when there is none (any more)."""
    snapshot = entry.inspection.snapshot
    if snapshot.path:
        return Path(snapshot.path)
    if snapshot.size:
        raise _gone(entry)
    raise NotFound("no_picture", snapshot.problem or "there is no picture")


def _gone(entry: Entry) -> NotFound:
    where = f"; it is archived in {' and '.join(entry.archived_in)}" if entry.archived_in else ""
    return NotFound("picture_gone", f"the picture is no longer in the cache{where}")


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _has(request: Request, etag: str) -> bool:
    """Whether the client has this one already (RFC 9110, 13.1.2: the comparison is a weak one)."""
    given = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return etag in given or "*" in given


def _as_it_came(path: Path, stat: os.stat_result, *, entry: Entry, headers: dict[str, str]) -> Response:
    snapshot = entry.inspection.snapshot
    return FileResponse(
        path,
        headers=headers,
        media_type=CONTENT_TYPES.get(path.suffix, "application/octet-stream"),
        filename=f"{snapshot.taken_at:%Y%m%d-%H%M%S}-{slug(snapshot.camera)}{path.suffix}",
        stat_result=stat,
        content_disposition_type="inline",
    )
