"""Pictures that another program writes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.cameras import CameraError
from app.cameras.address import Networks
from app.cameras.file import File, FileSettings


def camera(path: Path, *, now: float = 0, **settings: object) -> File:
    values = {"location": "Attic", "path": path, **settings}
    return File(FileSettings.model_validate(values), networks=Networks(), now=lambda: now)


def failure(one: File) -> str:
    with pytest.raises(CameraError) as caught:
        one.snapshot()
    return caught.value.code


def write(path: Path, data: bytes, *, at: float) -> None:
    path.write_bytes(data)
    os.utime(path, (at, at))


def test_a_file_is_read_anew_for_each_picture(tmp_path: Path, picture: bytes) -> None:
    one = camera(tmp_path / "now.jpg")
    assert failure(one) == "no_file"
    (tmp_path / "now.jpg").write_bytes(picture)
    assert one.snapshot("u:p@10.0.0.1").data == picture
    (tmp_path / "now.jpg").write_bytes(b"next")
    assert one.snapshot().data == b"next"


def test_the_newest_whole_picture_of_a_folder_counts(tmp_path: Path, picture: bytes) -> None:
    one = camera(tmp_path)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "later.jpg").mkdir()
    assert failure(one) == "no_file"
    write(tmp_path / "a.jpg", b"old", at=100)
    write(tmp_path / "b.JPG", picture, at=300)
    write(tmp_path / "c.jpg", picture[:-100], at=400)  # still being written
    write(tmp_path / ".d.jpg", b"hidden", at=500)
    assert one.snapshot().data == picture


def test_the_newest_counts_where_none_looks_whole(tmp_path: Path) -> None:
    write(tmp_path / "a.jpg", b"older", at=100)
    write(tmp_path / "b.jpg", b"newer", at=200)
    assert camera(tmp_path).snapshot().data == b"newer"


@pytest.mark.parametrize(("max_age", "now", "code"), [(60, 160.0, ""), (60, 161.0, "too_old"), (0, 1e9, "")])
def test_an_old_picture_is_a_failure_by_setting(tmp_path: Path, max_age: int, now: float, code: str) -> None:
    write(tmp_path / "a.jpg", b"picture", at=100)
    one = camera(tmp_path / "a.jpg", now=now, max_age=max_age)
    assert (failure(one) if code else one.snapshot().data) == (code or b"picture")


def test_what_is_no_file_of_bounded_size_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")  # which nobody ever writes to
    assert failure(camera(tmp_path / "pipe.jpg", timeout=5)) == "unreadable"
    (tmp_path / "large.jpg").write_bytes(bytes(1001))
    assert failure(camera(tmp_path / "large.jpg", max_bytes=1000)) == "too_large"


def test_a_disk_that_hangs_takes_no_longer_than_the_timeout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    monkeypatch.setattr(File, "_read", lambda _self: os.read(reader, 1))
    assert failure(camera(tmp_path, timeout=0.05)) == "timeout"
    os.write(writer, b"x")
    os.close(writer)
