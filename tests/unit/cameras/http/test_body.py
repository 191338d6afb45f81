"""A body is whole when the picture in it is, in whatever pieces it comes."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterable

import pytest
from PIL import Image

from app.cameras.http.body import PictureBody
from tests.fakes.cameras import jpeg

MOST = 1_000_000


def pieces(data: bytes, size: int) -> Iterable[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def read(data: bytes, size: int = 100) -> PictureBody:
    """As much of the data as is asked for."""
    body = PictureBody(MOST)
    for piece in pieces(data, size):
        body.add(piece)
        if body.whole or body.is_stream:
            break
    return body


def encoded(format: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((24, 16), 60).convert("RGB").save(file, format, **options)
    return file.getvalue()


PICTURES = {
    "JPEG": encoded("JPEG"),
    "progressive JPEG": encoded("JPEG", progressive=True),
    "PNG": encoded("PNG"),
    "WEBP": encoded("WEBP"),
    "BMP": encoded("BMP"),
}


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_is_whole_with_its_last_byte_and_not_before(kind: str, size: int) -> None:
    picture = PICTURES[kind]
    assert not read(picture[:-1], size).whole
    assert read(picture, size).whole
    assert read(picture + b"\xff\xda behind" * 50, size).picture == picture


def test_the_end_of_a_thumbnail_is_not_the_picture_s() -> None:
    exif = b"Exif\0\0" + jpeg(16, 16)
    picture = encoded("JPEG", exif=exif)
    assert picture.count(b"\xff\xd9") == 2
    assert not read(picture[: picture.index(b"\xff\xd9") + 50], 1).whole
    assert read(picture, 1).picture == picture


@pytest.mark.parametrize("packed", [gzip.compress(jpeg()), zlib.compress(jpeg())])
def test_a_packed_picture_is_whole_as_soon_as_it_is_unpacked(packed: bytes) -> None:
    assert read(packed, 10).picture == jpeg()
    assert not read(packed[:100]).whole


def test_what_cannot_be_unpacked_is_an_error() -> None:
    with pytest.raises(zlib.error):
        read(b"\x1f\x8bnonsense")


def test_what_unpacks_to_too_much_is_not_unpacked_to_its_end() -> None:
    body = PictureBody(MOST)
    body.add(gzip.compress(bytes(10_000_000)))
    assert body.too_large
    assert len(body.picture) < 2 * MOST


@pytest.mark.parametrize("size", [1, 50, 100_000])
def test_of_a_multipart_the_only_part_counts(size: int) -> None:
    head = b"\r\n--edge\r\nContent-Type: image/jpeg\r\nContent-Length: 1\r\n\r\n"
    body = read(head + jpeg() + b"\r\n--edge--\r\n", size)
    assert (body.whole, body.is_stream, body.picture) == (True, False, jpeg())


@pytest.mark.parametrize("size", [1, 50, 100_000])
@pytest.mark.parametrize("part", [jpeg(), b"no picture"])
def test_a_second_part_makes_a_stream(part: bytes, size: int) -> None:
    frame = b"--edge\r\n\r\n" + part + b"\r\n"
    body = read(frame * 3, size)
    assert (body.whole, body.is_stream) == (False, True)


def test_a_picture_in_more_segments_than_any_camera_writes_is_left_to_the_pipeline() -> None:
    hostile = jpeg()[:2] + b"\xff\xe5\x00\x02" * 10_000 + jpeg()[2:]
    body = read(hostile, 1000)
    assert (body.has_picture, body.whole, body.picture) == (True, False, hostile)
