"""Small pictures fit, stand upright, keep what they should, and are cheap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from PIL import Image

from app.media.alike import fingerprint
from app.media.film import opened
from app.media.picture import MAX_PIXELS, MAX_PROFILE, ORIENTATION, BadPicture, upright
from app.media.thumbnail import WRITTEN, Wanted, can_write, preview, shrink, thumbnail
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


def framed(picture: bytes, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    return opened(picture, (64, 64), max_pixels=max_pixels)


@pytest.mark.parametrize("make", [thumbnail, preview, fingerprint, framed])
def test_what_is_no_picture_or_too_large_is_refused(make: Callable[..., object]) -> None:
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


SIDES = st.integers(1, 120)


def profile(space: bytes = b"RGB ", size: int = 200) -> bytes:
    """What looks like a colour profile (ICC.1:2022, 7.2)."""
    head = size.to_bytes(4) + bytes(12) + space + bytes(16) + b"acsp"
    return head.ljust(size, b"\1")


@given(SIDES, SIDES, SIDES, SIDES, st.integers(1, 8))
@example(17, 94, 1, 6, 1)
@example(20, 5, 4, 1, 1)
@example(9, 66, 7, 1, 7)
def test_the_whole_picture_fits_its_box_upright_and_is_never_enlarged(
    width: int, height: int, across: int, down: int, orientation: int
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    seen = (width, height) if orientation < 5 else (height, width)
    small = decoded(shrink(encoded(Image.new("RGB", (width, height)), exif=exif), Wanted(across, down)).data)
    assert small.width <= min(seen[0], across)
    assert small.height <= min(seen[1], down)
    assert small.size == seen or small.width == across or small.height == down
    factor = min(1, across / seen[0], down / seen[1])
    # By its own shape: libjpeg, which decodes at an eighth, makes 3 x 12 of 17 x 94, a little wider than they are.
    assert abs(small.width - seen[0] * factor) < 1
    assert abs(small.height - seen[1] * factor) < 1


@given(SIDES, SIDES, SIDES, SIDES)
def test_one_that_covers_its_box_fills_it_as_far_as_it_reaches(width: int, height: int, across: int, down: int) -> None:
    wanted = Wanted(across, down, cover=True)
    small = decoded(shrink(encoded(Image.new("RGB", (width, height))), wanted).data)
    if width >= across and height >= down:
        assert small.size == (across, down)
    else:
        assert small.width <= min(width, across)
        assert small.height <= min(height, down)
        assert small.width in (width, across) or small.height in (height, down)


def test_one_that_covers_its_box_shows_the_middle() -> None:
    image = Image.new("RGB", (300, 100), "blue")
    image.paste((250, 20, 20), (100, 0, 200, 100))
    small = decoded(shrink(encoded(image, "PNG"), Wanted(50, 50, cover=True)).data)
    assert red(small.getpixel((2, 25)))
    assert red(small.getpixel((47, 25)))


@pytest.mark.parametrize(
    ("comes_as", "wanted", "becomes"),
    [
        ("JPEG", "", "JPEG"),
        ("PNG", "", "PNG"),
        ("WEBP", "", "WEBP"),
        ("BMP", "", "JPEG"),
        *(("PNG", kind, kind) for kind in WRITTEN if can_write(kind)),
    ],
)
def test_it_has_the_picture_s_own_format_or_the_one_that_is_wanted(comes_as: str, wanted: str, becomes: str) -> None:
    made = shrink(encoded(busy(90, 60), comes_as), Wanted(30, 30, format=wanted))
    assert (made.format, decoded(made.data).format) == (becomes, becomes)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparency_stays_and_is_white_in_a_jpeg(kind: str) -> None:
    clear = encoded(Image.new("RGBA", (90, 60), (0, 0, 0, 0)), kind)
    assert decoded(shrink(clear, Wanted(30, 30)).data).convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]
    assert decoded(shrink(clear, Wanted(30, 30, format="JPEG")).data).getpixel((5, 5)) == (255, 255, 255)


@given(st.sampled_from(["JPEG", "PNG", "WEBP"]), st.sampled_from(WRITTEN), st.integers(132, 4000))
def test_a_colour_profile_stays(comes_as: str, wanted: str, size: int) -> None:
    assume(can_write(wanted))
    ours = profile(size=size)
    made = shrink(encoded(busy(40, 30), comes_as, icc_profile=ours), Wanted(20, 20, format=wanted))
    assert decoded(made.data).info["icc_profile"] == ours


@pytest.mark.parametrize("wrong", [profile(b"CMYK"), profile()[:-1], profile(size=MAX_PROFILE + 1), b"x" * 200])
def test_a_profile_that_does_not_fit_the_pixels_goes(wrong: bytes) -> None:
    assert "icc_profile" not in decoded(shrink(encoded(busy(40, 30), icc_profile=wrong), Wanted(20, 20)).data).info


@pytest.mark.parametrize("kind", [kind for kind in WRITTEN if can_write(kind)])
def test_metadata_goes_unless_it_is_to_stay_without_the_orientation(kind: str) -> None:
    exif = Image.Exif()
    exif[ORIENTATION], exif[0x010F] = 6, "A camera's maker"
    picture = encoded(busy(90, 60), exif=exif)
    assert not decoded(shrink(picture, Wanted(30, 30, format=kind)).data).getexif()
    kept = decoded(shrink(picture, Wanted(30, 30, format=kind, keep_metadata=True)).data)
    assert dict(kept.getexif()) == {0x010F: "A camera's maker"}
    assert kept.size == (20, 30)


def test_metadata_that_cannot_be_read_costs_no_thumbnail() -> None:
    broken = encoded(busy(90, 60), exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert shrink(broken, Wanted(30, 30, keep_metadata=True)).format == "JPEG"


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_an_animated_picture_is_its_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (60, 40), colour) for colour in ("red", "blue")]
    moving = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    small = decoded(shrink(moving, Wanted(30, 30)).data)
    assert getattr(small, "n_frames", 1) == 1
    assert red(small.convert("RGB").getpixel((5, 5)))


def test_a_lower_quality_is_a_smaller_file() -> None:
    picture = encoded(busy(90, 60))
    assert len(shrink(picture, Wanted(64, 64, quality=20)).data) < len(shrink(picture, Wanted(64, 64)).data)


@pytest.mark.parametrize("cover", [False, True])
def test_a_large_jpeg_is_never_decoded_in_full(cover: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded_as: list[tuple[int, int]] = []

    def watched(data: bytes, **options: Any) -> Image.Image:
        image = upright(data, **options)
        decoded_as.append(image.size)
        return image

    monkeypatch.setattr("app.media.thumbnail.upright", watched)
    shrink(encoded(Image.new("RGB", (1600, 1200))), Wanted(64, 64, cover=cover))
    assert decoded_as == [(200, 150)]
