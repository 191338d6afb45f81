"""The folder archive: pictures are whole and once, and a disk that is away is noticed."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Callable
from dataclasses import replace
from hashlib import md5
from pathlib import Path

import pytest

from app.archives import ArchiveBlocked, ArchiveContext, ArchiveRejected, ArchiveUnavailable, RemoteObject
from app.archives.folder import MARKER, MARKER_TEXT, Folder, FolderSettings
from tests.fakes.archives import NOON, a_picture, event_id
from tests.fakes.disk_order import recorded

DAY = "2026/03/04/yard-camera"
NAME = f"{DAY}/120001-{event_id(1)}.jpg"
PARTIAL = f"{DAY}/.120001-{event_id(1)}.jpg.part"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def folder(root: Path) -> Folder:
    folder = Folder(FolderSettings(dir=root))
    folder.open()
    return folder


def files(root: Path) -> list[str]:
    return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file() and p.name != MARKER)


def test_it_is_known_by_its_name_and_leads_nobody_to_a_path_of_this_machine(root: Path) -> None:
    folder = Folder(FolderSettings(dir=root, concurrency=3), ArchiveContext(name="nas"))
    assert (folder.name, folder.concurrency, folder.url) == ("nas", 3, "")


def test_a_picture_lies_in_its_days_folder_with_its_own_time(folder: Folder, root: Path) -> None:
    folder.store(a_picture(None), b"a picture")
    assert (root / NAME).read_bytes() == b"a picture"
    assert (root / NAME).stat().st_mtime == NOON.timestamp() + 1
    assert files(root) == [NAME]


@pytest.mark.parametrize(("mode", "of_file"), [(0o755, 0o644), (0o2775, 0o664), (0o700, 0o600)])
def test_whoever_may_read_the_archive_may_read_its_pictures_however_private_the_service_is(
    folder: Folder, root: Path, mode: int, of_file: int
) -> None:
    root.chmod(mode)
    before = os.umask(0o077)
    try:
        folder.store(a_picture(None), b"a picture")
    finally:
        os.umask(before)
    assert stat.S_IMODE((root / NAME).stat().st_mode) == of_file
    assert {stat.S_IMODE(one.stat().st_mode) for one in root.rglob("*") if one.is_dir()} == {mode}


def test_a_new_archive_may_be_read_by_others_and_a_mount_without_modes_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path, _mode: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "not here")

    before = os.umask(0o077)
    try:
        folder = Folder(FolderSettings(dir=tmp_path / "new"))
        folder.open()
        assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o755
        monkeypatch.setattr(Path, "chmod", refuse)
        folder.store(a_picture(None), b"a picture")
    finally:
        os.umask(before)
    assert (tmp_path / "new" / NAME).stat().st_mtime == NOON.timestamp() + 1


def test_keeping_a_picture_twice_leaves_one_and_writes_once(folder: Folder, root: Path) -> None:
    folder.store(a_picture(None), b"a picture")
    first = (root / NAME).stat().st_ino
    folder.store(a_picture(None), b"a picture")
    assert (root / NAME).stat().st_ino == first
    assert files(root) == [NAME]


def test_a_picture_outlasts_a_power_cut_from_the_moment_it_counts_as_kept(
    folder: Folder, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = recorded(monkeypatch, root)
    folder.store(a_picture(None), b"a picture")
    assert steps == [
        "mkdir 2026",
        "sync .",
        "mkdir 2026/03",
        "sync 2026",
        "mkdir 2026/03/04",
        "sync 2026/03",
        f"mkdir {DAY}",
        "sync 2026/03/04",
        f"sync {PARTIAL} (9 bytes)",
        f"rename {PARTIAL} to {NAME}",
        f"sync {DAY}",
    ]
    steps.clear()
    folder.store(a_picture(None), b"a picture")  # the last attempt may have been killed before its last step
    assert steps == [f"sync {DAY}"]


def test_the_marker_and_a_new_archive_s_folder_outlast_one_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = recorded(monkeypatch, tmp_path)
    Folder(FolderSettings(dir=tmp_path / "disk/archive")).open()
    partial = f"disk/archive/.{MARKER}.part"
    assert steps == [
        "mkdir disk",
        "sync .",
        "mkdir disk/archive",
        "sync disk",
        f"sync {partial} ({len(MARKER_TEXT)} bytes)",
        f"rename {partial} to disk/archive/{MARKER}",
        "sync disk/archive",
    ]


@pytest.mark.parametrize("harm", [lambda file: os.pwrite(file, b"A", 0), lambda file: os.truncate(file, 4)])
def test_a_disk_that_keeps_something_else_than_it_was_given_is_not_believed(
    folder: Folder, root: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[int], object]
) -> None:
    def fsync(descriptor: int) -> None:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            harm(descriptor)

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fsync)
        with pytest.raises(ArchiveUnavailable, match="wrong_copy"):
            folder.store(a_picture(None), b"a picture")
    assert files(root) == []
    folder.store(a_picture(None), b"a picture")
    assert (root / NAME).read_bytes() == b"a picture"


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (errno.EDQUOT, ArchiveBlocked, "quota_full"),
        (errno.EROFS, ArchiveBlocked, "read_only"),
        (errno.EACCES, ArchiveBlocked, "access_denied"),
        (errno.EPERM, ArchiveBlocked, "access_denied"),
        (errno.ENAMETOOLONG, ArchiveRejected, "bad_name"),
        (errno.EINVAL, ArchiveRejected, "bad_name"),
        (errno.EIO, ArchiveUnavailable, "disk_unavailable"),
        (errno.ESTALE, ArchiveUnavailable, "disk_unavailable"),
    ],
)
def test_each_failure_of_a_disk_says_who_can_mend_it(
    folder: Folder, root: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception], code: str
) -> None:
    def refused(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "rename", refused)
    with pytest.raises(kind, match=code):
        folder.store(a_picture(None), b"a picture")
    assert files(root) == []


@pytest.mark.parametrize(("number", "kept"), [(errno.EINVAL, True), (errno.EOPNOTSUPP, True), (errno.EIO, False)])
def test_a_mount_that_cannot_sync_folders_will_do_but_not_one_that_fails_to(
    folder: Folder, root: Path, monkeypatch: pytest.MonkeyPatch, number: int, *, kept: bool
) -> None:
    folder.store(a_picture(None), b"a picture")
    fsync = os.fsync

    def failing(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", failing)
    if kept:
        folder.store(a_picture(None, 2), b"another")
    else:
        with pytest.raises(ArchiveUnavailable):
            folder.store(a_picture(None, 2), b"another")


def test_a_mount_that_keeps_its_own_times_will_do(folder: Folder, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def utime(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "utime", utime)
    folder.store(a_picture(None), b"a picture")
    assert files(root) == [NAME]


def test_a_file_in_a_folder_s_place_is_for_a_person_to_move(folder: Folder, root: Path) -> None:
    (root / "2026").touch()
    with pytest.raises(ArchiveBlocked, match="not_a_folder"):
        folder.store(a_picture(None), b"a picture")


@pytest.mark.parametrize("wrong", [b"a pict", b"A picture"])
def test_a_wrong_copy_is_replaced(folder: Folder, root: Path, wrong: bytes) -> None:
    folder.store(a_picture(None), wrong)
    folder.store(a_picture(None), b"a picture")
    assert (root / NAME).read_bytes() == b"a picture"


def test_what_a_crash_left_half_written_is_gone_after_the_next_attempt(folder: Folder, root: Path) -> None:
    folder.store(a_picture(None), b"a picture")
    (root / NAME).rename(root / PARTIAL)
    folder.store(a_picture(None), b"a picture")
    assert files(root) == [NAME]


def test_a_disk_that_was_unmounted_is_not_filled_below_its_mount_point(folder: Folder, root: Path) -> None:
    (root / MARKER).unlink()
    with pytest.raises(ArchiveBlocked, match="mount its disk"):
        folder.store(a_picture(None), b"a picture")
    assert files(root) == []


def test_an_unmarked_folder_is_a_new_archive_only_when_none_was_used_before(root: Path) -> None:
    root.mkdir()
    with pytest.raises(ArchiveBlocked, match="not_mounted"):
        Folder(FolderSettings(dir=root), ArchiveContext(used=lambda: True)).open()
    assert not (root / MARKER).exists()
    Folder(FolderSettings(dir=root), ArchiveContext(used=lambda: False)).open()
    Folder(FolderSettings(dir=root), ArchiveContext(used=lambda: True)).open()
    assert (root / MARKER).exists()


def test_a_full_disk_waits_for_a_person_and_leaves_nothing_half(folder: Folder, root: Path) -> None:
    partial = root / PARTIAL
    partial.parent.mkdir(parents=True)
    partial.symlink_to("/dev/full")
    with pytest.raises(ArchiveBlocked, match=r"disk_full.*free some space"):
        folder.store(a_picture(None), b"a picture")
    assert list(partial.parent.iterdir()) == []


def test_a_mount_whose_server_is_gone_costs_bounded_time_and_threads(root: Path) -> None:
    Folder(FolderSettings(dir=root)).open()
    folder = Folder(FolderSettings(dir=root, concurrency=1), attempt=0.2)
    (root / DAY).mkdir(parents=True)
    os.mkfifo(root / PARTIAL)  # opening it for writing waits for a reader for ever
    before = threading.active_count()
    for _ in range(5):
        with pytest.raises(ArchiveUnavailable, match="timeout"):
            folder.store(a_picture(None), b"a picture")
    assert threading.active_count() <= before + 2
    os.close(os.open(root / PARTIAL, os.O_RDONLY | os.O_NONBLOCK))  # lets them go


def test_entries_tell_what_is_kept_and_what_is_not_ours(folder: Folder, root: Path) -> None:
    folder.store(a_picture(None), b"a picture")
    earlier = replace(a_picture(None).snapshot, path=f"/cache/2026/03/03/gate/235959-{event_id(2)}.png")
    folder.store(replace(a_picture(None), snapshot=earlier), b"another")
    (root / "2026/holiday.jpg").write_bytes(b"mine")
    (root / "2026/again").symlink_to(root)  # would have no end
    assert list(folder.entries()) == [
        RemoteObject("", "2026/holiday.jpg", 4, md5(b"mine").hexdigest()),
        RemoteObject(event_id(2), f"2026/03/03/gate/235959-{event_id(2)}.png", 7, md5(b"another").hexdigest()),
        RemoteObject(event_id(1), NAME, 9, md5(b"a picture").hexdigest()),
    ]


def test_of_a_disk_that_is_away_nothing_is_listed(folder: Folder, root: Path) -> None:
    folder.store(a_picture(None), b"a picture")
    (root / MARKER).unlink()
    with pytest.raises(ArchiveBlocked, match="not_mounted"):
        list(folder.entries())


def test_a_picture_is_deleted_with_what_lies_under_its_name_and_nothing_else(folder: Folder, root: Path) -> None:
    for number in (1, 2):
        folder.store(a_picture(None, number), b"a picture")
    (root / NAME.replace(".jpg", "-animation.gif")).write_bytes(b"gif")
    folder.remove(a_picture(None, 1))
    assert files(root) == [NAME.replace("120001", "120002").replace(event_id(1), event_id(2))]
    folder.remove(a_picture(None, 1))
    folder.remove(a_picture(None, 2, problem="no picture"))
    assert len(files(root)) == 1
    folder.remove(a_picture(None, 2))
    assert [path.name for path in root.iterdir()] == [MARKER]


def test_nothing_is_deleted_from_a_disk_that_is_not_mounted(folder: Folder, root: Path) -> None:
    folder.store(a_picture(None), b"a picture")
    (root / MARKER).unlink()
    with pytest.raises(ArchiveBlocked, match="not_mounted"):
        folder.remove(a_picture(None))
    assert files(root) == [NAME]
