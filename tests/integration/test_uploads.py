"""Uploads on a real file system: whatever way files come, each is found once, and no crash loses or doubles one."""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.journal import Journal
from app.journal.entries import Filter
from app.messages import Upload
from app.pipeline.receive import Receive
from app.pipeline.videos import KeepVideo
from app.storage.cache import Cache
from app.storage.videos import Videos
from app.uploads.camera_folders import CameraFolders, PushingCamera
from app.uploads.capture_time import CaptureTime
from app.uploads.inbox import Inbox, InboxFile
from app.uploads.quarantine import Quarantine
from app.uploads.settings import UploadSettings
from app.uploads.source import UploadSource
from tests.fakes.cameras import jpeg
from tests.fakes.journal import opened

OWNERS = CameraFolders([PushingCamera("Gate Camera", "Gate", "gate"), PushingCamera("Porch Camera", "Porch", "porch")])
PLACE = "uploads/snapshots/gate"
PICTURE = jpeg(8, 8)


class Area:
    """An upload area with a watcher."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.root = folder / "area"
        self.inbox = Inbox(self.root)
        quick = {
            "quiet_time": 0.3,
            "patience": 1.5,
            "scan_interval": 1.0,
            "polling_interval": 0.2,
            **settings,
        }
        self.uploads = UploadSource(self.inbox, OWNERS, UploadSettings(**quick))
        self.found: list[Upload] = []

    def path(self, name: str) -> Path:
        path = self.root / PLACE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def gather(self, count: int, *, within: float = 60.0, more_for: float = 0.0) -> list[str]:
        """Names of what is found until there are so many, and for some seconds more."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            self.found += self.uploads.poll(0.1)
            if len(self.found) >= count:
                deadline = min(deadline, time.monotonic() + more_for)
                count = 10**9
        return [upload.name for upload in self.found]


@pytest.fixture
def area(tmp_path: Path) -> Iterator[Area]:
    yield from started(Area(tmp_path))


def started(area: Area) -> Iterator[Area]:
    area.uploads.open()
    assert area.gather(1, within=0.3) == []  # it watches by now
    yield area
    area.uploads.close()


def test_a_file_is_found_at_once_when_it_is_closed_and_whole(tmp_path: Path) -> None:
    for area in started(Area(tmp_path, scan_interval=3600, quiet_time=3600)):
        area.path("here").mkdir()
        area.gather(1, within=0.5)
        area.path("here/a.jpg").write_bytes(PICTURE)
        area.gather(1)
        (upload,) = area.found
        assert (upload.name, upload.camera, upload.label) == (f"{PLACE}/here/a.jpg", "Gate Camera", "Gate")
        assert (upload.origin, upload.again) == ("folder", False)
        assert Path(upload.path).read_bytes() == PICTURE
        assert not area.path("here/a.jpg").exists()


def test_a_file_that_is_renamed_or_moved_in_is_found(area: Area, tmp_path: Path) -> None:
    area.path("a.jpg.tmp").write_bytes(PICTURE)
    area.path("a.jpg.tmp").rename(area.path("a.jpg"))
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(PICTURE)
    outside.rename(area.path("b.jpg"))
    folder = tmp_path / "folder" / "deep"
    folder.mkdir(parents=True)
    (folder / "c.jpg").write_bytes(PICTURE)
    (tmp_path / "folder").rename(area.path("moved"))
    names = {f"{PLACE}/{name}" for name in ("a.jpg", "b.jpg", "moved/deep/c.jpg")}
    assert set(area.gather(3, more_for=1.0)) == names
    assert len(area.found) == 3


def test_200_new_folders_written_at_once_lose_nothing(tmp_path: Path) -> None:
    for area in started(Area(tmp_path, scan_interval=3600)):
        names = {f"{PLACE}/{number % 10}/{number}/12/{number}.jpg" for number in range(150)}
        names |= {f"new{number}/gate/{number}.jpg" for number in range(50)}
        for name in names:
            (area.root / name).parent.mkdir(parents=True)
            (area.root / name).write_bytes(PICTURE)
        found = area.gather(200, more_for=0.5)
        assert set(found) == names
        assert len(found) == 200
        assert {upload.camera for upload in area.found} == {"Gate Camera"}


