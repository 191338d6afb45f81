"""Files are whole or not there, and on the disk before anybody relies on them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.uploads.inbox import Inbox
from pylib.files import durable
from tests.fakes import durability


@pytest.fixture
def other_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder out of which nothing can be renamed, as if it were mounted there."""
    folder = tmp_path / "area" / "share"
    folder.mkdir(parents=True)
    durability.another_device(monkeypatch, folder)
    return folder


def test_a_file_moves_to_another_device(other_device: Path, tmp_path: Path) -> None:
    source, target = other_device / "a.jpg", tmp_path / "b.jpg"
    source.write_bytes(b"picture")
    with durability.disk(tmp_path) as watched:
        durable.move(source, target)
        assert watched.left()["b.jpg"] == b"picture"
        assert watched.torn == watched.lost == []
    assert target.read_bytes() == b"picture"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [target]


def test_a_link_moves_to_another_device_as_a_link(other_device: Path, tmp_path: Path) -> None:
    (other_device / "a.jpg").symlink_to("nowhere")
    durable.move(other_device / "a.jpg", tmp_path / "b.jpg")
    assert (tmp_path / "b.jpg").is_symlink()
    assert list(other_device.iterdir()) == []


def test_other_problems_are_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "a.jpg", tmp_path / "b.jpg"
    with pytest.raises(FileNotFoundError):
        durable.move(source, target)
    source.touch()
    rename = Path.rename

    def refused(self: Path, to: Path) -> Path:
        if self == source:
            raise PermissionError(errno.EACCES, "Permission denied")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(PermissionError):
        durable.move(source, target)
    assert not target.exists()


def test_the_inbox_takes_from_a_share_in_its_area(other_device: Path, tmp_path: Path) -> None:
    inbox = Inbox(other_device.parent)
    inbox.open()
    (other_device / "a.jpg").write_bytes(b"picture")
    with durability.disk(tmp_path) as watched:
        taken = inbox.take(other_device / "a.jpg")
        assert watched.torn == watched.lost == []
        assert not [step for step in watched.steps if step.endswith("a.jpg.part")], "half a copy lies among the taken"
    assert taken is not None
    assert taken.path.read_bytes() == b"picture"
    assert not (other_device / "a.jpg").exists()
    assert list(inbox.waiting()) == [taken]


