"""Pictures from before the trigger: taken all the time, bounded in memory, and the first frames of an event."""

from __future__ import annotations

import math
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app.cameras import CameraRejected, CameraUnavailable
from app.detectors.in_service import InService
from app.journal import Journal
from app.media.adjustments import Adjustments
from app.messages import Burst, BurstBegun, Detection, Label, Snapshot, Trigger
from app.pipeline.burst import TakeBurst
from app.pipeline.channel import Channel
from app.pipeline.detect import Detect
from app.pipeline.fetch import Fetch
from app.pipeline.ring import BeforeTriggers, Ring
from app.rules.burst import RingSettings
from app.storage.cache import Cache
from app.storage.event_media import EventMedia, MediaUnavailable
from pylib.errors import Transient
from pylib.settings.credentials import Secret
from tests.fakes.bursts import NOW, walker
from tests.fakes.cameras import FakeCamera
from tests.fakes.decisions import tells_all
from tests.fakes.triggers import a_trigger

AWAY = CameraUnavailable("timeout", "no answer within 10 s")
ID = "e" * 32


class Stand:
    """A camera with a ring of four seconds, the stages that take its pictures, and a clock that the test moves."""

    def __init__(self, journal: Journal, cache: Cache, *answers: object, most_bytes: int = 1_000_000) -> None:
        self.camera = FakeCamera(*answers)  # type: ignore[arg-type]
        self.journal = journal
        self.time = 0.0
        self.channel = Channel(self.camera, label="Yard", timeout=10.0)
        self.ring = Ring(self.channel, seconds=4, most_bytes=most_bytes, now=self.now)
        self.media = EventMedia(cache.root.parent / "media")
        self.before = BeforeTriggers({"Yard Camera": self.ring}, journal=journal, media=self.media)
        channels = {"Yard Camera": self.channel}
        self.fetch = Fetch(channels, journal=journal, cache=cache, before=self.before, now=self.now)
        self.burst = TakeBurst(
            channels, journal=journal, cache=cache, media=self.media, wait=lambda _s: False, now=self.now
        )

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.time)

    def rings(self, times: int, *, pace: float = 1.0) -> None:
        for _ in range(times):
            self.ring.take()
            self.time += pace

    def event(self, **changes: object) -> Snapshot:
        """What becomes of a trigger now."""
        (begun,) = self.fetch.handle(self.trigger(**changes))
        if isinstance(begun, BurstBegun):
            (begun,) = self.burst.handle(begun)
        assert isinstance(begun, Snapshot)
        return begun

    def trigger(self, **changes: object) -> Trigger:
        # The machine's own clock has no say in how long it waited.
        return a_trigger(ID, timestamp=self.now(), arrived=time.monotonic() + 60, **changes)

    def kept(self) -> list[bytes]:
        return [Path(one.path).read_bytes() for one in self.journal.media_of(ID, kind="frame")]

    def ring_times(self) -> list[float]:
        return [(one.taken_at - NOW).total_seconds() for one in self.ring.pictures()]


class SeesStep:
    """A detector that sees a person in one picture only."""

    name = "fake"
    concurrency = 1
    cost_usd = 0.0

    def __init__(self, step: int) -> None:
        self._picture = walker(step)

    def detect(self, picture: bytes) -> Detection:
        return Detection((Label("Person", 0.9),), 1) if picture == self._picture else Detection()

    def close(self) -> None:
        """Nothing."""


def test_an_event_begins_with_the_pictures_from_before_its_trigger(journal: Journal, cache: Cache) -> None:
    stand = Stand(journal, cache, *(walker(step) for step in range(10)))
    stand.rings(7)
    snapshot = stand.event(burst=Burst(2, pace=0))
    assert stand.kept() == [walker(step) for step in (3, 4, 5, 6, 7, 8)]
    taken = [(one.taken_at - NOW).total_seconds() for one in journal.media_of(ID)]
    assert taken == [3, 4, 5, 6, 7, 7]
    assert (snapshot.frames, snapshot.problem, snapshot.taken_at) == (6, "", stand.now())
    assert Path(snapshot.path).read_bytes() == walker(7)


def test_the_best_picture_may_be_from_before_and_the_event_says_so(journal: Journal, cache: Cache) -> None:
    stand = Stand(journal, cache, walker(1), walker(2), walker(3))
    stand.rings(2)
    (inspection,) = Detect(InService(SeesStep(2)), journal=journal, decide=tells_all([])).handle(stand.event())
    best = inspection.snapshot
    assert (best.frames, inspection.best) == (3, "best of 3: 1 person, 1.0 s before the trigger")
    assert best.taken_at == NOW + timedelta(seconds=1)
    assert best.delay_s == -1
    assert Path(best.path).read_bytes() == walker(2)
    assert journal.find(ID) == inspection


def test_a_camera_that_fails_from_the_trigger_on_leaves_what_was_before(journal: Journal, cache: Cache) -> None:
    stand = Stand(journal, cache, walker(1), walker(2), AWAY)
    stand.rings(2)
    snapshot = stand.event()
    assert (snapshot.frames, snapshot.problem) == (2, "")
    assert Path(snapshot.path).read_bytes() == walker(2)
    assert snapshot.taken_at == NOW + timedelta(seconds=1)


def test_a_scene_in_which_nothing_moves_has_one_picture(journal: Journal, cache: Cache) -> None:
    stand = Stand(journal, cache, walker(1))
    stand.rings(4)
    snapshot = stand.event()
    assert (snapshot.frames, snapshot.alike, stand.kept()) == (1, 4, [])
    assert snapshot.taken_at == stand.now()
    assert not [*stand.media.root.rglob("*.jpg")]


