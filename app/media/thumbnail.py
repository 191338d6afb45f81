"""Small pictures for lists and messages."""

from __future__ import annotations

import io

from PIL import Image

from app.media.picture import upright


def thumbnail(picture: bytes, *, width: int = 480) -> bytes:
    """The picture as an upright JPEG at most `width` pixels wide and twice that high, never enlarged.

    Raises `BadPicture`.
    """
    image = upright(picture, width=width)
    # The decoder has done most of the shrinking already, so what is left is at most a half.
    image.thumbnail((width, 2 * width), Image.Resampling.BICUBIC, reducing_gap=None)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=82)
    return buffer.getvalue()
