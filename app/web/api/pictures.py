"""The pictures of a snapshot: original, thumbnail, preview, annotated; and signed links to them."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from app.journal.entries import Entry
from app.media.develop import shared
from app.media.formats import CONTENT_TYPES, SUFFIXES
from app.media.thumbnail import WIDTH
from app.naming import slug
from app.storage.thumbnails import PictureGone, Size, read_picture
from app.web.api import request_models, response_models, validation
from app.web.api.common import ERRORS, FAILURES, error
from app.web.api.operation import BodySpec, Endpoint, Operation, ResponseSpec, json_of
from app.web.api.serialize import entry_of
from app.web.context import WebContext
from app.web.errors import NotFound, Unprocessable
from app.web.links import THUMBNAIL

KINDS = {
    "image": "The picture as it came",
    THUMBNAIL: "The picture, at most 480 pixels wide, or another width",
    "preview": "The picture, at most 2048 pixels a side",
    "annotated": "The picture with a frame around everything that was seen",
}

NO_SUCH_WIDTH = {422: error("Thumbnails do not have this width; the sentence names those that they have.")}

CACHING = "private, max-age=31536000, immutable"


class PictureEndpoints:
    """The endpoints of pictures."""

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self._widths = widths_of(context)
        self._thumbnail_params = request_models.of_widths(request_models.ThumbnailParams, self._widths)
        self._wanted_body = request_models.of_widths(request_models.WantedBody, self._widths)

    def operations(self) -> list[Operation]:
        link = Operation(
            "POST",
            "/api/snapshots/{id}/link",
            self.make_link,
            "Make a link that opens one picture, for whoever has it, until it expires",
            {
                200: json_of("The link.", response_models.LinkModel),
                **ERRORS,
                404: error("There is no such snapshot."),
                **NO_SUCH_WIDTH,
            },
            query=request_models.NoParams,
            body=BodySpec({"application/json": self._wanted_body}, required=False),
        )
        return [*(self._operation(kind, summary) for kind, summary in KINDS.items()), link]

    async def make_link(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        wanted = await validation.body(request, self._wanted_body)
        thumbnail = wanted.kind == THUMBNAIL and wanted.frame is None
        if wanted.width is not None and not thumbnail:
            raise Unprocessable("no_width", "only a thumbnail is wanted in a width: leave it out, or ask for one")
        width = width_of(wanted.width, self._widths) if thumbnail else 0
        entry = await entry_of(self._context, request.path_params["id"])
        kind = wanted.kind if wanted.frame is None else f"frames/{wanted.frame}"
        signed = self._context.links.sign(entry.id, kind, seconds=wanted.seconds, width=width)
        url = self._context.site.url(f"/api/snapshots/{entry.id}/{kind}")
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
                **(NO_SUCH_WIDTH if kind == THUMBNAIL else {}),
                **FAILURES,
            },
            query=self._thumbnail_params if kind == THUMBNAIL else request_models.SignedLinkParams,
            headers=("If-None-Match",),
            links=True,
        )

    def _endpoint(self, kind: str) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            return await self._picture(request, kind, self._width_in(request, kind))

        endpoint.__name__ = kind
        return endpoint

    def _width_in(self, request: Request, kind: str) -> int:
        if kind == THUMBNAIL:
            return width_of(validation.query(request, self._thumbnail_params).width, self._widths)
        validation.query(request, request_models.SignedLinkParams)
        return 0

    async def _picture(self, request: Request, kind: str, width: int) -> Response:
        """`width`: of a thumbnail; 0 for the usual one, and for other pictures."""
        entry = await entry_of(self._context, request.path_params["id"])
        path = _path_of(entry)
        await run_in_threadpool(self._context.fetch, entry)
        stat = await run_in_threadpool(_stat, path)
        if stat is None:
            raise _gone(entry)
        # A snapshot's picture never changes.
        linked = kind == "image" and is_linked(request)
        form = f"{kind}{f'-{width}' if width else ''}{'-linked' if linked else ''}"
        headers = {"ETag": f'"{entry.id}-{form}"', "Cache-Control": CACHING}
        if has_already(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        if kind == "image" and not linked:
            return _as_it_came(path, stat, entry=entry, headers=headers)
        try:
            if linked:
                return await for_others(self._context, path, key=f"{entry.id}-{form}", headers=headers)
            content = await made_of(self._context, entry, kind, width)
        except PictureGone:
            raise _gone(entry) from None
        return Response(content, headers=headers, media_type="image/jpeg")


def widths_of(context: WebContext) -> tuple[int, ...]:
    """The widths that thumbnails have."""
    return tuple(sorted({WIDTH, *context.thumbnail_widths}))


def width_of(asked: int | None, widths: Sequence[int]) -> int:
    """The width that a thumbnail is wanted in; 0 for the usual one. Raises `Unprocessable`."""
    if asked is not None and asked not in widths:
        there_are = ", ".join(map(str, widths))
        raise Unprocessable("unknown_width", f"thumbnails are {there_are} pixels wide, not {asked}")
    return asked or 0


async def made_of(context: WebContext, entry: Entry, kind: str, width: int = 0) -> bytes:
    """A thumbnail (of a width; 0 for the usual one), preview or annotated picture. Raises `PictureGone`."""
    if kind == "annotated":
        return await context.pictures.annotated(entry.inspection)
    size: Size = "preview" if kind == "preview" else "thumbnail" if width in (0, WIDTH) else width
    return await context.pictures.small(entry.inspection.snapshot, size)


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
    if entry.owner:
        where = where or "; it is not archived yet"
        return NotFound("picture_gone", f"the picture is on {entry.owner}{where}")
    return NotFound("picture_gone", f"the picture is no longer in the cache{where}")


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def has_already(request: Request, etag: str) -> bool:
    """Whether the client has this one already (RFC 9110, 13.1.2: the comparison is a weak one)."""
    given = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return etag in given or "*" in given


def is_linked(request: Request) -> bool:
    """Whether it is asked for by a signed link, so by anybody."""
    return "signature" in request.query_params


async def for_others(context: WebContext, path: Path, *, key: str, headers: dict[str, str]) -> Response:
    """A picture's file without what it says beside its pixels: place, camera, thumbnail. Raises `PictureGone`."""

    def made() -> tuple[bytes, str]:
        return shared(read_picture(str(path)), max_pixels=context.max_pixels)

    data, kind = await context.pictures.made(key, made)
    return Response(data, headers=headers, media_type=CONTENT_TYPES[SUFFIXES[kind]])


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
