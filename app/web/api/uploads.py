"""Uploads over HTTP: a form's file or a bare body, within limits; a rejected one leaves nothing behind."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, NamedTuple, cast
from weakref import WeakKeyDictionary

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from app.media.formats import CONTENT_TYPES, SUFFIXES, TAKEN
from app.messages import Snapshot
from app.web import audit, forms
from app.web.api import request_models, response_models, validation
from app.web.api.common import ERRORS, FAILURES, accepted, error
from app.web.api.operation import BodySpec, Operation, json_of
from app.web.api.param_types import DATE_TIME, at_home
from app.web.api.waiting import EventWait
from app.web.context import WebContext
from app.web.errors import BadRequest, NotFound, UnsupportedMedia

BARE = (*(CONTENT_TYPES[SUFFIXES[kind]] for kind in TAKEN), "application/octet-stream")
LONGEST_NAME = 255
IN_MEMORY = 1_000_000
"""Bytes up to which a body stays in memory; a larger one goes into a file."""
AT_ONCE = 4
"""Pictures that are decoded at once; further ones wait on the disk."""


class UploadedPicture(NamedTuple):
    """An uploaded picture."""

    file: BinaryIO
    name: str
    params: request_models.UploadParams


class UploadEndpoints:
    """The endpoint of uploaded pictures."""

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    def operations(self) -> list[Operation]:
        cap = f"At most {self._context.max_upload / 1e6:g} MB and {self._context.max_pixels / 1e6:g} megapixels."
        bare = {"type": "string", "format": "binary", "description": cap}
        form = {
            "type": "object",
            "required": ["image"],
            "additionalProperties": False,
            "properties": {
                "image": bare,
                "camera": {"type": "string", "maxLength": 200},
                "taken_at": DATE_TIME,
                "note": {"type": "string", "maxLength": 2000},
            },
        }
        return [
            Operation(
                "POST",
                "/api/snapshots",
                self.hand_in,
                "Upload a picture",
                {
                    200: json_of("The event, which came within `wait`.", response_models.SnapshotModel),
                    202: json_of("The picture is on the disk.", response_models.AcceptedModel),
                    **ERRORS,
                    404: error("There is no such camera."),
                    413: error("Too many bytes or pixels."),
                    415: error("No picture, or of a format that is not taken."),
                    422: error("The picture is damaged."),
                    **FAILURES,
                },
                query=request_models.UploadAndWaitParams,
                body=BodySpec({forms.MULTIPART: form, **dict.fromkeys(BARE, bare)}),
            )
        ]

    async def hand_in(self, request: Request) -> Response:
        """202 with the event id once the picture is recorded, or 200 with the event when it came within `wait`."""
        asked = validation.query(request, request_models.UploadAndWaitParams)
        with EventWait(self._context.live) as watch:
            async with self._picture(request, asked) as picture:
                snapshot = await self.submit(picture)
            audit.say_pictures(request, [snapshot.id], more=snapshot.camera)
            # One that was handed in before may have been looked at long ago.
            seen = await run_in_threadpool(self._context.index.entry, snapshot.id)
            if asked.wait and seen is None:
                await watch.until(snapshot.id, asked.wait)
        return await accepted(self._context, snapshot.id, waited=asked.wait > 0)

    async def submit(self, picture: UploadedPicture) -> Snapshot:
        """Have it recorded. Raises `BadRequest`, `NotFound`, `TooLarge`, `BadPicture`, and any Transient."""
        camera = named_camera(self._context, picture.params.camera)
        params = picture.params
        # A restarted web server has another loop, and a semaphore belongs to one.
        async with self._turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE)):
            data = await run_in_threadpool(picture.file.read, self._context.max_upload + 1)
            if len(data) > self._context.max_upload:
                raise forms.too_large(self._context.max_upload)
            return await run_in_threadpool(
                lambda: self._context.http_uploads.submit(
                    data,
                    camera=camera,
                    label=self._context.cameras[camera].label,
                    name=checked_name(picture.name),
                    taken_at=at_home(params.taken_at, self._context.zone) if params.taken_at else None,
                    note=params.note,
                )
            )

    @asynccontextmanager
    async def _picture(
        self, request: Request, asked: request_models.UploadParams
    ) -> AsyncGenerator[UploadedPicture, None]:
        """The uploaded picture, and its description; its file is deleted when this ends."""
        kind = forms.media_type(request)
        if kind == forms.MULTIPART:
            async with forms.files_of(request, most=self._context.max_upload, files=1) as form:
                yield _from_form(form, asked)
        elif kind in BARE:
            async with _bare(request, most=self._context.max_upload) as file:
                yield UploadedPicture(file, "", asked)
        else:
            raise UnsupportedMedia(
                "unsupported_media", f"send a form ({forms.MULTIPART}) or a picture ({', '.join(BARE)})"
            )


def named_camera(context: WebContext, name: str) -> str:
    """The device key of a name, which may be empty where there is one camera. Raises `BadRequest`, `NotFound`."""
    cameras = context.cameras
    known = ", ".join(cameras) or "none"
    if not name and len(cameras) == 1:
        return next(iter(cameras))
    if not name:
        raise BadRequest("camera_needed", f"camera: name the picture's camera; there are: {known}")
    camera = context.camera(name)
    if camera is None:
        raise NotFound("unknown_camera", f"no camera {name[:60]!r}; there are: {known}")
    return camera


def checked_name(name: str) -> str:
    """A file's name, which is searched for a time and never used on the disk. Raises `BadRequest`."""
    if len(name) > LONGEST_NAME or re.search(r"[/\\\x00-\x1f\x7f]", name) or name in (".", ".."):
        raise BadRequest("bad_name", "the file's name must be a plain name, without folders")
    return name


@asynccontextmanager
async def _bare(request: Request, *, most: int) -> AsyncGenerator[BinaryIO, None]:
    """The body as a file."""
    with SpooledTemporaryFile(IN_MEMORY) as file:
        async with aclosing(forms.capped(request, most=most)) as chunks:
            async for chunk in chunks:
                await run_in_threadpool(file.write, chunk)
        file.seek(0)
        yield cast(BinaryIO, file)


def _from_form(form: FormData, asked: request_models.UploadParams) -> UploadedPicture:
    """The form's picture; the form's fields override the address."""
    fields = validation.once(form.multi_items())
    image = fields.pop("image", None)
    if not isinstance(image, UploadFile):
        raise BadRequest("image_needed", "image: the form has no file of this name")
    if any(isinstance(value, UploadFile) for value in fields.values()):
        raise BadRequest("bad_form", "only `image` may be a file")
    filled = {name: value for name, value in fields.items() if value}
    in_form = validation.checked(request_models.UploadParams, filled, "bad_field")
    merged = asked.model_copy(update={name: getattr(in_form, name) for name in in_form.model_fields_set})
    return UploadedPicture(image.file, image.filename or "", merged)
