"""Pushed pictures: on the disk before they are recorded, and each only once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path, PurePosixPath

import pytest
from PIL import Image

from app.media.adjustments import AS_IT_CAME, Adjustments
from app.media.picture import BadPicture
from app.messages import Snapshot
from app.pipeline.ingest import Duplicate, Ingest, PushedPicture
from app.storage.cache import Cache
from app.uploads.capture_time import CaptureTime
from tests.fakes.pictures import busy, decoded, encoded

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
PICTURE = encoded(busy(64, 48))


class Register:
    """What is recorded, by its digest."""

    def __init__(self) -> None:
        self.snapshots: dict[bytes, Snapshot] = {}

    def earlier(self, _pushed: PushedPicture, content: bytes) -> Snapshot | None:
        return self.snapshots.get(content)

    def __call__(self, snapshot: Snapshot, *, content: bytes) -> None:
        assert Path(snapshot.path).exists(), "recorded before the picture was there"
        self.snapshots[content] = snapshot


@pytest.fixture
def register() -> Register:
    return Register()


@pytest.fixture
def ingest(cache: Cache, register: Register) -> Ingest:
    capture_time = CaptureTime(zone=UTC, now=lambda: NOW)
    return Ingest(cache, capture_time=capture_time, max_pixels=1_000_000, earlier=register.earlier)


def pushed(data: bytes, *, event_id: str = "e1", name: str = "a.jpg", file: Path | None = None) -> PushedPicture:
    return PushedPicture(event_id, "Gate Camera", "Gate", "ftp", data, PurePosixPath(name), NOW, file=file)


def test_a_picture_is_on_the_disk_before_it_is_recorded(ingest: Ingest, register: Register) -> None:
    taken = ingest.take(pushed(PICTURE, name="MDAlarm_20260304-115930.jpg"), record=register)
    assert isinstance(taken, Snapshot)
    assert register.snapshots == {sha256(PICTURE).digest(): taken}
    assert taken.timestamp == taken.taken_at == NOW - timedelta(seconds=30)
    assert (taken.id, taken.origin, taken.width, taken.height, taken.size) == ("e1", "ftp", 64, 48, len(PICTURE))
    assert Path(taken.path).read_bytes() == PICTURE


def test_a_time_in_a_name_is_that_of_its_camera_s_clock(cache: Cache, register: Register) -> None:
    abroad = CaptureTime(zone=UTC, zones={"Gate Camera": timezone(timedelta(hours=2))}, now=lambda: NOW)
    ingest = Ingest(cache, capture_time=abroad, max_pixels=1_000_000, earlier=register.earlier)
    taken = ingest.take(pushed(PICTURE, name="MDAlarm_20260304-135930.jpg"), record=register)
    assert isinstance(taken, Snapshot)
    assert taken.taken_at == NOW - timedelta(seconds=30)


def test_the_same_picture_again_is_a_duplicate_and_stored_once(
    ingest: Ingest, register: Register, cache: Cache
) -> None:
    first = ingest.take(pushed(PICTURE), record=register)
    assert ingest.take(pushed(PICTURE, event_id="e2"), record=register) == Duplicate(first)  # type: ignore[arg-type]
    assert len([path for path in cache.root.rglob("*") if path.is_file()]) == 1


def test_a_file_that_nobody_writes_to_is_taken_over_as_it_is(
    ingest: Ingest, register: Register, tmp_path: Path
) -> None:
    file = tmp_path / "inbox.jpg"
    file.write_bytes(PICTURE)
    taken = ingest.take(pushed(PICTURE, file=file), record=register)
    assert isinstance(taken, Snapshot)
    assert Path(taken.path).stat().st_ino == file.stat().st_ino


def test_what_its_sender_says_of_the_time_is_believed(ingest: Ingest, register: Register) -> None:
    claimed = replace(pushed(PICTURE), claimed=NOW - timedelta(seconds=20))
    taken = ingest.take(claimed, record=register)
    assert isinstance(taken, Snapshot)
    assert taken.taken_at == NOW - timedelta(seconds=20)


@pytest.mark.parametrize("data", [b"<html>", encoded(Image.new("L", (1001, 1000)))])
def test_what_is_no_picture_or_too_large_is_neither_stored_nor_recorded(
    ingest: Ingest, register: Register, cache: Cache, data: bytes
) -> None:
    with pytest.raises(BadPicture):
        ingest.take(pushed(data), record=register)
    assert register.snapshots == {}
    assert list(cache.root.rglob("*.*")) == []


def test_what_is_adjusted_is_stored_anew_and_known_by_what_came(
    cache: Cache, register: Register, tmp_path: Path
) -> None:
    masks = {"Gate Camera": Adjustments(masks=(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)),))}
    ingest = Ingest(
        cache,
        capture_time=CaptureTime(zone=UTC, now=lambda: NOW),
        max_pixels=1_000_000,
        adjustments=lambda camera: masks.get(camera, AS_IT_CAME),
        earlier=register.earlier,
    )
    file = tmp_path / "a.jpg"
    file.write_bytes(PICTURE)
    taken = ingest.take(pushed(PICTURE, file=file), record=register)
    assert isinstance(taken, Snapshot)
    kept = Path(taken.path).read_bytes()
    assert max(decoded(kept).crop((0, 0, 26, 48)).tobytes()) < 24 < max(decoded(kept).tobytes())
    assert (taken.size, Path(taken.path).stat().st_nlink) == (len(kept), 1)
    assert isinstance(ingest.take(pushed(PICTURE, event_id="e2"), record=register), Duplicate)
    assert file.read_bytes() == PICTURE
    masks.clear()
    other = ingest.take(pushed(encoded(busy(64, 48)), event_id="e3"), record=register)
    assert isinstance(other, Snapshot)
    assert max(decoded(Path(other.path).read_bytes()).crop((0, 0, 26, 48)).tobytes()) > 100
