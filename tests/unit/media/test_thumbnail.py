"""Thumbnails are small, upright and cheap."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PIL import Image

from app.media.picture import BadPicture
from app.media.thumbnail import preview, thumbnail
from tests.fakes.pictures import busy, decoded, encoded, scene, turned


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP"])
def test_a_thumbnail_is_a_jpeg_as_wide_as_asked(kind: str) -> None:
    small = decoded(thumbnail(encoded(scene(), kind), width=320))
    assert (small.format, small.size) == ("JPEG", (320, 180))


def test_a_small_picture_is_not_enlarged() -> None:
    assert decoded(thumbnail(encoded(busy(200, 100)))).size == (200, 100)


def test_a_tall_picture_is_bounded_in_height_too() -> None:
    assert decoded(thumbnail(encoded(busy(100, 4000)), width=100)).size == (5, 200)


@pytest.mark.parametrize("orientation", [6, 8])
def test_a_picture_taken_on_its_side_stands_upright(orientation: int) -> None:
    image = scene()
    image.paste((250, 20, 20), (0, 0, 640, 360))  # red in the upper left quarter
    small = decoded(thumbnail(turned(image, orientation), width=320))
    assert small.size == (320, 180)
    assert red(small.getpixel((40, 40)))
    assert not red(small.getpixel((280, 40)))
    assert not red(small.getpixel((40, 140)))
    assert not small.getexif()


def red(pixel: object) -> bool:
    assert isinstance(pixel, tuple)
    return bool(pixel[0] > 200 and pixel[1] < 80)


@pytest.mark.parametrize("make", [thumbnail, preview])
def test_what_is_no_picture_or_too_large_is_refused(make: Callable[..., bytes]) -> None:
    with pytest.raises(BadPicture):
        make(b"<html>")
    with pytest.raises(BadPicture, match="pixel_bomb"):
        make(encoded(busy(200, 100)), max_pixels=19_999)


@pytest.mark.parametrize(
    ("size", "shown"),
    [((3840, 2160), (2048, 1152)), ((2160, 3840), (1152, 2048)), ((640, 480), (640, 480)), ((4000, 2), (2048, 1))],
)
def test_a_preview_is_bounded_on_both_sides(size: tuple[int, int], shown: tuple[int, int]) -> None:
    assert decoded(preview(encoded(Image.new("RGB", size)))).size == shown
