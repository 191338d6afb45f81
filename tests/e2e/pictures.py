"""Pictures for the tests' cameras, no two alike."""

from __future__ import annotations

import io
from collections.abc import Coroutine
from functools import lru_cache
from typing import Any

from PIL import Image

from tests.simulators.camera import CameraSimulator, Request

COMMENT = b"\xff\xfe"
"""JPEG's marker for a comment, ITU-T T.81, section B.2.4.5."""


class StampingCameras(CameraSimulator):
    """Cameras at `/stamped/NAME` whose every picture says whose it is, and which one."""

    def __enter__(self) -> StampingCameras:
        super().__enter__()
        return self

    def be_stamped(self, request: Request, connection: Any) -> Coroutine[Any, Any, None] | None:
        picture = stamped(self.picture, f"{request.camera} {self.load(request.camera).requests}")
        if self.delay:
            reply: Coroutine[Any, Any, None] = connection.reply_after(self.delay, picture)
            return reply
        connection.reply(picture)
        return None


def jpeg(width: int = 640, height: int = 480) -> bytes:
    """A picture of nothing, of the size of a camera's."""
    ramp = Image.linear_gradient("L").resize((width, height))
    buffer = io.BytesIO()
    Image.merge("RGB", (ramp, ramp.transpose(Image.Transpose.ROTATE_180), ramp)).save(buffer, "JPEG")
    return buffer.getvalue()


def stamped(picture: bytes, text: str) -> bytes:
    """The same JPEG with a comment at its beginning."""
    comment = text.encode()
    return picture[:2] + COMMENT + (len(comment) + 2).to_bytes(2, "big") + comment + picture[2:]


@lru_cache(maxsize=10_000)
def stamp_of(picture: bytes) -> str:
    """The comment of a picture that decodes; raises OSError for one that does not."""
    with Image.open(io.BytesIO(picture)) as image:
        image.load()
        comment: bytes = image.info["comment"]
    return comment.decode()
