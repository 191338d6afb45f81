"""Small pictures for lists, messages, screens and buckets."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageOps, features

from app.media.picture import MAX_PIXELS, ORIENTATION, Picture, describe, exif, on_white, upright

WRITTEN = ("JPEG", "WEBP", "PNG", "AVIF")
"""Pillow's names of the formats that a small picture can have; AVIF is not in every Pillow."""

WIDTH = 480
"""Pixels of a thumbnail in lists and messages."""

MAX_EXIF = 65_000
"""Bytes of EXIF that is kept: a JPEG's segment takes 65,533."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a small picture is to be."""

    width: int
    height: int
    """Of the box that it fits, in pixels."""
    cover: bool = False
    """Cut to the box's shape, so that it fills the box; else its longest side decides."""
    format: str = ""
    """One of `WRITTEN`; empty for the picture's own, and JPEG where that is none of them."""
    quality: int = 82
    """1..100; PNG has none."""
    keep_metadata: bool = False
    """Whether its EXIF stays."""


@dataclass(frozen=True, slots=True)
class SmallPicture:
    """A picture made smaller."""

    data: bytes
    format: str
    """One of `WRITTEN`."""


def shrink(picture: bytes, wanted: Wanted, *, max_pixels: int = MAX_PIXELS) -> SmallPicture:
    """The picture as it is wanted: upright, never enlarged, its colour profile kept, transparency too but in a JPEG.

    Of an animated picture it is the first frame. Raises `app.media.picture.BadPicture`.
    """
    is_now = describe(picture, max_pixels=max_pixels)
    kind = wanted.format or (is_now.format if is_now.format in WRITTEN else "JPEG")
    image = upright(picture, width=_least_width(is_now, wanted), faithful=True, max_pixels=max_pixels)
    profile = image.info.pop("icc_profile", None)
    small = _scaled(on_white(image) if kind == "JPEG" else image, is_now, wanted)
    options: dict[str, Any] = {"icc_profile": profile} if profile else {}
    if wanted.keep_metadata and (kept := _exif(picture, max_pixels)):
        options["exif"] = kept
    buffer = io.BytesIO()
    small.save(buffer, kind, quality=wanted.quality, **options)
    return SmallPicture(buffer.getvalue(), kind)


def can_write(kind: str) -> bool:
    """Whether this machine's Pillow writes this format of `WRITTEN`."""
    return kind in ("JPEG", "PNG") or bool(features.check(kind.lower()))


def thumbnail(picture: bytes, *, width: int = WIDTH, max_pixels: int = MAX_PIXELS) -> bytes:
    """The picture as an upright JPEG at most `width` pixels wide and twice that high, never enlarged.

    Raises `BadPicture`.
    """
    return shrink(picture, Wanted(width, 2 * width, format="JPEG"), max_pixels=max_pixels).data


def preview(picture: bytes, *, side: int = 2048, max_pixels: int = MAX_PIXELS) -> bytes:
    """The picture as an upright JPEG for a screen, at most `side` pixels a side, never enlarged.

    Raises `BadPicture`.
    """
    return shrink(picture, Wanted(side, side, format="JPEG", quality=85), max_pixels=max_pixels).data


def _least_width(now: Picture, wanted: Wanted) -> int:
    """How wide it must be decoded at least."""
    across, down = wanted.width, -(-wanted.height * now.width // now.height)
    return min(now.width, max(across, down) if wanted.cover else min(across, down))


def _scaled(image: Image.Image, now: Picture, wanted: Wanted) -> Image.Image:
    if not wanted.cover:
        # By the picture's own shape: the decoder has done most of the shrinking already, and rounds each side up.
        fits = min(1.0, wanted.width / now.width, wanted.height / now.height)
        size = max(1, round(now.width * fits)), max(1, round(now.height * fits))
        return image if image.size == size else image.resize(size, Image.Resampling.BICUBIC)
    factor = min(1.0, image.width / wanted.width, image.height / wanted.height)
    size = max(1, round(wanted.width * factor)), max(1, round(wanted.height * factor))
    return ImageOps.fit(image, size, Image.Resampling.BICUBIC)


def _exif(picture: bytes, max_pixels: int) -> bytes:
    """The picture's EXIF without its orientation; empty where there is none, or none that can be read."""
    try:
        found = exif(picture, max_pixels=max_pixels)
        found.pop(ORIENTATION, None)
        written = found.tobytes() if found else b""
    except Exception:  # noqa: BLE001 - Pillow raises anything at all on hostile EXIF
        return b""
    return written if len(written) <= MAX_EXIF else b""
