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


def box(name: bytes, content: bytes = b"", *, wide: bool = False) -> bytes:
    """A box of an MP4, or an atom of a QuickTime file."""
    size = len(content) + (16 if wide else 8)
    return (b"\0\0\0\1" + name + size.to_bytes(8, "big") if wide else size.to_bytes(4, "big") + name) + content


def riff(content: bytes) -> bytes:
    """A chunk of an AVI file."""
    return b"RIFF" + len(content).to_bytes(4, "little") + content


VIDEOS = {
    "an index that comes first": box(b"ftyp", b"mp42") + box(b"moov", bytes(99)) + box(b"mdat", bytes(999)),
    "an index that comes last": box(b"ftyp", b"mp42") + box(b"mdat", bytes(999), wide=True) + box(b"moov", bytes(99)),
    "a QuickTime file": box(b"wide") + box(b"mdat", bytes(99)) + box(b"moov", bytes(9)),
    "an AVI": riff(b"AVI " + bytes(99)) + b"\0",
    "a long AVI": riff(b"AVI " + bytes(100)) + riff(b"AVIX" + bytes(40)),
}


@pytest.mark.parametrize("name", VIDEOS)
def test_a_video_looks_whole_once_all_of_it_is_there(tmp_path: Path, name: str) -> None:
    data = VIDEOS[name]
    assert looks_complete(wrote(tmp_path, data))
    cut = [*range(0, len(data) - 1, 7), len(data) - 2]
    whole = [length for length in cut if looks_complete(wrote(tmp_path, data[:length]))]
    assert whole in ([], [112] if name == "a long AVI" else [])  # of which a player plays the beginning


@pytest.mark.parametrize(
    "data",
    [
        box(b"ftyp", b"mp42") + b"\0\0\0\0mdat" + bytes(99),  # to the end, wherever that is
        box(b"ftyp", b"mp42") + box(b"moov") + b"\0\0\0\1mdat" + bytes(99),
        box(b"ftyp", b"mp42") + box(b"moov") + box(b"free") * 5000,
        b"RIFF\0\0\0\0AVI " + bytes(99),  # one whose writer never came back to say it
        b"\x1aE\xdf\xa3" + bytes(99),
    ],
    ids=["open", "lying", "endless", "unsaid", "matroska"],
)
def test_a_video_that_does_not_say_where_it_ends_does_not(tmp_path: Path, data: bytes) -> None:
    assert not looks_complete(wrote(tmp_path, data))
