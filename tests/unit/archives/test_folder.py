"""The folder archive: pictures are whole and once, and a disk that is away is noticed."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from hashlib import md5
from pathlib import Path

import pytest

from app.archives import ArchiveBlocked, ArchiveUnavailable, Kept
from app.archives.folder import MARKER, Folder
from tests.fakes.archives import NOON, a_picture, event_id

NAME = f"2026/03/04/yard-camera/120001-{event_id(1)}.jpg"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def folder(root: Path) -> Folder:
    folder = Folder(root)
    folder.open()
    return folder


def files(root: Path) -> list[str]:
    return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file() and p.name != MARKER)


def test_a_picture_lies_in_its_days_folder_with_its_own_time(folder: Folder, root: Path) -> None:
    folder.store(a_picture(None), b"a picture")
    assert (root / NAME).read_bytes() == b"a picture"
    assert (root / NAME).stat().st_mtime == NOON.timestamp() + 1
    assert files(root) == [NAME]


def test_keeping_a_picture_twice_leaves_one_and_writes_once(folder: Folder, root: Path) -> None:
    folder.store(a_picture(None), b"a picture")
    first = (root / NAME).stat().st_ino
    folder.store(a_picture(None), b"a picture")
    assert (root / NAME).stat().st_ino == first
    assert files(root) == [NAME]


@pytest.mark.parametrize("wrong", [b"a pict", b"A picture"])
def test_a_wrong_copy_is_replaced(folder: Folder, root: Path, wrong: bytes) -> None:
    folder.store(a_picture(None), wrong)
    folder.store(a_picture(None), b"a picture")
    assert (root / NAME).read_bytes() == b"a picture"


def test_what_a_crash_left_half_written_is_gone_after_the_next_attempt(folder: Folder, root: Path) -> None:
    folder.store(a_picture(None), b"a picture")
    (root / NAME).rename(root / NAME.replace("120001", ".120001").replace(".jpg", ".jpg.part"))
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
        Folder(root, used=lambda: True).open()
    assert not (root / MARKER).exists()
    Folder(root, used=lambda: False).open()
    Folder(root, used=lambda: True).open()
    assert (root / MARKER).exists()


def test_a_full_disk_waits_for_a_person_and_leaves_nothing_half(folder: Folder, root: Path) -> None:
    partial = (root / NAME).with_name(f".120001-{event_id(1)}.jpg.part")
    partial.parent.mkdir(parents=True)
    partial.symlink_to("/dev/full")
    with pytest.raises(ArchiveBlocked, match=r"disk_full.*free some space"):
        folder.store(a_picture(None), b"a picture")
    assert list(partial.parent.iterdir()) == []


def test_a_mount_whose_server_is_gone_costs_bounded_time_and_threads(root: Path) -> None:
    Folder(root).open()
    folder = Folder(root, attempt=0.2, concurrency=1)
    day = root / "2026/03/04/yard-camera"
    day.mkdir(parents=True)
    os.mkfifo(day / f".120001-{event_id(1)}.jpg.part")  # opening it for writing waits for a reader for ever
    before = threading.active_count()
    for _ in range(5):
        with pytest.raises(ArchiveUnavailable, match="timeout"):
            folder.store(a_picture(None), b"a picture")
    assert threading.active_count() <= before + 2
    os.close(os.open(day / f".120001-{event_id(1)}.jpg.part", os.O_RDONLY | os.O_NONBLOCK))  # lets them go


def test_entries_tell_what_is_kept_and_what_is_not_ours(folder: Folder, root: Path) -> None:
    folder.store(a_picture(None), b"a picture")
    earlier = replace(a_picture(None).snapshot, path=f"/cache/2026/03/03/gate/235959-{event_id(2)}.png")
    folder.store(replace(a_picture(None), snapshot=earlier), b"another")
    (root / "2026/holiday.jpg").write_bytes(b"mine")
    assert list(folder.entries()) == [
        Kept("", "2026/holiday.jpg", 4, md5(b"mine").hexdigest()),
        Kept(event_id(2), f"2026/03/03/gate/235959-{event_id(2)}.png", 7, md5(b"another").hexdigest()),
        Kept(event_id(1), NAME, 9, md5(b"a picture").hexdigest()),
    ]
