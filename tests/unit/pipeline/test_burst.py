"""The burst stage: what is taken in time is kept, and one event comes of it whatever happens."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.cameras import CameraRejected, CameraUnavailable
from app.journal import Journal
from app.messages import Burst, BurstBegun, Snapshot
from app.pipeline.burst import TakeBurst
from app.pipeline.channel import Channel
from app.storage.cache import Cache
from app.storage.event_media import EventMedia, MediaUnavailable
from pylib.settings.credentials import Secret
from tests.fakes.bursts import NOW, walker
from tests.fakes.cameras import FakeCamera
from tests.fakes.clock import Clock

AWAY = CameraUnavailable("timeout", "no answer within 10 s")
REFUSED = CameraRejected("login_refused", "the camera refuses the login")
ID = "c" * 32


class Stand:
    """A burst stage with one camera, on a clock that only the stage moves."""

    def __init__(self, journal: Journal, cache: Cache, *answers: object) -> None:
        self.camera = FakeCamera(*answers)  # type: ignore[arg-type]
        self.journal, self.cache = journal, cache
        self.media = EventMedia(cache.root.parent / "media")
        self.time = 1000.0
        self.waits: list[float] = []
        self.ends_after = math.inf
        self.counted: list[tuple[str, str]] = []
        self.frames: list[str] = []
        self.stage = self.made()

    def made(self) -> TakeBurst:
        """A stage as it is after a start."""
        return TakeBurst(
            {"Yard Camera": Channel(self.camera, label="Yard", timeout=10.0)},
            journal=self.journal,
            cache=self.cache,
            media=self.media,
            wait=self._wait,
            now=lambda: NOW + timedelta(seconds=self.time - 1000),
            monotonic=lambda: self.time,
            count=lambda *pair: self.counted.append(pair),
            count_frame=lambda _camera, outcome: self.frames.append(outcome),
        )

    def _wait(self, seconds: float) -> bool:
        self.waits.append(round(seconds, 3))
        self.time += seconds
        return len(self.waits) > self.ends_after

    def begun(self, burst: Burst, **changes: object) -> BurstBegun:
        """A trigger's snapshot as the fetch stage records it: with its first picture, unless that is to come later."""
        path = ""
        if not burst.delay:
            stored = self.cache.store(walker(0), event_id=ID, camera="Yard Camera", taken_at=NOW, format="JPEG")
            path = str(stored)
        snapshot = Snapshot(
            *(ID, "Yard Camera", "Yard", NOW, NOW, 0.1, "http", path, len(walker(0)) if path else 0, 320, 180),
            burst=burst,
        )
        self.journal.record(snapshot)
        return replace(BurstBegun(snapshot, self.time), **changes)  # type: ignore[arg-type]

    def take(self, burst: Burst) -> Snapshot:
        (snapshot,) = self.stage.handle(self.begun(burst))
        return snapshot

    def kept(self) -> list[bytes]:
        return [Path(one.path).read_bytes() for one in self.journal.media_of(ID, kind="frame")]


Make = Callable[..., Stand]


@pytest.fixture
def make(journal: Journal, cache: Cache) -> Make:
    return lambda *answers: Stand(journal, cache, *answers)


def test_the_frames_of_a_burst_are_taken_at_its_pace_and_recorded_in_their_order(make: Make) -> None:
    stand = make(walker(1), walker(2), walker(3))
    snapshot = stand.take(Burst(4, pace=0.5))
    assert (snapshot.frames, snapshot.alike, stand.waits) == (4, 0, [0.5, 0.5, 0.5])
    assert stand.kept() == [walker(step) for step in range(4)]
    taken = [one.taken_at for one in stand.journal.media_of(ID)]
    assert taken == [NOW + timedelta(seconds=0.5 * at) for at in range(4)]
    assert stand.journal.find(ID) == snapshot
    assert stand.journal.uninspected(older_than=-1) == [snapshot]


def test_nobody_looks_at_a_picture_while_more_are_taken(make: Make) -> None:
    stand = make(walker(1))
    stand.begun(Burst(2))
    assert stand.journal.uninspected(older_than=-1) == []


def test_frames_that_show_nothing_new_are_dropped_and_a_still_scene_has_one_picture(make: Make) -> None:
    stand = make(walker(0))
    snapshot = stand.take(Burst(5))
    assert (snapshot.frames, snapshot.alike) == (1, 4)
    assert stand.frames == ["alike"] * 4
    assert (stand.kept(), list(stand.media.root.rglob("*.jpg"))) == ([], [])
    assert Path(snapshot.path).read_bytes() == walker(0)


def test_a_frame_that_fails_is_left_out(make: Make) -> None:
    stand = make(AWAY, walker(1), walker(2)[:700], walker(3))
    snapshot = stand.take(Burst(5))
    assert stand.kept() == [walker(0), walker(1), walker(3)]
    assert (snapshot.frames, snapshot.problem) == (3, "")
    assert stand.frames == ["timeout", "ok", "truncated", "ok"]
    assert len(stand.camera.calls) == 4  # further attempts would be other frames


def test_a_refused_login_ends_it_with_what_there_is(make: Make) -> None:
    stand = make(walker(1), REFUSED)
    assert stand.take(Burst(10)).frames == 2
    assert len(stand.camera.calls) == 2


def test_a_frame_of_another_format_is_left_out(make: Make) -> None:
    stand = make(walker(1, format="PNG"), walker(2))
    assert stand.take(Burst(3)).frames == 2
    assert stand.frames == ["other_format", "ok"]


