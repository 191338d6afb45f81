"""Each camera has its share of the disk."""

from __future__ import annotations

import time
from pathlib import Path, PurePosixPath

from app.ftp.quota import BLOCK, Quota
from app.inbox import Inbox

UPLOADS = PurePosixPath("uploads/snapshots")
DOOR, YARD = UPLOADS / "frontdoor/20260304/a.jpg", UPLOADS / "yard/a.jpg"
LIMIT = 100 * BLOCK


def test_what_comes_counts_for_its_camera_only(tmp_path: Path) -> None:
    quota = Quota(tmp_path, limit=LIMIT, upload_dir=UPLOADS)
    assert quota.add(DOOR, LIMIT)
    assert not quota.add(DOOR, 1)
    assert quota.add(YARD, LIMIT)
    assert quota.add(PurePosixPath("elsewhere/a.jpg"), LIMIT)


def test_what_lies_there_and_what_waits_in_the_inbox_counts(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    inbox.open()
    inbox.put(bytes(LIMIT // 2), DOOR)
    (tmp_path / DOOR).parent.mkdir(parents=True)
    (tmp_path / DOOR).write_bytes(bytes(LIMIT // 2))
    quota = Quota(tmp_path, limit=LIMIT, upload_dir=UPLOADS)
    quota.measure()
    assert not quota.add(DOOR, 1)


def test_many_empty_files_use_it_up_too(tmp_path: Path) -> None:
    folder = (tmp_path / DOOR).parent
    folder.mkdir(parents=True)
    for number in range(101):
        (folder / f"{number}.jpg").touch()
    quota = Quota(tmp_path, limit=LIMIT, upload_dir=UPLOADS)
    quota.measure()
    assert not quota.add(DOOR, 0)


def test_one_endless_upload_is_seen_while_it_arrives(tmp_path: Path) -> None:
    quota = Quota(tmp_path, limit=LIMIT, upload_dir=UPLOADS)
    quota.add(DOOR, LIMIT)
    quota.measure()
    assert not quota.add(DOOR, 1)


def test_there_is_room_again_when_files_have_left(tmp_path: Path) -> None:
    quota = Quota(tmp_path, limit=LIMIT, upload_dir=UPLOADS)
    quota.add(DOOR, LIMIT)
    quota.arrived(DOOR, LIMIT, kept=True)
    deadline = time.monotonic() + 10
    while not quota.add(DOOR, 1):  # measured by itself: nothing lies there
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_was_not_kept_does_not_count(tmp_path: Path) -> None:
    quota = Quota(tmp_path, limit=LIMIT, upload_dir=UPLOADS)
    assert not quota.add(DOOR, LIMIT + 1)
    quota.arrived(DOOR, LIMIT + 1, kept=False)
    assert quota.add(DOOR, LIMIT)


def test_without_a_limit_there_is_always_room(tmp_path: Path) -> None:
    assert Quota(tmp_path, limit=0, upload_dir=UPLOADS).add(DOOR, 10**15)
