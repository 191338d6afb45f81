"""The quarantine: nothing that was sent just vanishes."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import pytest
from structlog.testing import capture_logs

from app.uploads.quarantine import Quarantine, QuarantineUnavailable
from pylib.errors import Permanent
from pylib.observability.health import Status

NAME = PurePosixPath("uploads/snapshots/gate/a.JPG")
REASON = Permanent("truncated", "The JPEG picture is cut short.")


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 4, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def put(quarantine: Quarantine, folder: Path, file_id: str, data: bytes = b"half") -> None:
    file = folder / f"{file_id}.upload"
    file.write_bytes(data)
    quarantine.put(file, REASON, file_id=file_id, name=NAME, camera="Gate Camera")
    assert not file.exists()


def test_a_file_is_kept_with_its_reason_and_counted(tmp_path: Path) -> None:
    counted: list[str] = []
    quarantine = Quarantine(tmp_path / "q", now=Clock(), count=counted.append)
    assert quarantine.status() == Status(ok=True, detail="none")
    put(quarantine, tmp_path, "1")
    assert quarantine.status().detail == "1 file waits in quarantine for somebody to look"
    put(quarantine, tmp_path, "2", b"whatever")
    assert quarantine.status().detail == "2 files wait in quarantine for somebody to look"
    first, second = quarantine.listed()
    assert (first.id, first.name, first.camera) == ("1", str(NAME), "Gate Camera")
    assert first.reason == "truncated: The JPEG picture is cut short."
    assert (tmp_path / "q" / first.file).read_bytes() == b"half"
    assert first.file == "1.jpg"
    assert second.id == "2"
    assert [entry.size for entry in quarantine.listed()] == [4, 8]
    assert counted == ["truncated", "truncated"]


def test_the_same_id_twice_is_one_file(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q", now=Clock())
    put(quarantine, tmp_path, "1", b"a")
    put(quarantine, tmp_path, "1", b"bb")
    assert [entry.size for entry in quarantine.listed()] == [2]


def test_a_name_may_end_in_anything(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q", now=Clock())
    file = tmp_path / "a.upload"
    file.write_bytes(b"half")
    quarantine.put(file, REASON, file_id="0" * 32, name=PurePosixPath("a." + "x" * 250))
    assert [entry.size for entry in quarantine.listed()] == [4]


def test_files_leave_after_their_days(tmp_path: Path) -> None:
    clock = Clock()
    quarantine = Quarantine(tmp_path / "q", keep_days=3, now=clock)
    put(quarantine, tmp_path, "old")
    clock.now += timedelta(days=2)
    put(quarantine, tmp_path, "new")
    clock.now += timedelta(days=1)
    quarantine.clean()
    assert [entry.id for entry in quarantine.listed()] == ["new"]
    assert sorted(path.name for path in (tmp_path / "q").iterdir()) == ["new.about.json", "new.jpg"]


def test_beyond_its_size_the_oldest_go_and_that_is_said(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q", max_bytes=20, now=Clock())
    with capture_logs() as logs:
        for number in range(5):
            put(quarantine, tmp_path, str(number), b"0123456789")
    assert [entry.id for entry in quarantine.listed()] == ["3", "4"]
    assert [line["files"] for line in logs if line["log_level"] == "error"] == [1, 1, 1]


def test_a_restart_knows_how_full_it_is(tmp_path: Path) -> None:
    clock = Clock()
    put(Quarantine(tmp_path / "q", now=clock), tmp_path, "1", b"0123456789")
    put(Quarantine(tmp_path / "q", max_bytes=15, now=clock), tmp_path, "2", b"0123456789")
    assert [entry.id for entry in Quarantine(tmp_path / "q").listed()] == ["2"]


def test_what_a_crash_or_somebody_else_left_is_no_entry(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q", now=Clock())
    assert quarantine.listed() == []
    put(quarantine, tmp_path, "1")
    (tmp_path / "q" / "2.about.json").write_text("{")
    (tmp_path / "q" / "1.jpg").unlink()
    assert quarantine.listed() == []
    quarantine.clean()


def test_a_full_disk_is_worth_a_retry(tmp_path: Path) -> None:
    (tmp_path / "q").write_text("in the way")
    file = tmp_path / "a.upload"
    file.write_bytes(b"half")
    with pytest.raises(QuarantineUnavailable):
        Quarantine(tmp_path / "q").put(file, REASON, file_id="1", name=NAME)
    assert file.exists()


def test_no_file_leaves_before_its_reason_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    file = tmp_path / "a.upload"
    file.write_bytes(b"half")
    monkeypatch.setattr("pylib.files.durable.write", full)
    with pytest.raises(QuarantineUnavailable, match="No space left"):
        Quarantine(tmp_path / "q").put(file, REASON, file_id="1", name=NAME)
    assert file.exists()


def test_another_device_is_no_hindrance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Path.rename

    def renamed(self: Path, target: Path) -> Path:
        if self.suffix == ".upload":
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", renamed)
    quarantine = Quarantine(tmp_path / "q", now=Clock())
    put(quarantine, tmp_path, "1")
    assert (tmp_path / "q" / "1.jpg").read_bytes() == b"half"
