"""Small pictures for lists, messages and screens."""

from __future__ import annotations

import io

from PIL import Image

from app.media.picture import MAX_PIXELS, describe, upright


def thumbnail(picture: bytes, *, width: int = 480, max_pixels: int = MAX_PIXELS) -> bytes:
    """The picture as an upright JPEG at most `width` pixels wide and twice that high, never enlarged.

    Raises `BadPicture`.
    """
    return _shrunk(upright(picture, width=width, max_pixels=max_pixels), (width, 2 * width), quality=82)


def preview(picture: bytes, *, side: int = 2048, max_pixels: int = MAX_PIXELS) -> bytes:
    """The picture as an upright JPEG for a screen, at most `side` pixels a side, never enlarged.

    Raises `BadPicture`.
    """
    is_now = describe(picture, max_pixels=max_pixels)
    width = max(1, is_now.width * side // max(side, is_now.width, is_now.height))
    return _shrunk(upright(picture, width=width, max_pixels=max_pixels), (side, side), quality=85)


def _shrunk(image: Image.Image, box: tuple[int, int], *, quality: int) -> bytes:
    # The decoder has done most of the shrinking already, so at most a half remains.
    image.thumbnail(box, Image.Resampling.BICUBIC, reducing_gap=None)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