def test_pictures_of_another_format_than_the_event_s_are_left_out(journal: Journal, cache: Cache) -> None:
    stand = Stand(journal, cache, walker(1, format="PNG"), walker(2))
    stand.rings(1)
    assert (stand.event().frames, stand.kept()) == (0, [])


@pytest.mark.parametrize("changes", [{"burst": Burst(1)}, {"device_params": Secret("me:secret@10.0.0.9:80")}])
def test_a_single_picture_or_another_address_has_none_from_before(
    journal: Journal, cache: Cache, changes: dict[str, object]
) -> None:
    stand = Stand(journal, cache, walker(1), walker(2))
    stand.rings(1)
    assert (stand.event(**changes).frames, stand.kept()) == (0, [])


def test_the_ring_has_so_many_seconds_and_bytes_and_no_more(journal: Journal, cache: Cache) -> None:
    stand = Stand(journal, cache, walker(0), most_bytes=3 * len(walker(0)))
    stand.rings(9, pace=0.5)
    assert stand.ring_times() == [3, 3.5, 4]
    stand.time = 7.4
    assert stand.ring_times() == [3.5, 4]
    stand.time = 3.2  # the clock was set back
    stand.rings(1, pace=0)
    assert stand.ring_times() == [3.2]


def test_a_camera_is_left_alone_while_its_circuit_is_open_or_an_event_asks_it(journal: Journal, cache: Cache) -> None:
    stand = Stand(journal, cache, AWAY)
    for _ in range(3):
        with pytest.raises(CameraUnavailable):
            stand.ring.take()
    stand.ring.take()
    assert len(stand.camera.calls) == 3
    refused = Stand(journal, cache, CameraRejected("login_refused", "wrong password"))
    with pytest.raises(CameraRejected):
        refused.ring.take()
    with pytest.raises(Transient, match="circuit_open"):
        refused.channel.take(None)
    asked = Stand(journal, cache)

    def answer() -> bytes:
        asked.ring.take()
        return walker(0)

    asked.camera.answers = [answer]
    asked.channel.take(None)
    assert len(asked.camera.calls) == 1


def test_a_full_disk_doubles_and_loses_nothing(journal: Journal, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    stand = Stand(journal, cache, *(walker(step) for step in range(6)))
    stand.rings(3)
    store, stored = EventMedia.store, []

    def full(media: EventMedia, data: bytes, *, event_id: str, name: str) -> Path:
        stored.append(name)
        if len(stored) == 3:
            raise MediaUnavailable("media_unavailable", "no space left")
        return store(media, data, event_id=event_id, name=name)

    monkeypatch.setattr(EventMedia, "store", full)
    with pytest.raises(MediaUnavailable):
        stand.event()
    assert stand.event().frames == 4
    assert stand.kept() == [walker(step) for step in (0, 1, 2, 4)]


def test_what_a_kill_left_of_an_event_that_had_only_pictures_from_before(journal: Journal, cache: Cache) -> None:
    stand = Stand(journal, cache, walker(1), walker(2), AWAY)
    stand.rings(2)
    (begun,) = stand.fetch.handle(stand.trigger())
    assert isinstance(begun, BurstBegun)
    (snapshot,) = stand.burst.handle(BurstBegun(begun.snapshot, -math.inf))
    assert (snapshot.frames, snapshot.problem, len(stand.camera.calls)) == (2, "", 5)


def test_frames_of_an_event_that_was_never_recorded_are_forgotten(journal: Journal, cache: Cache) -> None:
    stand = Stand(journal, cache, walker(1), walker(2), walker(3))
    stand.rings(2)
    stand.event()
    lost = Snapshot("f" * 32, "Yard Camera", "Yard", NOW, stand.now(), 0.0, "http")
    stand.before.keep(stand.ring.pictures(), lost)
    assert len(journal.media_of(lost.id)) == 2
    journal.forget_orphans(before=time.time() + 60)
    assert (journal.media_of(lost.id), len(journal.media_of(ID))) == ([], 3)


def test_a_ring_has_at_least_one_picture_and_at_most_thirty() -> None:
    assert (RingSettings().seconds, RingSettings(seconds=30, pace=1).pace) == (0, 1)
    for seconds, pace in ((30, 0.5), (1, 2)):
        with pytest.raises(ValueError, match=r"are not 1 to 30 pictures: change one of them"):
            RingSettings(seconds=seconds, pace=pace)


def test_a_mask_that_is_drawn_holds_for_the_seconds_before_it(journal: Journal, cache: Cache) -> None:
    stand = Stand(journal, cache, *(walker(step) for step in range(4)))
    stand.rings(2)
    mask = Adjustments(masks=(((0.0, 0.0), (0.5, 0.0), (0.5, 0.5)),))
    stand.channel.adjustments = lambda: mask
    assert stand.ring_times() == []
    stand.rings(1)
    assert stand.ring_times() == [2]


def test_what_the_ring_misses_closes_no_circuit_for_events(journal: Journal, cache: Cache) -> None:
    stand = Stand(journal, cache, AWAY, AWAY, AWAY, AWAY, walker(1))
    for _ in range(3):
        with pytest.raises(CameraUnavailable):
            stand.ring.take()
    stand.ring.take()  # asks no more for a while
    assert stand.channel.take(None, attempts=2)[0] == walker(1)
