"""Moving files: whole in the one place or in the other, on whatever devices these are."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from app.uploads.inbox import Inbox
from pylib.files.durable import move, sync_folder, write_private
from tests.fakes.durability import another_device, disk


@pytest.fixture
def other_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder out of which nothing can be renamed, as if it were mounted there."""
    folder = tmp_path / "area" / "share"
    folder.mkdir(parents=True)
    another_device(monkeypatch, folder)
    return folder


@pytest.fixture
def done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done to the disk, in order; a name that changes with each run is shown as `*`."""
    steps: list[str] = []
    fsync, replace, rename, unlink = os.fsync, Path.replace, Path.rename, Path.unlink

    def shown(path: Path) -> str:
        return "*" if path.name.startswith(".") else path.name

    def synced(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        steps.append(f"sync {shown(path)} of {path.stat().st_size}" if path.is_file() else f"sync {shown(path)}")
        fsync(descriptor)

    def replaced(self: Path, target: Path) -> Path:
        steps.append(f"rename {shown(self)} to {shown(target)}")
        return replace(self, target)

    def renamed(self: Path, target: Path) -> Path:
        result = rename(self, target)
        steps.append(f"rename {shown(self)} to {shown(target)}")
        return result

    def removed(self: Path, missing_ok: bool = False) -> None:
        steps.append(f"remove {shown(self)}")
        unlink(self, missing_ok=missing_ok)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    monkeypatch.setattr(Path, "rename", renamed)
    monkeypatch.setattr(Path, "unlink", removed)
    return steps


def test_a_file_on_another_device_is_whole_on_the_disk_before_it_has_its_name_and_the_old_one_goes(
    other_device: Path, done: list[str], tmp_path: Path
) -> None:
    (other_device / "a.jpg").write_bytes(b"picture")
    move(other_device / "a.jpg", tmp_path / "b.jpg")
    assert done == ["sync b.jpg.part of 7", "rename b.jpg.part to b.jpg", f"sync {tmp_path.name}", "remove a.jpg"]


def test_the_names_in_a_folder_are_synced(done: list[str], tmp_path: Path) -> None:
    sync_folder(tmp_path)
    assert done == [f"sync {tmp_path.name}"]


def test_a_secret_is_whole_on_the_disk_before_it_has_its_name(done: list[str], tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "password"
    write_private(path, b"hunter2")
    assert done == ["sync * of 7", "rename * to password"]
    assert path.read_bytes() == b"hunter2"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_secret_that_cannot_be_written_leaves_the_old_one_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "password"
    write_private(path, b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_private(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_moves_to_another_device(other_device: Path, tmp_path: Path) -> None:
    source, target = other_device / "a.jpg", tmp_path / "b.jpg"
    source.write_bytes(b"picture")
    with disk(tmp_path) as watched:
        move(source, target)
        assert watched.left()["b.jpg"] == b"picture"
        assert watched.torn == watched.lost == []
    assert target.read_bytes() == b"picture"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [target]


def test_a_link_moves_to_another_device_as_a_link(other_device: Path, tmp_path: Path) -> None:
    (other_device / "a.jpg").symlink_to("nowhere")
    move(other_device / "a.jpg", tmp_path / "b.jpg")
    assert (tmp_path / "b.jpg").is_symlink()
    assert list(other_device.iterdir()) == []


def test_other_problems_are_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "a.jpg", tmp_path / "b.jpg"
    with pytest.raises(FileNotFoundError):
        move(source, target)
    source.touch()
    rename = Path.rename

    def refused(self: Path, to: Path) -> Path:
        if self == source:
            raise PermissionError(errno.EACCES, "Permission denied")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(PermissionError):
        move(source, target)
    assert not target.exists()


def test_the_inbox_takes_from_a_share_in_its_area(other_device: Path, tmp_path: Path) -> None:
    inbox = Inbox(other_device.parent)
    inbox.open()
    (other_device / "a.jpg").write_bytes(b"picture")
    with disk(tmp_path) as watched:
        taken = inbox.take(other_device / "a.jpg")
        assert watched.torn == watched.lost == []
    assert taken is not None
    assert taken.path.read_bytes() == b"picture"
    assert not (other_device / "a.jpg").exists()
    assert list(inbox.waiting()) == [taken]
