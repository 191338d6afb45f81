"""The one way from a camera's bytes to the picture that is kept: turned, cut and masked; and what others get of it."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image, ImageDraw

from app.media.adjustments import AS_IT_CAME, Adjustments, Polygon
from app.media.formats import format_of
from app.media.metadata import ORIENTED, without_metadata
from app.media.picture import (
    MAX_PIXELS,
    ORIENTATION,
    Picture,
    describe,
    examine,
    exif,
    on_white,
    room_for,
    upright,
)
from app.messages import Box

QUALITY = 92
"""Of a JPEG or WebP that is encoded anew, 1..100."""
MAX_TEXT = 64
"""Characters of a text of the EXIF that are kept; a time has 19."""

_TURNS = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}
"""Degrees clockwise -> Pillow's, which turns the other way."""
_DATE_TIME, _EXIF_IFD = 0x0132, 0x8769
_TIMES = (0x9003, 0x9010, 0x9011, 0x9291)
"""Exif 2.31: DateTimeOriginal, OffsetTime, OffsetTimeOriginal, SubSecTimeOriginal."""
_WRITTEN = {"JPEG": "JPEG", "HEIC": "JPEG", "PNG": "PNG", "WEBP": "WEBP", "BMP": "BMP"}
"""Format of a picture -> the one in which it is encoded anew."""


def developed(
    data: bytes, adjustments: Adjustments = AS_IT_CAME, *, max_pixels: int = MAX_PIXELS
) -> tuple[bytes, Picture]:
    """A camera's picture as it may be kept, and what it is; decoded completely. Raises `BadPicture`.

    Without adjustments these are the same bytes. A picture that is turned, cut or painted over is encoded anew, in its
    own format (a HEIC as JPEG) at quality 92. It keeps its colour profile and its capture time and nothing else: no
    thumbnail, no place, no second view, and of an animated picture the first frame alone.
    """
    if not adjustments.repaints:
        picture = examine(data, max_pixels=max_pixels)
        if adjustments.keep_metadata:
            return data, picture
        if (plain := without_metadata(data, picture.format, orientation=_orientation(data, max_pixels))) is not None:
            return plain, picture
    return _repainted(data, adjustments, max_pixels)


def shared(data: bytes, *, max_pixels: int = MAX_PIXELS) -> tuple[bytes, str]:
    """A picture that is kept, as others may have it: without EXIF, place, texts and thumbnails; and its format.

    The pixels are the same, to the bit; a HEIC becomes a JPEG. Raises `BadPicture`.
    """
    kind = format_of(data[:1024])
    plain = without_metadata(data, kind, orientation=_orientation(data, max_pixels))
    if plain is not None:
        return plain, kind
    plain, picture = _repainted(data, AS_IT_CAME, max_pixels)
    return plain, picture.format


def _repainted(data: bytes, adjustments: Adjustments, max_pixels: int) -> tuple[bytes, Picture]:
    is_now = describe(data, max_pixels=max_pixels)
    kind = _WRITTEN[is_now.format]
    with room_for(is_now.width, is_now.height):
        image = upright(data, faithful=True, max_pixels=max_pixels)
        options: dict[str, Any] = {}
        if profile := image.info.get("icc_profile"):
            options["icc_profile"] = profile
        if adjustments.keep_metadata and kind != "BMP" and (times := _times(data, max_pixels)):
            options["exif"] = times
        if adjustments.rotate:
            image = image.transpose(_TURNS[adjustments.rotate])
        if adjustments.crop:
            image = image.crop(_pixels(adjustments.crop, image.size))
        if kind in ("JPEG", "BMP"):
            image = on_white(image)
        image.info.clear()
        _paint_over(image, adjustments.masks)
        buffer = io.BytesIO()
        image.save(buffer, kind, quality=QUALITY, **options)
        return buffer.getvalue(), Picture(kind, *image.size)


def _pixels(crop: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is left; at least one pixel."""
    width, height = size
    left, top = min(round(crop.left * width), width - 1), min(round(crop.top * height), height - 1)
    right, bottom = round((crop.left + crop.width) * width), round((crop.top + crop.height) * height)
    return left, top, min(width, max(left + 1, right)), min(height, max(top + 1, bottom))


def _paint_over(image: Image.Image, masks: tuple[Polygon, ...]) -> None:
    """Every pixel that a mask touches becomes black, and three more around it."""
    draw = ImageDraw.Draw(image)
    for mask in masks:
        corners = [(x * image.width - 0.5, y * image.height - 0.5) for x, y in mask]  # Pillow's pixels are points
        draw.polygon(corners, fill="black")
        # Pillow leaves out pixels of which less than a half is inside, and goes by whole pixels along an edge.
        draw.line([*corners, corners[0]], fill="black", width=7)
        for x, y in corners:
            draw.rectangle((x - 2, y - 2, x + 2, y + 2), fill="black")


def _times(data: bytes, max_pixels: int) -> bytes:
    """EXIF with when the picture was taken, and nothing else; empty where it does not say."""
    kept = Image.Exif()
    try:
        found = exif(data, max_pixels=max_pixels)
        if isinstance(taken := found.get(_DATE_TIME), str):
            kept[_DATE_TIME] = taken[:MAX_TEXT]
        inner = found.get_ifd(_EXIF_IFD)
        for tag in _TIMES:
            if isinstance(text := inner.get(tag), str):
                kept.get_ifd(_EXIF_IFD)[tag] = text[:MAX_TEXT]
        return kept.tobytes() if len(kept) or kept.get_ifd(_EXIF_IFD) else b""
    except Exception:  # noqa: BLE001 - Pillow raises anything at all on hostile EXIF
        return b""


def _orientation(data: bytes, max_pixels: int) -> int:
    """By its EXIF, 1..8; 1 where it has none that can be read."""
    try:
        orientation = exif(data, max_pixels=max_pixels).get(ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - as above
        return 1
    return orientation if orientation in ORIENTED else 1
