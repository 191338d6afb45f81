"""What is kept of a camera's picture: turned, cut and masked, and nothing of what was there before."""

from __future__ import annotations

import io
import itertools
from typing import Any

import pytest
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from app.media.adjustments import Adjustments, Polygon
from app.media.develop import developed, shared
from app.media.picture import BadPicture, Picture, exif, upright
from app.messages import Box
from tests.fakes.pictures import encoded as with_kind
from tests.fakes.pictures import heic

RED, BLUE, GREEN, YELLOW, BLACK = (255, 0, 0), (0, 0, 255), (0, 128, 0), (255, 255, 0), (0, 0, 0)
CORNER: Polygon = ((0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5))
"""The upper left quarter."""
TAKEN, OFFSET = "2026:03:04 12:00:00", "+01:00"


def quarters(width: int = 64, height: int = 48) -> Image.Image:
    """Red, blue / green, yellow."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height // 2))
    image.paste(GREEN, (0, height // 2, width // 2, height))
    image.paste(YELLOW, (width // 2, height // 2, width, height))
    return image


def labelled(*, orientation: int = 1, thumbnail: bytes = b"") -> bytes:
    """EXIF as a phone writes it: place, camera, times, and a thumbnail."""
    found = Image.Exif()
    found[0x010F], found[0x0112], found[0x0132] = "Maker", orientation, TAKEN
    found.get_ifd(0x8769).update({0x9003: TAKEN, 0x9011: OFFSET, 0x927C: b"secret of the maker"})
    found.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0)})
    return found.tobytes() + thumbnail


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    return with_kind(image, kind, **options)


def profile() -> bytes:
    """What looks like a colour profile (ICC.1:2022, 7.2)."""
    return (200).to_bytes(4) + bytes(12) + b"RGB " + bytes(16) + b"acsp" + bytes(160)


def text(words: str) -> PngInfo:
    info = PngInfo()
    info.add_text("Comment", words)
    return info


def pixels(data: bytes) -> Image.Image:
    return upright(data, faithful=True)


def near(one: Any, other: tuple[int, ...]) -> bool:
    return all(abs(a - b) < 24 for a, b in zip(one, other, strict=False))


def corners(image: Image.Image) -> list[Any]:
    """What is in the middle of each quarter: upper left and right, lower left and right."""
    return [
        image.getpixel((image.width * x // 4, image.height * y // 4)) for y, x in itertools.product((1, 3), repeat=2)
    ]


def test_what_has_no_adjustments_stays_as_it_came_to_the_byte() -> None:
    data = encoded(quarters(), "JPEG", exif=labelled())
    kept, picture = developed(data)
    assert kept is data
    assert picture == Picture("JPEG", 64, 48)
    with pytest.raises(BadPicture, match="cut short"):
        developed(data[:-40])


@pytest.mark.parametrize(
    ("rotate", "expected"),
    [
        (90, [GREEN, RED, YELLOW, BLUE]),
        (180, [YELLOW, GREEN, BLUE, RED]),
        (270, [BLUE, YELLOW, RED, GREEN]),
    ],
)
def test_a_picture_is_turned_clockwise(rotate: Any, expected: list[Any]) -> None:
    kept, picture = developed(encoded(quarters()), Adjustments(rotate=rotate))
    assert corners(pixels(kept)) == expected
    assert (picture.width, picture.height) == ((64, 48) if rotate == 180 else (48, 64)) == pixels(kept).size


def test_a_picture_is_upright_then_turned_then_cut_then_masked() -> None:
    lying = quarters().transpose(Image.Transpose.ROTATE_90)  # as a camera that lies on its side writes it
    data = encoded(lying, "JPEG", quality=95, exif=labelled(orientation=6))
    assert near(corners(pixels(data))[0], RED)
    kept, picture = developed(data, Adjustments(90, Box(0.0, 0.5, 1.0, 0.5), (CORNER,)))
    assert (picture.width, picture.height) == (48, 32)
    image = pixels(kept)
    assert image.size == (48, 32)
    assert [near(image.getpixel((x, y)), colour) for x, y, colour in ((12, 8, BLACK), (36, 8, BLUE), (12, 24, YELLOW))]
    assert all(near(image.getpixel((x, y)), BLACK) for x in range(20) for y in range(12))
    assert "exif" in Image.open(io.BytesIO(kept)).info
    assert exif(kept).get(0x0112, 1) == 1


SHAPES: list[Polygon] = [
    CORNER,
    ((0.31, 0.12), (0.77, 0.41), (0.22, 0.88)),
    ((0.503, 0.0), (0.511, 0.0), (0.511, 1.0), (0.503, 1.0)),
    ((0.1, 0.1), (0.9, 0.13), (0.9, 0.9), (0.5, 0.2), (0.11, 0.9)),
    ((0.0, 0.9), (1.0, 0.97), (1.0, 1.0), (0.0, 1.0)),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [(64, 48), (41, 67)])
def test_no_pixel_that_a_mask_touches_is_left(shape: Polygon, size: tuple[int, int]) -> None:
    white = Image.new("RGB", size, "white")
    kept, _ = developed(encoded(white), Adjustments(masks=(shape,)))
    image = pixels(kept)
    large = Image.new("L", (size[0] * 16, size[1] * 16), 0)
    ImageDraw.Draw(large).polygon([(x * large.width, y * large.height) for x, y in shape], fill=255)
    touched = large.reduce(16).point(lambda value: 255 if value else 0)
    wide = 0
    for x, y in itertools.product(range(size[0]), range(size[1])):
        if touched.getpixel((x, y)):
            assert image.getpixel((x, y)) == BLACK, (x, y)
        wide += image.getpixel((x, y)) == BLACK
    edge = 4 * (size[0] + size[1])
    assert wide < sum(value > 0 for value in touched.tobytes()) + 2 * edge


WRITTEN = {"JPEG": "JPEG", "PNG": "PNG", "WEBP": "WEBP", "BMP": "BMP", "HEIC": "JPEG"}


def as_sent(kind: str, **options: Any) -> bytes:
    """A picture of this format with all that phones and cameras write beside its pixels."""
    image = quarters()
    if kind == "HEIC":
        return heic(image)
    if kind == "BMP":
        return encoded(image, kind)
    found = labelled(thumbnail=encoded(image.resize((16, 12)), "JPEG"), **options)
    return encoded(image, kind, exif=found, icc_profile=profile(), quality=95, lossless=True)


@pytest.mark.parametrize("kind", WRITTEN)
def test_a_masked_picture_keeps_its_time_and_colours_and_nothing_else(kind: str) -> None:
    data = as_sent(kind)
    kept, picture = developed(data, Adjustments(masks=(CORNER,)))
    image = Image.open(io.BytesIO(kept))
    assert image.format == picture.format == WRITTEN[kind]
    assert [near(one, other) for one, other in zip(corners(pixels(kept)), (BLACK, BLUE, GREEN, YELLOW), strict=True)]
    assert not near(corners(pixels(kept))[0], RED)
    found = exif(kept)
    assert b"Maker" not in kept
    assert b"secret of the maker" not in kept
    assert not found.get_ifd(0x8825)
    assert kept.count(b"\xff\xd8\xff") == (1 if picture.format == "JPEG" else 0)
    if kind not in ("BMP", "HEIC"):
        assert found.get_ifd(0x8769) == {0x9003: TAKEN, 0x9011: OFFSET}
        assert image.info["icc_profile"] == profile()


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("kind", WRITTEN)
def test_others_get_the_same_pixels_and_nothing_beside_them(kind: str, orientation: int) -> None:
    data = as_sent(kind, **({"orientation": orientation} if kind not in ("BMP", "HEIC") else {}))
    plain, is_now = shared(data + b"a video behind it")
    assert is_now == WRITTEN[kind]
    assert b"a video behind it" not in plain
    if kind != "HEIC":
        assert pixels(plain).tobytes() == pixels(data).tobytes()
    left = exif(plain)
    assert {**left} == ({} if orientation == 1 or kind in ("BMP", "HEIC") else {0x0112: orientation})
    assert not left.get_ifd(0x8825)
    assert b"Maker" not in plain
    assert plain.count(b"\xff\xd8\xff") == (1 if is_now == "JPEG" else 0)
    if kind not in ("BMP", "HEIC"):
        assert Image.open(io.BytesIO(plain)).info["icc_profile"] == profile()
    kept, picture = developed(data, Adjustments(keep_metadata=False))
    assert (kept, picture.format) == (shared(data)[0], is_now)


def test_comments_between_scans_and_texts_of_a_png_go_too() -> None:
    slow = encoded(quarters(), "JPEG", progressive=True, comment=b"at home", xmp=b"<x:xmpmeta/>")
    second = slow.index(b"\xff\xda", slow.index(b"\xff\xda") + 2)
    slow = slow[:second] + b"\xff\xfe\x00\x0aat night" + slow[second:]
    for data in (slow, encoded(quarters(), pnginfo=text("at home"))):
        plain, _ = shared(data)
        assert pixels(plain).tobytes() == pixels(data).tobytes()
        assert not [word for word in (b"at home", b"at night", b"xmpmeta") if word in plain]
    without = encoded(quarters(), "JPEG")
    assert shared(without) == (without, "JPEG")


def test_a_picture_in_motion_is_a_still_one_where_it_is_masked() -> None:
    other = quarters().transpose(Image.Transpose.ROTATE_180)
    for kind in ("WEBP", "PNG"):
        data = encoded(quarters(), kind, save_all=True, append_images=[other], duration=100, lossless=True)
        assert getattr(Image.open(io.BytesIO(data)), "n_frames", 1) == 2
        kept, _ = developed(data, Adjustments(masks=(CORNER,)))
        assert getattr(Image.open(io.BytesIO(kept)), "n_frames", 1) == 1
        assert getattr(Image.open(io.BytesIO(shared(data)[0])), "n_frames", 1) == 2


def test_what_is_clear_is_hidden_all_the_same() -> None:
    clear = Image.new("RGBA", (64, 48), (255, 0, 0, 0))
    kept, _ = developed(encoded(clear), Adjustments(masks=(CORNER,)))
    assert Image.open(io.BytesIO(kept)).convert("RGBA").getpixel((16, 12)) == (0, 0, 0, 255)


def test_what_does_not_decode_is_refused_with_a_mask_too() -> None:
    data = encoded(quarters(), "JPEG")
    for wrong, code in ((data[:-40], "truncated"), (b"<html></html>", "not_an_image")):
        with pytest.raises(BadPicture, match=code):
            developed(wrong, Adjustments(masks=(CORNER,)))
    with pytest.raises(BadPicture, match="pixel_bomb"):
        developed(data, Adjustments(masks=(CORNER,)), max_pixels=1000)


def test_a_crop_leaves_at_least_a_pixel() -> None:
    kept, picture = developed(encoded(quarters()), Adjustments(crop=Box(0.999, 0.999, 0.001, 0.001)))
    assert (picture.width, picture.height) == pixels(kept).size == (1, 1)
