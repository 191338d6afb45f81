"""Brings a picture under the limits of a service."""

from __future__ import annotations

import io

from PIL import Image

from app.media.picture import BadPicture, describe, upright

_QUALITIES = (90, 80, 65)

CODES = {
    "too_narrow": ("The picture is too narrow for the detector.", "choose another picture size in the camera"),
    "too_large": ("The picture is too large for the detector.", "choose a smaller picture in the camera"),
}
"""Code -> what happened, and what to do about it."""


def fit(picture: bytes, *, formats: tuple[str, ...], max_bytes: int, min_side: int, max_side: int) -> bytes:
    """The picture itself when it fits already, else an upright JPEG of it that does.

    `formats` are Pillow's names; sides are in pixels. Raises `BadPicture`, with the code `too_narrow` when
    a picture cannot be enlarged to `min_side` without growing over `max_side`.
    """
    is_now = describe(picture)
    short, long = sorted((is_now.width, is_now.height))
    if is_now.format in formats and len(picture) <= max_bytes and short >= min_side and long <= max_side:
        return picture
    factor = max(min(1.0, max_side / long), min_side / short)
    if round(long * factor) > max_side:
        raise BadPicture(
            "too_narrow",
            f"A picture of {is_now.width} x {is_now.height} pixels cannot be brought between {min_side} and"
            f" {max_side} pixels a side.",
        )
    width = max(min_side, round(is_now.width * factor))
    height = max(min_side, round(is_now.height * factor))
    image = upright(picture, width=width).resize((width, height), Image.Resampling.BICUBIC)
    return _encode(image, max_bytes=max_bytes, min_side=min_side)


def _encode(image: Image.Image, *, max_bytes: int, min_side: int) -> bytes:
    while True:
        for quality in _QUALITIES:
            buffer = io.BytesIO()
            image.save(buffer, "JPEG", quality=quality)
            if buffer.tell() <= max_bytes:
                return buffer.getvalue()
        if min(image.size) <= min_side:
            raise BadPicture("too_large", f"The picture cannot be brought under {max_bytes} bytes.")
        image = image.resize((max(min_side, image.width // 2), max(min_side, image.height // 2)))