class Disk:
    """Writes down what reaches the system, in order: what is done, and the file's name."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps: list[str] = []
        self._patch = monkeypatch
        for name, word in {"write": "write", "fsync": "sync"}.items():
            self._record(name, lambda descriptor, *_, word=word: f"{word} {self._name(descriptor)}")
        for name in ("rename", "replace", "link"):
            self._record(name, lambda source, target, *_, name=name: f"{name} {source.name} -> {target.name}")
        self._record("unlink", lambda path: f"unlink {path.name}")

    def _record(self, name: str, step: Callable[..., str]) -> None:
        real = getattr(os, name)

        def recorded(*args: Any, **options: Any) -> Any:
            line = step(*args)
            result = real(*args, **options)
            self.steps.append(line)
            return result

        self._patch.setattr(os, name, recorded)

    def _name(self, descriptor: int) -> str:
        return Path(f"/proc/self/fd/{descriptor}").readlink().name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    made.mkdir()
    return made


@pytest.fixture
def disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def test_content_is_on_the_disk_before_the_name_and_the_name_before_we_go_on(folder: Path, disk: Disk) -> None:
    durable.write(folder / "a", b"new")
    assert disk.steps == ["write .a.part", "sync .a.part", "rename .a.part -> a", "sync folder"]
    assert (folder / "a").read_bytes() == b"new"


def test_what_can_be_made_again_waits_for_no_disk(folder: Path, disk: Disk) -> None:
    durable.write(folder / "a", b"new", sync=False)
    assert disk.steps == ["write .a.part", "rename .a.part -> a"]


def test_what_is_found_wrong_gets_no_name(folder: Path, disk: Disk) -> None:
    def refuse(partial: Path) -> None:
        assert partial.read_bytes() == b"new"
        raise ValueError("wrong copy")

    (folder / "a").write_bytes(b"old")
    with pytest.raises(ValueError, match="wrong copy"):
        durable.write(folder / "a", b"new", check=refuse)
    assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [("a", b"old")]


def test_a_private_file_is_private_before_it_has_content(
    folder: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []
    write = os.write

    def look(descriptor: int, data: bytes) -> int:
        modes.append(os.fstat(descriptor).st_mode & 0o777)
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", look)
    durable.write_private(folder / "deep" / "key", b"secret")
    assert modes == [0o600]
    assert (folder / "deep" / "key").stat().st_mode & 0o777 == 0o600
    partial = disk.steps[0].partition(" ")[2]
    assert disk.steps == [f"{step} {partial}" for step in ("write", "sync")] + [f"rename {partial} -> key", "sync deep"]


@pytest.mark.parametrize("write", [durable.write, durable.write_private, durable.write_new, durable.write_first])
def test_a_full_disk_leaves_nothing_behind(
    folder: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path, bytes], None]
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write(folder / "a", b"new")
    assert list(folder.iterdir()) == []


def test_a_short_write_goes_on_until_all_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:2]))
    durable.write(folder / "a", b"picture")
    assert (folder / "a").read_bytes() == b"picture"


def test_a_file_that_nobody_looks_at_is_on_the_disk_and_replaces_none(folder: Path, disk: Disk) -> None:
    durable.write_new(folder / "a", b"new")
    assert disk.steps == ["write a", "sync a"]
    with pytest.raises(FileExistsError):
        durable.write_new(folder / "a", b"other")
    assert (folder / "a").read_bytes() == b"new"


@pytest.mark.parametrize("links", [True, False])
def test_the_first_of_several_writers_is_the_one_whose_file_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "injected")

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    durable.write_first(folder / "a", b"first")
    assert (folder / "a").read_bytes() == b"first"
    assert (folder / "a").stat().st_mode & 0o777 == 0o600
    if links:
        durable.write_first(folder / "a", b"second")
        assert (folder / "a").read_bytes() == b"first"
    assert [file.name for file in folder.iterdir()] == ["a"]


def test_what_is_appended_is_on_the_disk_and_so_is_the_new_file_s_name(folder: Path, disk: Disk) -> None:
    durable.append(folder / "a", b"1")
    durable.append(folder / "a", b"2")
    assert disk.steps == ["write a", "sync a", "sync folder", "write a", "sync a"]
    assert (folder / "a").read_bytes() == b"12"


def test_a_link_s_content_is_on_the_disk_before_its_name(folder: Path, disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"picture")
    (folder / "a").write_bytes(b"an attempt that was not recorded")
    assert durable.link(tmp_path / "source", folder / "a")
    assert disk.steps == ["sync source", "unlink a", "link source -> a", "sync folder"]
    assert (folder / "a").read_bytes() == b"picture"


def test_a_copy_to_another_device_is_on_the_disk_before_the_source_goes(
    other_device: Path, folder: Path, disk: Disk, tmp_path: Path
) -> None:
    folders = ["sync folder", f"sync {tmp_path.name}"]  # which may be as new as the file
    (other_device / "a").write_bytes(b"picture")
    durable.move(other_device / "a", folder / "b")
    assert disk.steps[-5:] == ["sync .b.part", "rename .b.part -> b", *folders, "unlink a"]
    (other_device / "a").write_bytes(b"picture")
    durable.move(other_device / "a", folder / "b", through=tmp_path / "on its way")
    assert disk.steps[-5:] == ["sync on its way", "rename on its way -> b", *folders, "unlink a"]


def test_a_copy_that_cannot_be_finished_leaves_the_source_alone(
    other_device: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (other_device / "a").write_bytes(b"picture")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        durable.move(other_device / "a", folder / "b")
    assert (other_device / "a").read_bytes() == b"picture"
    assert list(folder.iterdir()) == []


def test_new_folders_are_on_the_disk_from_the_top_down(folder: Path, disk: Disk) -> None:
    durable.make_folder(folder / "2026" / "03")
    assert disk.steps == ["sync folder", "sync 2026"]


@pytest.mark.parametrize(("number", "is_fine"), [(errno.EINVAL, True), (errno.EOPNOTSUPP, True), (errno.EIO, False)])
def test_a_mount_that_knows_no_syncing_of_folders_is_used_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int, is_fine: bool
) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(number, "injected")

    monkeypatch.setattr(os, "fsync", refuse)
    if is_fine:
        durable.sync_folder(folder)
    else:
        with pytest.raises(OSError, match="injected"):
            durable.sync_folder(folder)


def test_no_file_stays_open(folder: Path) -> None:
    before = sorted(Path("/proc/self/fd").iterdir())
    durable.write(folder / "a", b"1")
    durable.write_private(folder / "b", b"2")
    durable.write_new(folder / "c", b"3")
    durable.append(folder / "c", b"4")
    durable.link(folder / "c", folder / "d")
    durable.make_folder(folder / "e" / "f")
    assert durable.read(str(folder / "d")) == b"34"
    assert sorted(Path("/proc/self/fd").iterdir()) == before


def test_a_private_file_may_be_for_a_group(folder: Path) -> None:
    durable.write_private(folder / "a", b"1", mode=0o640)
    assert (folder / "a").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("number", "is_fine"),
    [*((number, True) for number in (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK)), (errno.EIO, False)],
)
def test_where_files_cannot_have_two_names_there_is_no_link(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int, is_fine: bool
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, "injected")

    (folder / "a").write_bytes(b"picture")
    monkeypatch.setattr(os, "link", refuse)
    if is_fine:
        assert not durable.link(folder / "a", folder / "b")
    else:
        with pytest.raises(OSError, match="injected"):
            durable.link(folder / "a", folder / "b")
    assert not (folder / "b").exists()
