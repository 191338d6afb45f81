"""Pictures are brought under limits, and left alone where they fit."""

from __future__ import annotations

import pytest
from PIL import Image

from app.media.fit import fit
from app.media.picture import BadPicture, examine
from tests.fakes.pictures import busy, encoded, scene, turned

LIMITS = {"formats": ("JPEG", "PNG"), "max_bytes": 200_000, "min_side": 80, "max_side": 2000}


def fitted(data: bytes, **changes: object) -> bytes:
    return fit(data, **{**LIMITS, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_that_fits_is_returned_as_it_is(kind: str) -> None:
    data = encoded(scene(), kind)
    assert fitted(data) is data


def test_a_format_that_is_not_taken_becomes_a_jpeg_of_the_same_size() -> None:
    now = examine(fitted(encoded(scene(), "WEBP")))
    assert (now.format, now.width, now.height) == ("JPEG", 1280, 720)


def test_too_many_bytes_are_brought_under_the_limit() -> None:
    data = encoded(busy(1600, 1200), quality=95)
    assert len(data) > 200_000
    small = fitted(data)
    assert len(small) <= 200_000
    assert examine(small).format == "JPEG"


def test_too_many_pixels_a_side_are_brought_under_the_limit() -> None:
    now = examine(fitted(encoded(scene()), max_side=640))
    assert (now.width, now.height) == (640, 360)


def test_too_few_pixels_a_side_are_enlarged() -> None:
    now = examine(fitted(encoded(busy(120, 40))))
    assert (now.width, now.height) == (240, 80)


def test_a_picture_turned_by_exif_keeps_its_looks_when_it_is_made_smaller() -> None:
    now = examine(fitted(turned(scene(), 6), max_side=640))
    assert (now.width, now.height) == (640, 360)


def test_a_strip_that_no_scaling_can_help_is_refused() -> None:
    with pytest.raises(BadPicture) as caught:
        fitted(encoded(Image.new("RGB", (1900, 2))))
    assert caught.value.code == "too_narrow"


def test_a_limit_that_no_quality_meets_is_refused_instead_of_tried_for_ever() -> None:
    with pytest.raises(BadPicture) as caught:
        fitted(encoded(busy(640, 480)), max_bytes=500)
    assert caught.value.code == "too_large"