def test_a_single_picture_may_have_a_delay(make: Make) -> None:
    stand = make(walker(1))
    snapshot = stand.take(Burst(1, delay=3))
    assert (snapshot.taken_at, snapshot.delay_s, snapshot.frames) == (NOW + timedelta(seconds=3), 3.1, 1)
    assert (Path(snapshot.path).read_bytes(), len(stand.camera.calls)) == (walker(1), 1)
    assert stand.journal.media_of(snapshot.id) == []


def test_the_first_picture_comes_after_the_delay_and_is_that_of_the_snapshot(make: Make) -> None:
    stand = make(walker(4), walker(5))
    snapshot = stand.take(Burst(2, pace=1, delay=3))
    assert stand.waits == [3.0, 1.0]
    assert (snapshot.taken_at, snapshot.delay_s) == (NOW + timedelta(seconds=3), 3.1)
    assert Path(snapshot.path).read_bytes() == walker(4)
    assert snapshot.dated_name == f"2026/03/04/yard-camera/050610-{ID}.jpg"
    assert stand.counted == [("Yard Camera", "ok")]


def test_without_any_picture_the_reason_is_recorded(make: Make) -> None:
    stand = make(REFUSED)
    snapshot = stand.take(Burst(2, delay=1))
    assert (snapshot.problem, snapshot.frames) == ("login_refused: the camera refuses the login", 0)
    assert stand.counted == [("Yard Camera", snapshot.problem)]
    assert stand.journal.uninspected(older_than=-1) == [snapshot]


def test_the_login_that_the_trigger_brought_is_that_of_every_frame(make: Make) -> None:
    stand = make(walker(1), walker(2))
    list(stand.stage.handle(stand.begun(Burst(3), device_params=Secret("me:secret@10.0.0.9:80"))))
    assert stand.camera.calls == ["me:secret@10.0.0.9:80"] * 2


def test_it_ends_a_minute_after_it_began_however_slow_the_camera_is(make: Make) -> None:
    stand = make(walker(1))

    def slowly() -> bytes:
        stand.time += 25
        return walker(int(stand.time) % 10)

    stand.camera.answers = [slowly]
    assert stand.take(Burst(30)).frames == 4  # the last one begins after 50 s


def test_it_ends_with_what_there_is_when_the_service_does(make: Make) -> None:
    stand = make(walker(1), walker(2), walker(3))
    stand.ends_after = 1
    assert stand.take(Burst(4)).frames == 2


def test_what_was_taken_before_a_crash_is_the_burst_and_nothing_is_taken_after_it(make: Make, clock: Clock) -> None:
    stand = make(walker(1), walker(2), _kill)
    with pytest.raises(KeyboardInterrupt):
        stand.take(Burst(10))
    stand.camera.answers = [walker(7)]
    clock.now += 5
    (left,) = stand.made().pending()
    (snapshot,) = stand.stage.handle(left)
    assert stand.kept() == [walker(0), walker(1), walker(2)]
    assert (snapshot.frames, list(stand.stage.pending())) == (3, [])
    assert list(stand.stage.handle(replace(left, began=stand.time))) == []  # its message comes twice
    assert len(stand.kept()) == 3


def test_a_delayed_burst_that_a_crash_cut_short_is_one_picture(make: Make) -> None:
    stand = make(walker(5))
    begun = stand.begun(Burst(10, delay=20))
    stand.time += 30
    (snapshot,) = stand.stage.handle(replace(begun, began=-math.inf))
    assert (snapshot.frames, snapshot.delay_s, len(stand.camera.calls)) == (1, 30.1, 1)


def test_a_delayed_burst_that_comes_too_late_is_stale(make: Make) -> None:
    stand = make(walker(5))
    begun = stand.begun(Burst(10, delay=20))
    stand.time += 121
    (snapshot,) = stand.stage.handle(replace(begun, began=-math.inf))
    assert snapshot.problem.startswith("stale: ")
    assert stand.camera.calls == []


def test_a_full_disk_leaves_it_unfinished_and_it_goes_on_afterwards(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand = make(walker(1), walker(2), walker(3))
    begun = stand.begun(Burst(4))
    with monkeypatch.context() as full:
        full.setattr("app.storage.event_media.durable.write", _full)
        with pytest.raises(MediaUnavailable):
            list(stand.stage.handle(begun))
    (snapshot,) = stand.stage.handle(begun)
    assert stand.kept() == [walker(0), walker(2), walker(3)]
    assert snapshot.frames == 3


def test_a_camera_that_is_gone_ends_it(make: Make) -> None:
    stand = make(walker(1))
    begun = stand.begun(Burst(2))
    stand.stage._channels = {}
    (snapshot,) = stand.stage.handle(begun)
    assert (snapshot.frames, stand.frames) == (1, ["unknown_camera"])


def _kill() -> bytes:
    raise KeyboardInterrupt


def _full(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def test_bounds_are_in_the_sentence() -> None:
    for frames, pace, delay in ((0, 1.0, 0.0), (31, 1.0, 0.0), (30, 2.1, 0.0), (2, 1.0, 60.0), (2, math.nan, 0.0)):
        with pytest.raises(ValueError, match=r"a burst (has 1 to 30 frames|takes at most 60 s)"):
            Burst(frames, pace, delay)
    assert [Burst(1, 0.0).seconds, Burst(30, 0.0, 60.0).seconds] == [0.0, 60.0]
