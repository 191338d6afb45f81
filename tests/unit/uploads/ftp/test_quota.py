"""Each camera has its share of the disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from types import SimpleNamespace

import pytest

from app.uploads.ftp.quota import BLOCK, Quota
from app.uploads.inbox import Inbox

UPLOADS = PurePosixPath("uploads/snapshots")
DOOR, YARD = UPLOADS / "frontdoor/20260304/a.jpg", UPLOADS / "yard/a.jpg"
LIMIT = 100 * BLOCK


class Threads:
    """Threads whose work waits until a test does it."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], object]] = []

    def __call__(self, *, target: Callable[[], object], **_: object) -> SimpleNamespace:
        return SimpleNamespace(start=lambda: self.waiting.append(target))

    def work(self) -> None:
        while self.waiting:
            self.waiting.pop()()


@pytest.fixture(autouse=True)
def threads(monkeypatch: pytest.MonkeyPatch) -> Threads:
    threads = Threads()
    monkeypatch.setattr("app.uploads.ftp.quota.threading.Thread", threads)
    return threads


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


def test_there_is_room_again_when_files_have_left(tmp_path: Path, threads: Threads) -> None:
    quota = Quota(tmp_path, limit=LIMIT, upload_dir=UPLOADS)
    quota.add(DOOR, LIMIT)
    quota.arrived(DOOR, LIMIT, kept=True)
    assert not quota.add(DOOR, 1)
    quota.arrived(DOOR, 1, kept=False)
    threads.work()  # measured by itself: nothing lies there
    assert quota.add(DOOR, LIMIT)


def test_what_lies_there_is_measured_when_half_is_used_and_not_again_at_once(
    tmp_path: Path, threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [50.0]
    monkeypatch.setattr("app.uploads.ftp.quota.time", SimpleNamespace(monotonic=lambda: now[0]))
    quota = Quota(tmp_path, limit=LIMIT, upload_dir=UPLOADS)
    begun = []
    for size, seconds in ((LIMIT // 2, 0), (1, 0), (1, 2.0), (1, 0.1)):
        now[0] += seconds
        quota.add(DOOR, size)
        begun.append(len(threads.waiting))
        threads.work()
    assert begun == [0, 1, 0, 1]


def test_what_arrives_while_it_is_measured_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quota = Quota(tmp_path, limit=LIMIT, upload_dir=UPLOADS)
    walk = quota._walk

    def meanwhile() -> Counter[str]:
        measured = walk()
        assert not quota.add(DOOR, LIMIT + 1)
        quota.arrived(DOOR, LIMIT, kept=True)
        return measured

    monkeypatch.setattr(quota, "_walk", meanwhile)
    quota.measure()
    quota.arrived(DOOR, 1, kept=False)  # the byte too much
    assert not quota.add(DOOR, 1)


@pytest.mark.parametrize(
    ("name", "camera"),
    [
        (UPLOADS / "frontdoor/a.jpg", "frontdoor"),
        (UPLOADS / "frontdoor/2026/a.jpg", "frontdoor"),
        (UPLOADS / "frontdoor", ""),
        (PurePosixPath("uploads/frontdoor/a.jpg"), ""),
        (PurePosixPath("a.jpg"), ""),
    ],
)
def test_only_what_lies_in_a_camera_s_folder_is_the_camera_s(tmp_path: Path, name: PurePosixPath, camera: str) -> None:
    quota = Quota(tmp_path, limit=LIMIT, upload_dir=UPLOADS)
    quota.add(name, LIMIT)
    assert quota.add(UPLOADS / "frontdoor/b.jpg", 1) is (camera == "")
    assert quota.add(PurePosixPath("b.jpg"), 1) is (camera != "")


def test_what_is_still_arriving_is_not_measured_for_it_is_counted(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    inbox.open()
    inbox.arriving().write_bytes(bytes(LIMIT))
    quota = Quota(tmp_path, limit=LIMIT, upload_dir=UPLOADS)
    quota.measure()
    assert quota.add(PurePosixPath("a.jpg"), LIMIT - 50 * BLOCK)


def test_empty_folders_count_too(tmp_path: Path) -> None:
    for number in range(101):
        (tmp_path / UPLOADS / "frontdoor" / str(number)).mkdir(parents=True)
    quota = Quota(tmp_path, limit=LIMIT, upload_dir=UPLOADS)
    quota.measure()
    assert not quota.add(DOOR, 0)


def test_what_was_not_kept_does_not_count(tmp_path: Path) -> None:
    quota = Quota(tmp_path, limit=LIMIT, upload_dir=UPLOADS)
    assert not quota.add(DOOR, LIMIT + 1)
    quota.arrived(DOOR, LIMIT + 1, kept=False)
    assert quota.add(DOOR, LIMIT)


def test_without_a_limit_there_is_always_room(tmp_path: Path) -> None:
    assert Quota(tmp_path, limit=0, upload_dir=UPLOADS).add(DOOR, 10**15)
