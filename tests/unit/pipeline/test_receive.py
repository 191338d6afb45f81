"""The receive stage: what a camera sent becomes one recorded snapshot, or is kept with its reason."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import pytest
from structlog.testing import capture_logs

from app.journal import Journal
from app.journal.entries import Filter
from app.media.adjustments import AS_IT_CAME, Adjustments
from app.media.poster import NoPoster
from app.messages import Inspection, Snapshot, Trigger, Upload, decode, encode
from app.pipeline.receive import Receive
from app.pipeline.videos import KeepVideo
from app.storage.cache import Cache
from app.storage.videos import Videos, VideosUnavailable
from app.uploads.capture_time import CaptureTime
from app.uploads.inbox import TRYING, Inbox, InboxFile, InboxUnavailable
from app.uploads.quarantine import Quarantine, QuarantineUnavailable
from pylib.errors import Permanent
from pylib.settings.credentials import Secret
from pylib.sqlite import DatabaseUnavailable
from tests.fakes.cameras import jpeg
from tests.fakes.durability import disk
from tests.fakes.journal import full_disk
from tests.fakes.triggers import a_trigger

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
CAPTURE_TIME = CaptureTime(zone=UTC, now=lambda: NOW)


class Home:
    """A receive stage with all that it needs, in a folder of its own."""

    def __init__(self, folder: Path, journal: Journal, cache: Cache) -> None:
        self.folder = folder
        self.journal = journal
        self.inbox = Inbox(folder / "area")
        self.inbox.open()
        self.quarantine = Quarantine(folder / "quarantine")
        self.announced: list[Inspection] = []
        self.counted: list[tuple[str, str]] = []
        self.cache = cache
        self.stage = self.made()

    def made(
        self,
        *,
        videos: bool = True,
        picture: Callable[[Path], bytes] = lambda _: b"",
        max_bytes: int = 100_000,
        adjustments: Adjustments = AS_IT_CAME,
    ) -> Receive:
        return Receive(
            inbox=self.inbox,
            journal=self.journal,
            cache=self.cache,
            quarantine=self.quarantine,
            capture_time=CAPTURE_TIME,
            videos=self.videos(picture) if videos else None,
            max_bytes=max_bytes,
            adjustments=lambda _camera: adjustments,
            count=lambda camera, outcome: self.counted.append((camera, outcome)),
        )

    def videos(self, picture: Callable[[Path], bytes]) -> KeepVideo:
        return KeepVideo(
            Videos(self.folder / "videos", zone=UTC),
            journal=self.journal,
            cache=self.cache,
            capture_time=CAPTURE_TIME,
            archives=["nas"],
            announce=self.announced.append,
            poster=picture,
        )

    def take(self, data: bytes, name: str = "gate/a.jpg", *, origin: str = "ftp") -> InboxFile:
        arriving = self.inbox.arriving()
        arriving.write_bytes(data)
        os.utime(arriving, (NOW.timestamp() - 1, NOW.timestamp() - 1))
        taken = self.inbox.take_as(arriving, PurePosixPath(name), origin=origin)
        assert taken is not None
        return taken

    def receive(self, taken: InboxFile, *, camera: str = "Gate Camera", again: bool = False) -> list[Snapshot]:
        return list(self.stage.handle(upload(taken, camera=camera, again=again)))

    @property
    def left(self) -> list[InboxFile]:
        return list(self.inbox.waiting())

    def reasons(self) -> Iterable[str]:
        return [entry.reason.partition(":")[0] for entry in self.quarantine.listed()]


def upload(taken: InboxFile, *, camera: str = "Gate Camera", again: bool = False) -> Upload:
    label = camera.removesuffix(" Camera")
    return Upload(taken.id, camera, label, str(taken.path), str(taken.name), taken.origin, again)


@pytest.fixture
def home(tmp_path: Path, journal: Journal, cache: Cache) -> Home:
    return Home(tmp_path, journal, cache)


@pytest.mark.parametrize("origin", ["ftp", "folder", "mail"])
def test_a_picture_becomes_a_recorded_snapshot_of_its_moment(home: Home, origin: str) -> None:
    data = jpeg(64, 48)
    taken = home.take(data, "gate/MDAlarm_20260304-115930.jpg", origin=origin)
    (snapshot,) = home.receive(taken)
    assert snapshot.id == taken.id
    assert (snapshot.camera, snapshot.label, snapshot.origin) == ("Gate Camera", "Gate", origin)
    assert snapshot.timestamp == snapshot.taken_at == NOW - timedelta(seconds=30)
    assert (snapshot.delay_s, snapshot.problem) == (0.0, "")
    assert (snapshot.width, snapshot.height, snapshot.size) == (64, 48, len(data))
    assert Path(snapshot.path).read_bytes() == data
    assert home.journal.find(taken.id) == snapshot
    assert home.left == []
    assert home.counted == [("Gate Camera", "ok")]


def test_what_our_server_received_is_not_written_twice(home: Home) -> None:
    taken = home.take(jpeg())
    inode = taken.path.stat().st_ino
    (snapshot,) = home.receive(taken)
    assert Path(snapshot.path).stat().st_ino == inode


def test_who_still_writes_to_a_file_in_the_folder_does_not_change_the_picture(home: Home) -> None:
    data = jpeg()
    taken = home.take(data, origin="folder")
    with taken.path.open("ab") as writer:
        (snapshot,) = home.receive(taken)
        writer.write(b"more")
    assert Path(snapshot.path).read_bytes() == data


def test_the_same_camera_sending_the_same_again_is_one_event(home: Home) -> None:
    assert home.receive(home.take(jpeg(), "gate/a.jpg"))
    assert home.receive(home.take(jpeg(), "gate/b.jpg")) == []
    assert home.receive(home.take(jpeg(), "porch/a.jpg"), camera="Porch Camera")
    assert home.receive(home.take(jpeg(color="red"), "gate/a.jpg"))
    assert [outcome for _, outcome in home.counted] == ["ok", "duplicate", "ok", "ok"]
    assert home.left == []


def test_a_mail_refused_for_one_picture_that_comes_again_repeats_no_event_of_the_whole_ones(home: Home) -> None:
    assert home.receive(home.take(jpeg(), "gate/1.jpg", origin="mail"))
    assert home.receive(home.take(jpeg(), "gate/1.jpg", origin="mail")) == []
    assert [outcome for _, outcome in home.counted] == ["ok", "duplicate"]


@pytest.mark.parametrize("camera", ["Gate Camera", "Gate Camera by its new name"])
def test_what_was_recorded_before_a_crash_is_only_let_go(home: Home, camera: str) -> None:
    taken = home.take(jpeg())
    home.receive(taken)
    taken.path.write_bytes(jpeg())
    assert home.receive(taken, camera=camera, again=True) == []
    assert home.receive(home.take(b"x"), again=True) == []
    assert home.left == []
    assert home.reasons() == ["not_an_image"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (jpeg()[:-40], "truncated"),
        (b"hello", "not_an_image"),
        (b"\xff" * 200_000, "too_large"),
    ],
)
def test_what_is_no_picture_is_kept_with_its_reason(home: Home, data: bytes, reason: str) -> None:
    assert home.receive(home.take(data)) == []
    assert home.reasons() == [reason]
    ((camera, outcome),) = home.counted
    assert (camera, outcome.partition(": ")[0]) == ("Gate Camera", reason)
    assert home.left == []


def test_a_picture_of_nobody_s_is_kept_with_its_reason(home: Home) -> None:
    assert home.receive(home.take(jpeg(), "somewhere/a.jpg"), camera="") == []
    (entry,) = home.quarantine.listed()
    assert entry.reason.startswith("unknown_camera: ")
    assert entry.name == "somewhere/a.jpg"
    assert home.left == []


def test_a_link_is_not_followed(home: Home, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(jpeg())
    taken = home.take(b"x")
    taken.path.unlink()
    taken.path.symlink_to(tmp_path / "secret")
    assert home.receive(taken) == []
    assert home.reasons() == ["unreadable"]


def test_videos_are_kept_aside_with_their_time(home: Home) -> None:
    taken = home.take(b"film", "gate/alarm_20260304_115937.MKV")
    assert home.receive(taken) == []
    assert (home.folder / f"videos/gate-camera/20260304-115937-{taken.id}.mkv").read_bytes() == b"film"
    assert home.left == []
    assert home.counted == [("Gate Camera", "video")]


def film(home: Home, data: bytes = b"film", *, again: bool = False) -> InboxFile:
    """A video that came; the stage has seen it."""
    taken = home.take(data, "gate/alarm_20260304-115937.mp4")
    assert home.receive(taken, again=again) == []
    return taken


def test_a_video_stands_in_the_album_with_its_picture_and_goes_to_archives_only(home: Home) -> None:
    home.stage = home.made(picture=lambda video: jpeg(64, 48) if video.read_bytes() == b"film" else b"")
    taken = film(home)
    (entry,) = home.journal.page(Filter())
    snapshot = entry.inspection.snapshot
    assert (entry.id, snapshot.camera, snapshot.origin) == (taken.id, "Gate Camera", "ftp")
    assert snapshot.taken_at == NOW - timedelta(seconds=23)
    assert (Path(snapshot.video).read_bytes(), Path(snapshot.path).read_bytes()) == (b"film", jpeg(64, 48))
    assert (snapshot.width, snapshot.height, snapshot.size) == (64, 48, len(jpeg(64, 48)))
    assert home.journal.delivery_states(taken.id).keys() == {"nas"}
    assert home.announced == [entry.inspection]
    assert home.counted == [("Gate Camera", "video")]


def test_a_video_without_a_picture_says_why_and_is_kept_all_the_same(home: Home) -> None:
    def none(_: Path) -> bytes:
        raise NoPoster("video_unreadable", "there is no frame in it")

    home.stage = home.made(picture=none)
    film(home)
    (entry,) = home.journal.page(Filter(problem=True))
    assert entry.inspection.problem == "video_unreadable: there is no frame in it"
    assert (entry.inspection.snapshot.path, Path(entry.inspection.snapshot.video).read_bytes()) == ("", b"film")
    assert home.reasons() == []


def test_a_video_that_was_sent_before_is_one_event_and_so_is_one_after_a_crash(home: Home) -> None:
    first = film(home)
    film(home)
    home.take(b"film", "gate/a.mp4")
    assert [entry.id for entry in home.journal.page(Filter())] == [first.id]
    crashed = home.take(b"another", "gate/b.mp4")
    with full_disk(home.journal), pytest.raises(DatabaseUnavailable):
        home.receive(crashed)
    assert crashed.path.exists()
    home.receive(crashed, again=True)
    assert [entry.id for entry in home.journal.inspected_after(first.id, limit=9)] == [crashed.id]
    assert not crashed.path.exists()


def test_an_index_beside_a_video_is_kept_and_is_no_event(home: Home) -> None:
    home.receive(home.take(b"index", "gate/a.idx"))
    assert [path.read_bytes() for path in (home.folder / "videos").rglob("*.idx")] == [b"index"]
    assert home.journal.page(Filter()) == []


def test_a_link_that_is_called_a_video_is_not_followed(home: Home, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    taken = home.take(b"x", "gate/a.mp4")
    taken.path.unlink()
    taken.path.symlink_to(tmp_path / "secret")
    assert home.receive(taken) == []
    assert home.reasons() == ["unreadable"]


def test_videos_may_be_ignored(home: Home) -> None:
    home.stage = home.made(videos=False)
    assert home.receive(home.take(b"film", "gate/a.mp4")) == []
    assert home.left == []
    assert not (home.folder / "videos").exists()
    assert home.reasons() == []


def test_with_a_full_disk_nothing_is_let_go_and_trying_again_gives_one_event(home: Home, journal: Journal) -> None:
    taken = home.take(jpeg())
    with full_disk(journal), pytest.raises(DatabaseUnavailable):
        home.receive(taken)
    assert [waiting.id for waiting in home.left] == [taken.id]
    (snapshot,) = home.receive(taken)
    assert home.left == []
    pictures = [path for path in home.cache.root.rglob("*") if path.is_file()]
    assert pictures == [Path(snapshot.path)]


def test_an_attempt_that_was_recorded_after_all_is_passed_on_by_the_record_alone(home: Home) -> None:
    taken = home.take(jpeg())
    home.receive(taken)
    taken.path.write_bytes(jpeg())
    assert home.receive(taken) == []
    assert [snapshot.id for snapshot in home.journal.uninspected(older_than=0)] == [taken.id]
    assert home.counted == [("Gate Camera", "ok")]


@pytest.mark.parametrize("origin", ["ftp", "folder"])
def test_the_picture_is_safe_before_its_record_and_the_upload_goes_last(
    home: Home, journal: Journal, tmp_path: Path, origin: str
) -> None:
    with disk(tmp_path) as watched:
        watched.watch(journal)
        taken = home.take(jpeg(), origin=origin)
        (snapshot,) = home.receive(taken)
        assert watched.steps[-3:] == ["sync gate-camera", "commit", f"drop {taken.path.name}"]
        assert watched.left()[str(Path(snapshot.path).relative_to(tmp_path))] == jpeg()
        assert set(watched.lost) == {f"{taken.id}{TRYING}"}  # of no value any more


@pytest.mark.parametrize("name", ["gate/a.jpg", "gate/a.mp4"])
def test_an_upload_that_somebody_took_away_is_done(home: Home, name: str) -> None:
    taken = home.take(jpeg(), name)
    taken.path.unlink()
    assert home.receive(taken) == []
    assert home.left == []
    assert home.counted == []
    assert home.reasons() == []


def test_a_picture_without_a_time_in_it_is_as_old_as_its_file(home: Home) -> None:
    (snapshot,) = home.receive(home.take(jpeg(), "gate/a.jpg"))
    assert snapshot.taken_at == NOW - timedelta(seconds=1)
    home.receive(video := home.take(b"film", "gate/a.mp4"))
    assert (home.folder / f"videos/gate-camera/20260304-115959-{video.id}.mp4").exists()


@pytest.mark.parametrize("kept", ["quarantine", "videos"])
def test_what_cannot_be_kept_elsewhere_stays_in_the_inbox(home: Home, kept: str) -> None:
    (home.folder / kept).write_text("in the way")
    taken = home.take(b"no picture", "gate/a.mp4" if kept == "videos" else "gate/a.jpg")
    with pytest.raises((QuarantineUnavailable, VideosUnavailable)):
        home.receive(taken)
    assert [waiting.id for waiting in home.left] == [taken.id]
    assert home.counted == []


def test_a_file_that_cannot_be_read_now_stays_in_the_inbox(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = home.take(jpeg())

    def broken(*_: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as disk_error:
        disk_error.setattr(os, "fstat", broken)
        with pytest.raises(InboxUnavailable, match="cannot read"):
            home.receive(taken)
    assert [waiting.id for waiting in home.left] == [taken.id]
    assert home.reasons() == []


def test_a_file_of_just_the_allowed_size_is_a_picture(home: Home) -> None:
    home.stage = home.made(max_bytes=len(jpeg()))
    assert home.receive(home.take(jpeg()))


def test_a_trigger_s_login_passes_between_threads() -> None:
    message = a_trigger(device_params=Secret("admin:secret@10.0.0.1:80"), active_input={"device_key": "Beam"})
    again = decode(encode(message))
    assert again == message
    assert isinstance(again, Trigger)
    assert again.device_params is not None
    assert again.device_params.get_secret_value() == "admin:secret@10.0.0.1:80"


def test_an_upload_passes_between_threads() -> None:
    message = Upload("1", "Gate Camera", "Gate", "/a/b.jpg", "b.jpg", "mail", again=True)
    assert decode(encode(message)) == message


def test_a_picture_over_which_the_process_died_twice_is_kept_aside_and_the_next_one_goes_on(home: Home) -> None:
    deadly, other = home.take(jpeg(8, 8)), home.take(jpeg(16, 16))
    open_ended = [home.inbox.attempt(deadly.id)]
    open_ended[0].__enter__()  # and never left: the process is gone
    (snapshot,) = home.receive(other)
    assert Home(home.folder, home.journal, home.cache).receive(deadly, again=True)
    assert snapshot.id == other.id

    again = home.take(jpeg(24, 24))
    for _ in range(2):
        open_ended.append(Inbox(home.inbox.area).attempt(again.id))
        open_ended[-1].__enter__()
    assert Home(home.folder, home.journal, home.cache).receive(again, again=True) == []
    assert home.reasons() == ["killed_twice"]
    assert home.left == []


@pytest.mark.parametrize(("name", "data"), [("a.mp4", b"film"), ("a.jpg", jpeg()[:-9]), ("a.jpg", b"no picture")])
def test_what_cannot_be_masked_is_kept_nowhere(home: Home, name: str, data: bytes) -> None:
    home.stage = home.made(adjustments=Adjustments(masks=(((0.0, 0.0), (0.5, 0.0), (0.5, 0.5)),)))
    with capture_logs() as logs:
        assert home.receive(home.take(data, f"gate/{name}")) == []
    assert (home.left, [*home.quarantine.listed()], (home.folder / "videos").exists()) == ([], [], False)
    (said,) = [log for log in logs if "its camera has privacy masks or a crop" in log["event"]]
    assert (said["camera"], said["name"]) == ("Gate Camera", f"gate/{name}")
    assert len(home.counted) == 1


def test_what_cannot_be_masked_is_deleted_when_it_is_refused_again(home: Home) -> None:
    stage = home.made(adjustments=Adjustments(masks=(((0.0, 0.0), (0.5, 0.0), (0.5, 0.5)),)))
    with pytest.raises(Permanent, match="not_an_image"):
        stage.take_in(upload(home.take(b"no picture")))
    assert (home.left, [*home.quarantine.listed()]) == ([], [])


def test_what_a_person_takes_in_is_never_counted_as_a_failure(home: Home) -> None:
    with pytest.raises(Permanent, match="not_an_image"):
        home.stage.take_in(upload(home.take(b"no picture")))
    assert home.counted == []


def test_a_camera_that_is_only_turned_hides_nothing(home: Home) -> None:
    home.stage = home.made(adjustments=Adjustments(rotate=180))
    home.receive(home.take(b"film", "gate/a.mp4"))
    home.receive(home.take(b"no picture"))
    assert ((home.folder / "videos").exists(), len(home.quarantine.listed())) == (True, 1)