@pytest.mark.long
def test_4000_files_at_once_and_500_before_the_start_are_each_found_once(tmp_path: Path) -> None:
    area = Area(tmp_path, scan_interval=4)
    original = tmp_path / "original.jpg"
    original.write_bytes(PICTURE)
    area.path("x").mkdir(parents=True)
    early, late = (
        [f"{name}{number}.jpg" for number in range(count)] for name, count in (("early", 500), ("late", 4_000))
    )
    for age, name in enumerate(early):
        area.path(name).write_bytes(PICTURE)
        os.utime(area.path(name), (age, age))

    def drop() -> None:
        for name in late:
            os.link(original, area.root / PLACE / name)

    area.uploads.open()
    dropper = threading.Thread(target=drop)
    dropper.start()
    found = area.gather(4_500, more_for=4.5)
    dropper.join()
    area.uploads.close()
    assert len(found) == len(set(found)) == 4_500
    assert set(found) == {f"{PLACE}/{name}" for name in (*early, *late)}
    assert [name for name in found if "early" in name] == [f"{PLACE}/{name}" for name in early]
    assert len(list(area.inbox.waiting())) == 4_500


def test_polling_finds_files_where_the_system_does_not_tell(tmp_path: Path) -> None:
    for area in started(Area(tmp_path, watch="polling", scan_interval=3600)):
        area.path("a.jpg").write_bytes(PICTURE)
        area.path("new/folder/b.jpg").write_bytes(PICTURE)
        area.path("c.jpg.part").write_bytes(PICTURE)
        area.path("c.jpg.part").rename(area.path("c.jpg"))
        names = {f"{PLACE}/{name}" for name in ("a.jpg", "new/folder/b.jpg", "c.jpg")}
        assert set(area.gather(3, more_for=0.5)) == names


def test_scans_find_files_while_the_system_refuses_to_tell_and_that_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")

    with monkeypatch.context() as limited, capture_logs() as logs:
        limited.setattr("app.uploads.watcher.Observer", refuse)
        area = Area(tmp_path, scan_interval=0.5)
        area.uploads.open()
        area.path("a.jpg").write_bytes(PICTURE)
        assert area.gather(1, more_for=1.5) == [f"{PLACE}/a.jpg"]
    assert [line["reason"] for line in logs if line["log_level"] == "warning"] == ["inotify watch limit reached"]
    with capture_logs() as logs:
        area.path("b.jpg").write_bytes(PICTURE)
        assert area.gather(2, more_for=1.5) == [f"{PLACE}/a.jpg", f"{PLACE}/b.jpg"]
    assert [line["event"] for line in logs] == ["upload area is watched again"]
    area.uploads.close()


@pytest.mark.parametrize("watch", ["inotify", "polling"])
def test_an_area_that_is_deleted_or_replaced_is_watched_again(tmp_path: Path, watch: str) -> None:
    for area in started(Area(tmp_path, watch=watch, scan_interval=3600)):
        shutil.rmtree(area.root)
        area.gather(1, within=2.5)
        assert (area.root / ".arriving").is_dir()  # made again
        area.path("a.jpg").write_bytes(PICTURE)
        assert area.gather(1) == [f"{PLACE}/a.jpg"]
        area.root.rename(tmp_path / "old")
        area.path("b.jpg").write_bytes(PICTURE)
        assert area.gather(2) == [f"{PLACE}/a.jpg", f"{PLACE}/b.jpg"]
        shutil.rmtree(area.root / "uploads")
        area.gather(3, within=0.5)
        area.path("c.jpg").write_bytes(PICTURE)
        assert area.gather(3)[2:] == [f"{PLACE}/c.jpg"]


