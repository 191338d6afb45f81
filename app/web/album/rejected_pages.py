"""The page of rejected uploads: why, from whom, whose each may be, and taking it in after all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import PurePosixPath
from typing import Any, NamedTuple, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app import wording
from app.media.thumbnail import thumbnail
from app.storage.videos import is_video
from app.uploads.rejected import NotRejected, Rejected, RejectedUploads
from app.web import forms
from app.web.album import texts
from app.web.album.languages import tr
from app.web.album.rendering import Rendering
from app.web.album.view import Moment, Viewer
from app.web.context import WebContext
from app.web.errors import BadRequest, NotFound
from pylib.errors import Permanent

T = TypeVar("T")

SHOWN = 50
"""Uploads on the page, the newest; the others come when these are dealt with, or go by themselves."""
CHOICES = 200
"""Cameras that the form proposes; the name of another one can be typed."""

ADDRESS = "/uploads/rejected"


class RejectedView(NamedTuple):
    """A rejected upload as the page shows it."""

    id: str
    name: str
    picture: str
    """Address of what it shows; empty where it may be no picture."""
    why: str
    remedy: str
    detail: str
    whence: str
    when: Moment
    size: str
    camera: str
    """Name for people of its camera, or of the one that may have been meant; empty for none."""
    device_key: str
    is_guess: bool


class RejectedPages:
    """The page, and its forms' handlers."""

    def __init__(self, context: WebContext, rendering: Rendering, view: Viewer) -> None:
        self._context = context
        self._rendering = rendering
        self._view = view

    def routes(self) -> list[Route]:
        return [
            Route(ADDRESS, self.show, methods=["GET"]),
            Route(f"{ADDRESS}/{{id}}/picture", self.picture, methods=["GET"]),
            Route(f"{ADDRESS}/{{id}}/take-in", self.take_in, methods=["POST"]),
            Route(f"{ADDRESS}/{{id}}/delete", self.delete, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        return await run_in_threadpool(self._show, request)

    async def picture(self, request: Request) -> Response:
        """What an upload of no known camera shows, small."""
        uploads, rejected_id = self._uploads(), request.path_params["id"]
        entry = await _asked(uploads.find, rejected_id)
        if entry.code != "unknown_camera":  # nothing else here is known to be harmless to decode
            raise NotFound("no_picture", "This upload is not shown.")
        read = partial(uploads.read, rejected_id, most=self._context.max_upload)
        make = partial(_small, read, max_pixels=self._context.max_pixels)
        content = await self._context.pictures.made(f"rejected-{rejected_id}", make)
        return Response(content, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})

    async def take_in(self, request: Request) -> Response:
        """To the picture's page, or back to the list with what became of it."""
        name = (await forms.fields(request)).get("camera", "").strip()
        camera = self._context.camera(name) if name else None
        if camera is None:
            raise BadRequest("unknown_camera", texts.no_camera(name))
        try:
            snapshot = await _asked(self._uploads().take_in, request.path_params["id"], camera)
        except NotFound:
            raise
        except Permanent as error:
            show = partial(self._show, request, texts.refused_again(error.code, error.detail), status_code=422)
            return await run_in_threadpool(show)
        if snapshot is None:
            return await run_in_threadpool(self._show, request, tr(texts.TAKEN_IN_BEFORE))
        return RedirectResponse(self._context.site.path(f"/snapshots/{snapshot.id}"), 303)

    async def delete(self, request: Request) -> Response:
        await _asked(self._uploads().discard, request.path_params["id"])
        return RedirectResponse(self._context.site.path(ADDRESS), 303)

    def _show(self, request: Request, said: str = "", *, status_code: int = 200) -> Response:
        found, count = self._context.rejected.newest(SHOWN) if self._context.rejected else ([], 0)
        cameras = self._context.cameras
        context: dict[str, Any] = {
            "uploads": [self._row(one) for one in found],
            "count": count,
            "said": said,
            "went_well": status_code == 200,
            "choices": [(key, face.label) for key, face in list(cameras.items())[:CHOICES]],
        }
        return self._rendering.page(request, "rejected.html", context, status_code=status_code)

    def _row(self, one: Rejected) -> RejectedView:
        entry, face = one.entry, self._context.cameras.get(one.suggestion)
        shown = entry.code == "unknown_camera" and not is_video(PurePosixPath(entry.name))
        sentence, remedy = wording.explain(entry.code, of="upload")
        return RejectedView(
            id=entry.id,
            name=entry.name,
            picture=self._context.site.path(f"{ADDRESS}/{entry.id}/picture") if shown else "",
            why=tr(sentence),
            remedy=tr(remedy),
            detail=entry.detail,
            whence=texts.whence(entry.origin, entry.sender),
            when=self._view.moment(datetime.fromisoformat(entry.at)),
            size=texts.size(entry.size),
            camera=face.label if face else "",
            device_key=one.suggestion if face else "",
            is_guess=not entry.camera,
        )

    def _uploads(self) -> RejectedUploads:
        if self._context.rejected is None:
            raise NotFound("not_rejected", "Nothing takes uploads here.")
        return self._context.rejected


async def _asked(ask: Callable[..., T], *values: str) -> T:
    try:
        return await run_in_threadpool(ask, *values)
    except NotRejected as error:
        raise NotFound(error.code, error.detail) from None


def _small(read: Callable[[], bytes], *, max_pixels: int) -> bytes:
    return thumbnail(read(), max_pixels=max_pixels)
