"""Uploads as a source: each is found once, whoever took it, and what an earlier run left comes first."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest
from structlog.testing import capture_logs

from app.messages import Upload
from app.uploads.camera_folders import CameraFolders, PushingCamera
from app.uploads.inbox import Inbox
from app.uploads.settings import UploadSettings
from app.uploads.source import UploadSource
from tests.fakes.cameras import jpeg

GATE = CameraFolders([PushingCamera("Gate Camera", "Gate", "gate")])


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    inbox = Inbox(tmp_path / "area")
    inbox.open()
    return inbox


@pytest.fixture
def uploads(inbox: Inbox) -> Iterator[UploadSource]:
    uploads = UploadSource(inbox, GATE, UploadSettings(quiet_time=0.1, patience=0.1, scan_interval=3600))
    yield uploads
    uploads.close()


def lay(inbox: Inbox, name: str) -> Path:
    path = inbox.area / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(jpeg())
    return path


def polled(uploads: UploadSource, until: Callable[[], bool] = lambda: False) -> list[Upload]:
    """What comes together, waited for; or nothing, once `until` holds."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not until():
        if found := list(uploads.poll(0.2)):
            return found
    return []


def test_what_the_last_run_left_is_taken_up_oldest_first(inbox: Inbox, uploads: UploadSource) -> None:
    for age, name in enumerate(("gate/b.jpg", "gate/c.jpg", "nobody/a.jpg")):
        os.utime(inbox.put(b"picture", PurePosixPath(name), origin="ftp").path, (1000 + age, 1000 + age))
    uploads.open()
    found = list(uploads.poll(0.0))
    assert [(upload.name, upload.camera) for upload in found] == [
        ("gate/b.jpg", "Gate Camera"),
        ("gate/c.jpg", "Gate Camera"),
        ("nobody/a.jpg", ""),
    ]
    assert {(upload.origin, upload.again) for upload in found} == {("ftp", True)}
    assert list(uploads.poll(0.0)) == []


def test_what_our_servers_take_comes_at_once(inbox: Inbox, uploads: UploadSource) -> None:
    uploads.open()
    taken = inbox.put(b"picture", PurePosixPath("gate/a.jpg"), origin="mail")
    uploads.taken(taken, "mail")
    (upload,) = uploads.poll(60.0)
    assert (upload.id, upload.path, upload.label, upload.origin) == (taken.id, str(taken.path), "Gate", "mail")
    assert not upload.again


def test_what_lay_there_before_the_start_is_found_but_nothing_hidden_and_no_video(
    inbox: Inbox, uploads: UploadSource
) -> None:
    for name in ("gate/a.jpg", "gate/.hidden/b.jpg", ".trash/c.jpg", "gate/d.mp4"):
        lay(inbox, name)
    uploads._settings = UploadSettings(videos="ignore")
    uploads.open()
    assert [upload.name for upload in polled(uploads)] == ["gate/a.jpg"]
    for name in ("gate/.made later/e.jpg", "gate/f.jpg"):
        lay(inbox, name)
    assert [upload.name for upload in polled(uploads)] == ["gate/f.jpg"]


def test_what_cannot_be_taken_now_is_said_once_and_found_again(
    inbox: Inbox, uploads: UploadSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("gate/a.jpg", "gate/b.jpg"):
        lay(inbox, name)
    uploads.open()
    with monkeypatch.context() as full, capture_logs() as logs:
        full.setattr(os, "rename", refuse)
        assert polled(uploads, until=lambda: bool(logs)) == []
    assert [line["event"] for line in logs] == ["uploads cannot be taken, trying again"]
    uploads._next_scan = 0.0
    found = polled(uploads)
    found += polled(uploads, until=lambda: len(found) > 1)  # each when it has been still for long enough
    assert {upload.name for upload in found} == {"gate/a.jpg", "gate/b.jpg"}


LITTER = (
    "gate/@eaDir/a.jpg/SYNOFILE_THUMB_M.jpg",
    "#recycle/gate/b.jpg",
    "gate/.DS_Store",
    "gate/Thumbs.db",
    "gate/._c.jpg",
)


@pytest.mark.parametrize("watch", ["inotify", "polling"])
def test_litter_is_left_where_it_is(inbox: Inbox, watch: str) -> None:
    settings = UploadSettings(
        quiet_time=0.1,
        patience=0.1,
        scan_interval=3600,
        polling_interval=0.1,
        watch=watch,  # type: ignore[arg-type]
    )
    uploads = UploadSource(inbox, GATE, settings)
    before = [lay(inbox, name) for name in LITTER]
    uploads.open()
    try:
        list(uploads.poll(0.0))
        after = [lay(inbox, f"late/{name}") for name in LITTER]
        lay(inbox, "gate/z.jpg")
        assert [upload.name for upload in polled(uploads)] == ["gate/z.jpg"]
        deadline = time.monotonic() + 1
        assert polled(uploads, until=lambda: time.monotonic() > deadline) == []
    finally:
        uploads.close()
    assert all(path.exists() for path in before + after)


def test_a_list_of_ones_own_says_what_is_litter(inbox: Inbox) -> None:
    uploads = UploadSource(inbox, GATE, UploadSettings(quiet_time=0.1, patience=0.1, ignore=("*.bak",)))
    kept = lay(inbox, "gate/a.jpg.bak")
    lay(inbox, "gate/@eaDir/a.jpg")
    uploads.open()
    try:
        assert [upload.name for upload in polled(uploads)] == ["gate/@eaDir/a.jpg"]
    finally:
        uploads.close()
    assert kept.exists()


def test_a_folder_that_becomes_a_link_brings_nothing_in(inbox: Inbox, uploads: UploadSource, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.jpg").write_bytes(jpeg())
    uploads.open()
    list(uploads.poll(0.0))
    (inbox.area / "gate").symlink_to(outside)
    for path in (outside / "secret.jpg", inbox.area / "gate"):
        uploads._events.put((str(inbox.area / "gate" / path.name), True))
        uploads._events.put(str(inbox.area / "gate"))
    deadline = time.monotonic() + 0.5
    assert polled(uploads, until=lambda: time.monotonic() > deadline) == []
    assert (outside / "secret.jpg").exists()


def test_what_is_told_of_hidden_folders_is_nothing(inbox: Inbox, uploads: UploadSource) -> None:
    uploads.open()
    list(uploads.poll(0.0))
    hidden = lay(inbox, "gate/.versions/a.jpg")
    uploads._events.put((str(hidden), True))
    uploads._events.put(str(hidden.parent))
    lay(inbox, "gate/b.jpg")
    assert [upload.name for upload in polled(uploads)] == ["gate/b.jpg"]
    assert hidden.exists()