def test_a_file_that_is_written_slowly_is_not_taken_before_it_is_quiet(tmp_path: Path) -> None:
    data = jpeg(64, 64)
    pieces = [data[at : at + len(data) // 8] for at in range(0, len(data), len(data) // 8)]
    for area in started(Area(tmp_path, quiet_time=5, patience=5)):
        with area.path("slow.jpg").open("wb") as file:
            for piece in pieces:
                file.write(piece)
                file.flush()
                assert area.gather(1, within=0.25) == []
        assert area.gather(1) == [f"{PLACE}/slow.jpg"]
        assert Path(area.found[0].path).read_bytes() == data


def test_a_name_that_is_used_again_and_again_gives_each_picture(area: Area) -> None:
    pictures = [jpeg(8, 8, color=f"#{number:02x}0000") for number in range(5)]
    for number, picture in enumerate(pictures, start=1):
        area.path("image.jpg").write_bytes(picture)
        area.gather(number)
    assert [Path(upload.path).read_bytes() for upload in area.found] == pictures


def test_hidden_folders_links_and_ignored_videos_stay_where_they_are(tmp_path: Path) -> None:
    for area in started(Area(tmp_path, videos="ignore")):
        (tmp_path / "secret.jpg").write_bytes(PICTURE)
        area.path("link.jpg").symlink_to(tmp_path / "secret.jpg")
        area.path(".versions/a.jpg").write_bytes(PICTURE)
        area.path("film.mp4").write_bytes(b"film")
        (area.root / ".arriving" / "b.jpg").write_bytes(PICTURE)
        area.path("c.jpg").write_bytes(PICTURE)
        assert area.gather(2, within=2.5) == [f"{PLACE}/c.jpg"]
        assert area.path("film.mp4").exists()
        assert area.path("link.jpg").is_symlink()


def test_what_our_server_took_is_passed_on_at_once_and_after_a_restart_with_its_origin(
    tmp_path: Path,
) -> None:
    area = Area(tmp_path, scan_interval=3600)
    area.uploads.open()
    taken = [area.inbox.put(PICTURE, PurePosixPath(f"{PLACE}/{number}.jpg"), origin="ftp") for number in range(3)]
    for one in taken[:2]:
        threading.Thread(target=area.uploads.taken, args=(one, "ftp")).start()
    area.gather(2, more_for=0.3)
    area.uploads.close()
    assert {(upload.id, upload.origin, upload.again) for upload in area.found} == {
        (one.id, "ftp", False) for one in taken[:2]
    }
    restarted = Area(tmp_path, scan_interval=3600)
    restarted.uploads.open()
    restarted.gather(3, more_for=0.3)
    restarted.uploads.close()
    assert {(upload.id, upload.origin, upload.again) for upload in restarted.found} == {
        (one.id, "ftp", True) for one in taken
    }


# -- crashes ------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process ended here."""


class Fate:
    """Ends the process at one step of its life; never for a negative one."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.steps = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.at:
            raise Killed


class Mortal:
    """Another object, before and after each of whose methods the process may end."""

    def __init__(self, inner: object, fate: Fate) -> None:
        self._inner = inner
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if not callable(value):
            return value

        def call(*args: Any, **options: Any) -> Any:
            self._fate.step()
            result = value(*args, **options)
            self._fate.step()
            return result

        return call


class MortalInbox(Inbox):
    """An inbox in the midst of whose steps the process may end, too."""

    fate = Fate(-1)

    def _take(self, path: Path, name: PurePosixPath, origin: str, sender: str = "") -> InboxFile | None:
        self.fate.step()
        taken = super()._take(path, name, origin, sender)
        self.fate.step()
        return taken

    def done(self, path: Path) -> None:
        self.fate.step()
        super().done(path)
        self.fate.step()


SENT = {
    "gate/MDAlarm_20260304-115930.jpg": PICTURE,
    "gate/again.jpg": PICTURE,
    "gate/half.jpg": PICTURE[:-50],
    "gate/film.mp4": b"film",
    "porch/a.jpg": jpeg(8, 8, color="red"),
    "nobody/a.jpg": PICTURE,
}


def life(folder: Path, journal: Journal, fate: Fate, *, until: Callable[[], bool]) -> None:
    """One life of the process, which ends with its fate, or else when all is done."""
    inbox = MortalInbox(folder / "area")
    inbox.fate = fate
    uploads = UploadSource(inbox, OWNERS, UploadSettings(quiet_time=0.1, patience=0.1, watch="polling"))
    mortal: Any = Mortal(journal, fate)
    cache: Any = Mortal(Cache(folder / "cache", zone=UTC), fate)
    videos: Any = Mortal(Videos(folder / "videos", zone=UTC), fate)
    receive = Receive(
        inbox=inbox,
        journal=mortal,
        cache=cache,
        quarantine=Mortal(Quarantine(folder / "quarantine"), fate),  # type: ignore[arg-type]
        capture_time=CaptureTime(zone=UTC),
        videos=KeepVideo(
            videos, journal=mortal, cache=cache, capture_time=CaptureTime(zone=UTC), poster=lambda _: PICTURE
        ),
    )
    try:
        uploads.open()
        fate.step()
        deadline = time.monotonic() + 10
        while not until() and time.monotonic() < deadline:
            for upload in uploads.poll(0.02):
                fate.step()
                list(receive.handle(upload))
    finally:
        uploads.close()


def outcome(folder: Path, journal: Journal) -> tuple[list[str], ...]:
    """What became of everything: recorded, quarantined, kept aside, still lying anywhere."""
    recorded = [
        f"{snapshot.camera} {snapshot.origin} {len(Path(snapshot.path).read_bytes())}"
        for snapshot in journal.uninspected(older_than=-1)
    ]
    quarantined = [f"{entry.name} {entry.reason.split(':')[0]}" for entry in Quarantine(folder / "quarantine").listed()]
    files = [path.read_bytes().decode() for path in (folder / "videos").rglob("*") if path.is_file()]
    events = [entry.inspection.snapshot for entry in journal.page(Filter())]  # nothing looks at pictures here
    videos = [*files, *(f"event of a {Path(one.video).read_bytes().decode()}" for one in events)]
    left = [path.name for path in (folder / "area").rglob("*") if path.is_file()]
    return sorted(recorded), sorted(quarantined), videos, left


def expected(origin: str) -> tuple[list[str], ...]:
    recorded = [f"Gate Camera {origin} {len(PICTURE)}", f"Porch Camera {origin} {len(SENT['porch/a.jpg'])}"]
    return recorded, ["gate/half.jpg truncated", "nobody/a.jpg unknown_camera"], ["film", "event of a film"], []


def killed_and_restarted(folder: Path, at: int, *, origin: str) -> bool:
    """Whether the process was killed at that step; in any case all must end well."""
    inbox = Inbox(folder / "area")
    inbox.open()
    for name, data in SENT.items():
        if origin == "ftp":
            inbox.put(data, PurePosixPath(name), origin=origin)
        else:
            (folder / "area" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "area" / name).write_bytes(data)

    def over() -> bool:
        return not any(path.is_file() for path in (folder / "area").rglob("*"))

    with opened(folder / "journal.db") as journal:
        fate = Fate(at)
        killed = False
        try:
            life(folder, journal, fate, until=over)
        except Killed:
            killed = True
            life(folder, journal, Fate(-1), until=over)
        assert outcome(folder, journal) == expected(origin), f"killed at step {at}"
    return killed


@pytest.mark.parametrize(("origin", "stride"), [("ftp", 1), ("folder", 3)])
def test_killed_at_any_step_nothing_is_lost_and_nothing_comes_twice(tmp_path: Path, origin: str, stride: int) -> None:
    step = 1
    while killed_and_restarted(tmp_path / str(step), step, origin=origin):
        step += stride
    assert step > 40
