"""Whole pictures are told from all else, cheaply and by name."""

from __future__ import annotations

import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFile, ImageOps
from PIL.WebPImagePlugin import WebPImageFile

from app.media.picture import BadPicture, Picture, describe, examine, upright
from pylib.runtime.budget import Budget
from tests.fakes.pictures import busy, decoded, encoded, heic, scene, turned

SMALL = busy(320, 240)
WHOLE = {
    "jpeg": ("JPEG", encoded(SMALL, quality=85)),
    "jpeg with a restart marker in each row": ("JPEG", encoded(SMALL, restart_marker_rows=1)),
    "progressive jpeg": ("JPEG", encoded(SMALL, progressive=True)),
    "grey jpeg": ("JPEG", encoded(SMALL.convert("L"))),
    "cmyk jpeg": ("JPEG", encoded(SMALL.convert("CMYK"))),
    "png": ("PNG", encoded(SMALL, "PNG")),
    "palette png": ("PNG", encoded(SMALL.convert("P"), "PNG")),
    "transparent png": ("PNG", encoded(SMALL.convert("RGBA"), "PNG")),
    "webp": ("WEBP", encoded(SMALL, "WEBP")),
    "lossless webp": ("WEBP", encoded(SMALL, "WEBP", lossless=True)),
    "transparent webp": ("WEBP", encoded(_holed := Image.new("RGBA", (320, 240), (9, 9, 9, 99)), "WEBP")),
    "bmp": ("BMP", encoded(SMALL, "BMP")),
    "heic": ("HEIC", heic(Image.linear_gradient("L").convert("RGB").resize((320, 240)))),
}
each_format = pytest.mark.parametrize(("kind", "data"), WHOLE.values(), ids=list(WHOLE))


def refused(data: bytes, **options: int) -> BadPicture:
    with pytest.raises(BadPicture) as caught:
        examine(data, **options)
    return caught.value


@each_format
def test_a_whole_picture_is_named_and_measured(kind: str, data: bytes) -> None:
    assert examine(data) == Picture(kind, 320, 240)


class Room(Budget):
    """Memory for one of these pictures; notes what is asked of it."""

    def __init__(self) -> None:
        super().__init__(320 * 240)
        self.asked = threading.Event()
        self.amounts: list[int] = []

    @contextmanager
    def take(self, amount: int) -> Iterator[None]:
        self.amounts.append(amount)
        self.asked.set()
        with super().take(amount):
            yield


