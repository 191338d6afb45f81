"""Pictures for the tests' cameras, no two alike."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image


def jpeg(width: int = 640, height: int = 480) -> bytes:
    """A picture of nothing, of the size of a camera's."""
    ramp = Image.linear_gradient("L").resize((width, height))
    buffer = io.BytesIO()
    Image.merge("RGB", (ramp, ramp.transpose(Image.Transpose.ROTATE_180), ramp)).save(buffer, "JPEG")
    return buffer.getvalue()


@lru_cache(maxsize=10_000)
def stamp_of(picture: bytes) -> str:
    """The comment of a picture that decodes; raises OSError for one that does not."""
    with Image.open(io.BytesIO(picture)) as image:
        image.load()
        comment: bytes = image.info["comment"]
    return comment.decode()
