"""Pictures drawn by code: scenes with people in them, and any format to send them in."""

from __future__ import annotations

import io
from collections.abc import Iterable

from PIL import Image, ImageDraw, ImageFilter
from pillow_heif import from_pillow

SCENE = (1280, 720)
"""Pixels of `scene`."""

GROUND = 660
"""Where the figures in `scene` stand, in pixels from the top."""


def scene(figures: Iterable[tuple[int, int]] = ()) -> Image.Image:
    """A plain grey yard with figures in it, each given by the middle of its feet and its height in pixels."""
    image = Image.new("L", SCENE, 190)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 520, *SCENE), fill=151)
    for x, height in figures:
        _figure(draw, x, height)
    return image.filter(ImageFilter.GaussianBlur(1)).convert("RGB")


def busy(width: int, height: int) -> Image.Image:
    """Something that does not compress to nothing."""
    noise = Image.effect_noise((width, height), 60)
    return Image.merge("RGB", (noise, noise.transpose(Image.Transpose.FLIP_LEFT_RIGHT), noise))


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """The image as a file's bytes; `kind` and `options` are Pillow's."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def heic(image: Image.Image) -> bytes:
    """The image as a HEIC file."""
    buffer = io.BytesIO()
    from_pillow(image).save(buffer, quality=60)
    return buffer.getvalue()


def decoded(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def turned(image: Image.Image, orientation: int) -> bytes:
    """A JPEG stored lying on its side, whose EXIF orientation (6 or 8) makes it look like `image`."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    turn = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}[orientation]
    return encoded(image.transpose(turn), exif=exif)


def _figure(draw: ImageDraw.ImageDraw, x: int, height: int) -> None:
    """Head, trunk, arms and two legs, eight heads tall."""
    unit = height / 8
    top = GROUND - height
    dark, darker = 47, 31

    def at(across: float, down: float) -> tuple[float, float]:
        return x + across * unit, top + down * unit

    draw.ellipse((*at(-0.52, 0), *at(0.52, 1.2)), fill=dark)
    draw.polygon([at(-0.95, 1.45), at(0.95, 1.45), at(0.72, 4.3), at(-0.72, 4.3)], fill=dark)
    for side in (-1, 1):
        draw.line([at(side * 0.95, 1.6), at(side * 1.3, 4.1)], fill=dark, width=max(1, round(0.42 * unit)))
        draw.line([at(side * 0.36, 4.1), at(side * 0.6, 7.9)], fill=darker, width=max(1, round(0.62 * unit)))
