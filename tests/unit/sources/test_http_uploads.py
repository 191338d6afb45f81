"""Pictures handed in over HTTP: on the disk and in the record before they are accepted, and each only once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from app.journal import Journal
from app.media.picture import BadPicture
from app.messages import Inspection, Snapshot
from app.pipeline.detect import Detect
from app.sources.http_uploads import HttpUploads
from app.storage.cache import Cache, CacheUnavailable
from app.uploads.capture_time import CaptureTime
from pylib.sqlite import DatabaseUnavailable
from tests.fakes.cameras import jpeg
from tests.fakes.clock import Clock
from tests.fakes.decisions import tells_all
from tests.fakes.durability import disk
from tests.fakes.journal import full_disk
from tests.fakes.pictures import busy, encoded

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
BERLIN = timezone(timedelta(hours=1))


class Desk:
    """Where pictures are handed in, in a folder of its own."""

    def __init__(self, folder: Path, journal: Journal) -> None:
        self.journal = journal
        self.cache = Cache(folder / "cache", zone=UTC)
        self.counted: list[tuple[str, str]] = []
        self.http_uploads = HttpUploads(
            journal,
            self.cache,
            capture_time=CaptureTime(zone=BERLIN, now=lambda: NOW),
            max_pixels=1_000_000,
            count=lambda camera, outcome: self.counted.append((camera, outcome)),
        )

    def submit(self, data: bytes = b"", camera: str = "Gate Camera", **options: object) -> Snapshot:
        label = camera.removesuffix(" Camera")
        return self.http_uploads.submit(data or jpeg(), camera=camera, label=label, **options)  # type: ignore[arg-type]

    @property
    def queued(self) -> list[Snapshot]:
        return [snapshot for _ in range(20) for snapshot in self.http_uploads.poll(0.001)]

    @property
    def files(self) -> list[Path]:
        return [path for path in self.cache.root.rglob("*") if path.is_file()]


@pytest.fixture
def desk(tmp_path: Path, journal: Journal) -> Desk:
    return Desk(tmp_path, journal)


def test_what_is_handed_in_is_stored_recorded_and_then_handed_on(desk: Desk, journal: Journal) -> None:
    data = jpeg(64, 48)
    snapshot = desk.submit(data, taken_at=NOW)
    assert journal.find(snapshot.id) == snapshot
    assert Path(snapshot.path).read_bytes() == data
    assert (snapshot.origin, snapshot.camera, snapshot.label) == ("http", "Gate Camera", "Gate")
    assert (snapshot.size, snapshot.width, snapshot.height) == (len(data), 64, 48)
    assert desk.queued == [snapshot]
    assert desk.counted == [("Gate Camera", "ok")]


def test_a_note_comes_with_it(desk: Desk, journal: Journal) -> None:
    snapshot = desk.submit(note="the new gate")
    journal.inspect(Inspection(snapshot))
    entry = journal.entry(snapshot.id)
    assert entry is not None
    assert entry.note == "the new gate"


def test_the_same_picture_again_is_the_earlier_snapshot(desk: Desk, journal: Journal) -> None:
    first = desk.submit(note="one")
    journal.inspect(Inspection(first))
    assert desk.submit(note="two") == first
    assert desk.queued == [first]
    assert len(desk.files) == 1
    assert desk.counted[-1] == ("Gate Camera", "duplicate")
    assert desk.submit(camera="Yard Camera").id != first.id


def test_the_same_picture_many_times_at_once_is_one_snapshot(desk: Desk) -> None:
    together = threading.Barrier(6)

    def submit(_: int) -> str:
        together.wait(60)
        return desk.submit().id

    with ThreadPoolExecutor(6) as hands:
        assert len(set(hands.map(submit, range(6)))) == 1
    assert len(desk.queued) == len(desk.files) == 1


def test_a_picture_that_left_the_cache_can_be_handed_in_again(desk: Desk, journal: Journal) -> None:
    first = desk.submit()
    journal.inspect(Inspection(first))
    journal.evict(journal.pictures(targets=(), archives=(), limit=9), targets=(), archives=())
    again = desk.submit()
    assert again.id != first.id
    assert desk.submit() == again


def test_a_picture_that_was_deleted_can_be_handed_in_again(desk: Desk, journal: Journal) -> None:
    first = desk.submit()
    journal.inspect(Inspection(first))
    assert journal.delete(first.id, archives=()) is not None
    again = desk.submit()
    assert again.id != first.id
    assert desk.submit() == again


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"<svg onload='alert(1)'/>", "unsupported_format"),
        (b"GIF89a", "unsupported_format"),
        (jpeg()[:-30], "truncated"),
        (jpeg(2000, 2000), "pixel_bomb"),
        (b"hello", "not_an_image"),
    ],
)
def test_what_is_no_picture_is_refused_and_nothing_is_kept(desk: Desk, data: bytes, code: str) -> None:
    with pytest.raises(BadPicture, match=code):
        desk.http_uploads.submit(data, camera="Gate Camera", label="Gate")
    assert not desk.files
    assert not desk.queued
    assert desk.counted == [("Gate Camera", code)]


@pytest.mark.parametrize(
    ("said", "believed"),
    [
        (NOW - timedelta(days=2), NOW - timedelta(days=2)),
        (NOW.astimezone(timezone(timedelta(hours=9))), NOW),
        (datetime(2026, 3, 4, 12, 30), NOW - timedelta(minutes=30)),  # noqa: DTZ001 - the home's clock
        (NOW + timedelta(minutes=1), NOW + timedelta(minutes=1)),
        (NOW + timedelta(days=1), NOW),
        (NOW - timedelta(days=700), NOW),
        (datetime.min, NOW),  # noqa: DTZ901
        (datetime.max, NOW),  # noqa: DTZ901
        (datetime.max.replace(tzinfo=UTC), NOW),
        (datetime.min.replace(tzinfo=BERLIN), NOW),
        (None, NOW),
    ],
)
def test_what_is_said_of_the_time_is_believed_within_reason(
    desk: Desk, said: datetime | None, believed: datetime
) -> None:
    snapshot = desk.submit(taken_at=said)
    assert snapshot.taken_at == snapshot.timestamp == believed
    assert snapshot.taken_at.utcoffset() == timedelta()
    assert snapshot.delay_s == 0


@pytest.mark.parametrize(
    "name",
    ["snap_20260304-103000.jpg", "C:\\pictures\\2026-03-04 10.30.00.jpg", "../../etc/" * 100 + "20260304103000.jpg"],
)
def test_a_name_tells_the_time_where_nobody_does(desk: Desk, name: str) -> None:
    snapshot = desk.submit(name=name)
    assert snapshot.taken_at == datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
    assert Path(snapshot.path).is_relative_to(desk.cache.root)
    assert desk.submit(encoded(busy(40, 30)), name=name, taken_at=NOW).taken_at == NOW


def test_a_name_is_nothing_but_a_hint(desk: Desk) -> None:
    for name in ("../" * 5000, "\0", "\udcff.jpg", "a" * 100_000, "20260304103000" + "a" * 500, "con", "-rf"):
        snapshot = desk.submit(encoded(busy(40, 30)), name=name)
        assert Path(snapshot.path).name == f"120000-{snapshot.id}.jpg"


def test_what_cannot_be_recorded_is_not_accepted(desk: Desk, journal: Journal) -> None:
    with full_disk(journal), pytest.raises(DatabaseUnavailable):
        desk.submit()
    assert (desk.queued, desk.counted) == ([], [])


def test_what_cannot_be_stored_is_not_accepted(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("where the folder should be")
    with pytest.raises(CacheUnavailable):
        desk.submit()
    assert not desk.queued


def test_the_picture_is_safe_before_its_record_and_both_before_it_is_accepted(
    desk: Desk, journal: Journal, tmp_path: Path
) -> None:
    with disk(tmp_path) as watched:
        watched.watch(journal)
        path = Path(desk.submit().path)
        assert watched.steps[-2:] == ["sync gate-camera", "commit"]
        assert watched.left()[str(path.relative_to(tmp_path))] == jpeg()


def test_after_a_crash_it_is_found_in_the_record(desk: Desk, journal: Journal, clock: Clock) -> None:
    snapshot = desk.submit()
    clock.now += 1
    assert list(Detect(None, journal=journal, decide=tells_all(())).pending()) == [snapshot]
    assert desk.submit() == snapshot
