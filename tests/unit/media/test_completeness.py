"""A glance tells whole pictures from those that were cut."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from app.media.completeness import looks_complete
from tests.fakes.pictures import busy, encoded

KINDS = ("JPEG", "PNG", "WEBP", "BMP")


def wrote(folder: Path, data: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_picture_looks_whole(tmp_path: Path, kind: str) -> None:
    assert looks_complete(wrote(tmp_path, encoded(busy(64, 48), kind)))


@pytest.mark.parametrize("kind", KINDS)
def test_no_picture_that_lacks_its_end_does(tmp_path: Path, kind: str) -> None:
    data = encoded(busy(64, 48), kind)
    lengths = {len(data) * tenth // 10 for tenth in range(10)} | {len(data) - 1, len(data) - 2}
    assert not [length for length in sorted(lengths) if looks_complete(wrote(tmp_path, data[:length]))]


@pytest.mark.parametrize("padding", [b"\0" * 4000, b"\xff" * 511, b"\r\n", b" "])
def test_padding_behind_the_end_does_not_matter(tmp_path: Path, padding: bytes) -> None:
    for kind in KINDS:
        assert looks_complete(wrote(tmp_path, encoded(busy(64, 48), kind) + padding)), kind


def test_the_end_of_a_thumbnail_in_the_header_is_not_the_picture_s(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x9286] = b"ASCII\0\0\0" + encoded(busy(32, 24))  # any tag will do to carry a whole JPEG
    data = encoded(busy(320, 240), exif=exif)
    end = data.index(b"\xff\xd9") + 2
    assert end < 4000
    assert not looks_complete(wrote(tmp_path, data[:end]))
    assert looks_complete(wrote(tmp_path, data))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xe0\0\0" * 99,
        b"BM" + bytes(60),
        b"text\xff\xd9",
    ],
)
def test_what_is_no_picture_does_not(tmp_path: Path, data: bytes) -> None:
    assert not looks_complete(wrote(tmp_path, data))


def test_fill_bytes_before_a_marker_are_stepped_over(tmp_path: Path) -> None:
    data = encoded(busy(64, 48))
    assert looks_complete(wrote(tmp_path, data[:2] + b"\xff" * 9 + data[2:]))


def test_a_header_of_segments_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    data = encoded(busy(64, 48))
    for segments, whole in ((200, True), (300, False)):
        assert looks_complete(wrote(tmp_path, data[:2] + b"\xff\xe0\0\2" * segments + data[2:])) is whole


def test_a_missing_file_a_link_and_a_fifo_do_not(tmp_path: Path) -> None:
    picture = wrote(tmp_path, encoded(busy(64, 48)))
    (tmp_path / "link").symlink_to(picture)
    os.mkfifo(tmp_path / "fifo")
    for name in ("missing", "link", "fifo", "."):
        assert not looks_complete(tmp_path / name), name
