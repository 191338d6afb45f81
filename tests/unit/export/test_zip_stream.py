"""A ZIP that is written piece by piece: readers unpack it whole, however far it reaches."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from pathlib import Path

import pytest

from app.export import zip_stream
from app.export.zip_stream import PackedText, ZipStream

AT = datetime(2026, 3, 4, 5, 6, 8)  # noqa: DTZ001 - a ZIP knows no zone


def written(count: int) -> bytes:
    stream, text, data = ZipStream(), PackedText(), b""
    for number in range(count):
        body = bytes([number % 251]) * number
        data += stream.header(f"ä/{number}.jpg", body, at=AT) + body
    for _ in range(3):
        text.add("line, ü\r\n")
    return data + stream.packed("table.csv", text, at=AT) + stream.end()


def assert_whole(data: bytes, count: int) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        infos = archive.infolist()
        assert [info.filename for info in infos] == [*(f"ä/{number}.jpg" for number in range(count)), "table.csv"]
        assert archive.read("ä/3.jpg") == b"\3\3\3"
        assert archive.read("table.csv").decode() == "line, ü\r\n" * 3
        assert infos[3].compress_type == zipfile.ZIP_STORED
        assert infos[3].date_time == (2026, 3, 4, 5, 6, 8)
        assert infos[3].external_attr >> 16 == 0o100644


def test_it_is_a_zip_like_any_other() -> None:
    assert_whole(written(5), 5)


def test_beyond_4_gib_it_is_a_zip64(tmp_path: Path) -> None:
    """As if the first 5 GiB were sent already: a hole in the file stands for them."""
    stream = ZipStream()
    stream._offset = 5 << 30
    with (tmp_path / "large.zip").open("wb") as file:
        file.seek(stream._offset)
        file.write(stream.header("a.jpg", b"one", at=AT) + b"one" + stream.end())
    with zipfile.ZipFile(tmp_path / "large.zip") as archive:
        assert archive.infolist()[0].header_offset == 5 << 30
        assert archive.read("a.jpg") == b"one"


def test_so_it_is_with_65535_files() -> None:
    stream = ZipStream()
    stream._count = 65_534  # as if they were sent already; readers go by the directory's size
    data = stream.header("a.jpg", b"", at=AT) + stream.end()
    assert b"PK\6\6" in data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["a.jpg"]


def test_a_file_that_is_too_large_for_this_is_no_zip_that_nobody_can_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_stream, "MOST", 3)
    with pytest.raises(ValueError, match="4 GiB"):
        ZipStream().header("a.jpg", b"four", at=AT)