@each_format
def test_a_large_picture_waits_until_there_is_room_for_its_pixels(
    kind: str, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room()
    monkeypatch.setattr("app.media.picture._ROOM", room)
    with room.take(room.total):
        room.asked.clear()
        assert examine(data) == Picture(kind, 320, 240)  # a small one
        monkeypatch.setattr("app.media.picture.SMALL", 1000)
        pool = ThreadPoolExecutor(1)
        examined = pool.submit(examine, data)
        assert room.asked.wait(5)
        assert not examined.done()
    assert examined.result(5) == Picture(kind, 320, 240)
    pool.shutdown()
    shrunk = kind == "JPEG" and b"\xff\xc2" not in data  # a baseline JPEG is decoded at an eighth
    assert room.amounts == [room.total, 40 * 30 if shrunk else 320 * 240]


@each_format
def test_a_picture_cut_short_anywhere_is_found(kind: str, data: bytes) -> None:
    for tenth in range(1, 10):
        assert refused(data[: len(data) * tenth // 10]).code == "truncated"
    for missing in range(1, 9):
        assert refused(data[:-missing]).code == "truncated"


@pytest.mark.parametrize("size", [(640, 480), (1920, 1080)])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_camera_sized_jpeg_cut_at_each_tenth_is_found(size: tuple[int, int], *, progressive: bool) -> None:
    data = encoded(busy(*size), progressive=progressive)
    assert (examine(data).width, examine(data).height) == size
    for tenth in range(1, 10):
        assert refused(data[: len(data) * tenth // 10]).code == "truncated"


NO_PICTURES = {
    "empty": b"",
    "a web page": b"<!DOCTYPE html>\n<html><body>Login</body></html>",
    "a web page with a comment first": b"<!-- v2 -->\r\n<HTML><HEAD>",
    "a web page from a Windows editor": b"\xef\xbb\xbf<html lang=de>f\xc3\xbcr",
    "an svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "an svg with a prolog": b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg width="9">',
    "an error in words": b'{"error": "busy"}',
    "words that start like a bmp": b"BM: camera is busy, try later",
    "a gif": b"GIF89a" + bytes(60),
    "a video": b"\0\0\0\x1cftypisom" + bytes(60),
    "a tiff": b"II*\0" + bytes(60),
    "an avif": b"\0\0\0\x1cftypavif" + bytes(60),
    "a pdf": b"%PDF-1.7\n\xe2\xe3",
    "noise": bytes(range(256)) * 4,
    "zeros": bytes(1000),
}
CODES = {
    "empty": "empty",
    "an svg": "unsupported_format",
    "an svg with a prolog": "unsupported_format",
    "a gif": "unsupported_format",
    **dict.fromkeys(("a video", "a tiff", "an avif", "a pdf"), "unsupported_format"),
}


@pytest.mark.parametrize("name", NO_PICTURES)
def test_what_is_no_picture_is_called_by_its_name(name: str) -> None:
    assert refused(NO_PICTURES[name]).code == CODES.get(name, "not_an_image")


def test_each_kind_of_non_picture_has_a_sentence_of_its_own() -> None:
    names = ("empty", "a web page", "an svg", "an error in words", "a gif", "a video", "a tiff", "noise")
    sentences = [refused(NO_PICTURES[name]).detail for name in names]
    assert len(set(sentences)) == len(names)
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in sentences)


def png_claiming(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b""))
    parts = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def jpeg_claiming(width: int, height: int) -> bytes:
    data = encoded(SMALL)
    frame = data.index(b"\xff\xc0")
    return data[: frame + 5] + struct.pack(">HH", height, width) + data[frame + 9 :]


BOMBS = {
    "png": png_claiming(60_000, 60_000),
    "jpeg": jpeg_claiming(65_000, 65_000),
    "webp": b"RIFF\x60\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\xff\0\xff\xff\0" + bytes(80),
    "lossless webp": b"RIFF\x60\0\0\0WEBPVP8L\x50\0\0\0\x2f\xff\xff\xff\x0f" + bytes(80),
    "bmp": b"BM" + struct.pack("<IHHIIiiHH", 5000, 0, 0, 54, 40, 30_000, 30_000, 1, 24) + bytes(100),
    "bmp upside down": b"BM" + struct.pack("<IHHIIiiHH", 5000, 0, 0, 54, 40, 30_000, -30_000, 1, 24) + bytes(100),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_picture_of_too_many_pixels_is_refused_by_its_header(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for plugin in (ImageFile.ImageFile, WebPImageFile):
        monkeypatch.setattr(plugin, "load", lambda _self: pytest.fail("decoded before it was measured"))
    bomb = refused(BOMBS[name])
    assert bomb.code == "pixel_bomb"
    assert "50000000" in bomb.detail


def test_the_pixel_limit_is_the_callers() -> None:
    data = encoded(SMALL)
    for read in (examine, describe, upright):
        assert read(data, max_pixels=320 * 240).width == 320
        with pytest.raises(BadPicture, match="pixel_bomb"):
            read(data, max_pixels=320 * 240 - 1)


def test_a_high_limit_needs_no_leave_from_pillow() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Pillow's own limit would warn from 90 million on, and raise from 180
        assert examine(jpeg_claiming(16_000, 16_000), max_pixels=10**9).width == 16_000


def test_a_jpeg_of_a_thousand_scans_is_refused() -> None:
    data = encoded(SMALL, progressive=True)
    scan = data.index(b"\xff\xda")
    bomb = data[:scan] + data[scan : scan + 40] * 1000 + data[scan:]
    assert refused(bomb).code == "pixel_bomb"
    with pytest.raises(BadPicture, match="pixel_bomb"):
        upright(bomb)


def test_scans_behind_the_end_are_no_scans_of_the_picture() -> None:
    assert examine(encoded(SMALL) + b"\xff\xda\0\x08" * 1000).width == 320


def test_damage_inside_a_complete_file_is_undecodable() -> None:
    png = bytearray(encoded(SMALL, "PNG"))
    png[len(png) // 2] ^= 0xFF
    assert refused(bytes(png)).code == "undecodable"


def test_bytes_after_the_end_of_a_jpeg_do_no_harm() -> None:
    assert examine(encoded(SMALL) + b"\r\n" * 4000).width == 320


def test_the_end_of_a_thumbnail_is_not_taken_for_the_end_of_the_picture() -> None:
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    data = encoded(SMALL, exif=exif.tobytes() + encoded(busy(80, 60)))
    assert examine(data).width == 320
    assert {refused(data[:cut]).code for cut in range(len(data) - 9, len(data))} == {"truncated"}


def test_sizes_are_those_of_the_upright_picture() -> None:
    lying = turned(scene(), 6)
    assert describe(lying) == examine(lying) == Picture("JPEG", 1280, 720)
    assert upright(lying).size == (1280, 720)


def oriented(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(SMALL, exif=exif)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_orientation_is_turned_as_pillow_turns_it(orientation: int) -> None:
    expected = ImageOps.exif_transpose(decoded(oriented(orientation)))
    assert upright(oriented(orientation)).tobytes() == expected.tobytes()
    assert (describe(oriented(orientation)).width, describe(oriented(orientation)).height) == expected.size


@pytest.mark.parametrize("orientation", [0, 9, 255, 65_535])
def test_an_orientation_that_there_is_not_leaves_the_picture_as_it_is(orientation: int) -> None:
    assert describe(oriented(orientation)) == Picture("JPEG", 320, 240)
    assert upright(oriented(orientation), width=160).size == (160, 120)


def test_nothing_but_pixels_is_left_of_a_picture() -> None:
    told = encoded(SMALL, comment=b"at home", icc_profile=b"profile", exif=Image.Exif().tobytes())
    assert upright(told).info == {}


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_does_not_spoil_a_picture() -> None:
    data = encoded(SMALL, exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + bytes(8))
    assert examine(data) == Picture("JPEG", 320, 240)


def test_grey_of_sixteen_bits_keeps_its_shades() -> None:
    grey = encoded(
        Image.frombytes("I;16", (256, 8), b"".join(shade.to_bytes(2, "little") for shade in RAMP) * 8), "PNG"
    )
    assert decoded(grey).mode == "I;16"
    assert [upright(grey).getpixel((x, 4)) for x in (0, 100, 255)] == [(0,) * 3, (100,) * 3, (255,) * 3]


RAMP = [shade * 257 for shade in range(256)]


def test_a_clear_shade_of_sixteen_bits_is_shown_on_white() -> None:
    grey = Image.frombytes("I;16", (256, 1), b"".join(shade.to_bytes(2, "little") for shade in RAMP))
    clear = encoded(grey, "PNG", transparency=RAMP[100])
    assert [upright(clear).getpixel((x, 0)) for x in (0, 100)] == [(0,) * 3, (255,) * 3]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_whatever_its_mode_white_stays_white_and_black_stays_black(mode: str) -> None:
    half = Image.new("L", (32, 16))
    half.paste(255, (16, 0, 32, 16))
    image = half.convert("I").point(lambda value: value * 257).convert("I;16") if mode == "I;16" else half.convert(mode)
    seen = upright(encoded(image, "JPEG" if mode == "CMYK" else "PNG"))
    assert [max(seen.getpixel((4, 8))) < 8, min(seen.getpixel((28, 8))) > 247] == [True, True]  # type: ignore[arg-type]


def test_a_transparent_picture_is_shown_on_white() -> None:
    clear = encoded(Image.new("RGBA", (8, 8), (0, 0, 0, 0)), "PNG")
    assert upright(clear).getpixel((4, 4)) == (255, 255, 255)


def test_a_width_saves_work_but_never_pixels_that_are_needed() -> None:
    for orientation in (6, 8):
        assert upright(turned(scene(), orientation), width=300).size == (320, 180)
    assert upright(encoded(scene()), width=5000).size == (1280, 720)


def test_many_threads_get_the_same_answers_as_one() -> None:
    good, bad = encoded(busy(640, 480)), encoded(busy(640, 480))[:20_000]

    def verdict(data: bytes) -> str:
        try:
            return examine(data).format
        except BadPicture as error:
            return error.code

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(verdict, [good, bad] * 40)) == ["JPEG", "truncated"] * 40


@given(
    st.sampled_from(list(WHOLE.values())),
    st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), max_size=9),
)
def test_whatever_is_wrong_with_a_file_it_is_a_bad_picture(
    whole: tuple[str, bytes], edits: list[tuple[int, int]]
) -> None:
    data = bytearray(whole[1])
    for place, value in edits:
        data[place % len(data)] = value
    try:
        examine(bytes(data), max_pixels=1_000_000)
    except BadPicture as error:
        assert error.detail  # noqa: PT017 - either answer is right, any other exception is not
