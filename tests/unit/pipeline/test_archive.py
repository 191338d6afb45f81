"""The archive stage: everything is kept in the end, and an archive that is away is left alone."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from datetime import timedelta
from hashlib import md5
from itertools import pairwise
from pathlib import Path

import pytest

from app.archives import ArchiveBlocked, ArchiveRejected, ArchiveUnavailable, event_id_in
from app.archives.folder import Folder, FolderSettings
from app.journal import Journal
from app.messages import Inspection
from app.pipeline.archive import Keep
from app.storage.animations import Animations, AnimationSettings
from app.storage.cache import Cache
from app.storage.event_media import EventMedia
from tests.fakes.archives import NOON, FakeArchive, a_picture, event_id, recorded
from tests.fakes.bursts import taken, walker
from tests.fakes.clock import Clock
from tests.fakes.decisions import told_to
from tests.fakes.journal import full_disk

AWAY = ArchiveUnavailable("unreachable", "no connection")
FULL = ArchiveBlocked("quota_full", "free some space")


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON.timestamp())


@pytest.fixture
def archive() -> FakeArchive:
    return FakeArchive()


@pytest.fixture
def keep(archive: FakeArchive, journal: Journal, clock: Clock) -> Keep:
    return Keep(archive, journal=journal, clock=clock)


def work_off(keep: Keep) -> None:
    """What a relay does with what is owed, until nothing is."""
    while pending := list(keep.pending()):
        for inspection in pending:
            keep.handle(inspection)


def test_a_kept_picture_is_owed_no_more_and_its_checksum_is_recorded(
    keep: Keep, archive: FakeArchive, journal: Journal, cache: Cache
) -> None:
    inspection = recorded(journal, a_picture(cache), "fake")
    assert list(keep.handle(inspection)) == []
    assert archive.kept == {inspection.id: b"a picture"}
    assert journal.backlog("fake").count == 0
    assert journal.archived_among("fake", [inspection.id])[0].md5 == md5(b"a picture").hexdigest()


@pytest.mark.parametrize("has_picture", [True, False])
def test_a_video_goes_beside_its_picture_as_far_as_it_is_small_enough(
    journal: Journal, cache: Cache, tmp_path: Path, has_picture: bool
) -> None:
    video = tmp_path / f"videos/yard-camera/20260304-120001-{event_id(1)}.mkv"
    video.parent.mkdir(parents=True)
    video.write_bytes(b"a film")
    archive = Folder(FolderSettings(dir=tmp_path / "nas"))
    (tmp_path / "nas").mkdir()
    for most in (5, 6):
        owed = a_picture(cache, most)
        snapshot = replace(owed.snapshot, video=str(video))
        snapshot = snapshot if has_picture else replace(snapshot, path="", size=0)
        owed = recorded(journal, replace(owed, snapshot=snapshot), "folder")
        Keep(archive, journal=journal, max_video=most).handle(owed)
        assert journal.backlog("folder").count == 0
        assert len(journal.archived_among("folder", [owed.id])) == has_picture
    names = {path.name: path.read_bytes() for path in (tmp_path / "nas/2026/03/04/yard-camera").iterdir()}
    pictures = {f"12000{n}-{event_id(n)}.jpg": b"a picture" for n in (5, 6)} if has_picture else {}
    assert names == {**pictures, f"120001-{event_id(6)}-video.mkv": b"a film"}


def test_a_failure_without_a_picture_is_settled_at_once(keep: Keep, archive: FakeArchive, journal: Journal) -> None:
    keep.handle(recorded(journal, a_picture(None, problem="timeout: too late"), "fake"))
    assert journal.backlog("fake").count == 0
    assert archive.attempts == 0


def test_a_picture_that_vanished_is_given_up_and_one_that_is_refused_too(
    keep: Keep, archive: FakeArchive, journal: Journal, cache: Cache
) -> None:
    vanished = recorded(journal, a_picture(cache), "fake")
    Path(vanished.snapshot.path).unlink()
    keep.handle(vanished)
    archive.failure = ArchiveRejected("too_large", "20 MB")
    keep.handle(recorded(journal, a_picture(cache, 2), "fake"))
    assert journal.archive_stats("fake").given_up == 2


def test_an_archive_that_is_away_costs_an_event_nothing(
    keep: Keep, archive: FakeArchive, journal: Journal, cache: Cache, clock: Clock
) -> None:
    archive.failure = AWAY
    for number in range(3):
        keep.handle(recorded(journal, a_picture(cache, number), "fake"))
    vanished = recorded(journal, a_picture(cache, 4), "fake")
    Path(vanished.snapshot.path).unlink()
    keep.handle(vanished)
    assert journal.archive_stats("fake").given_up == 0  # nobody has looked
    assert list(keep.pending()) == []
    archive.failure = None
    clock.now += 900
    assert len(list(keep.pending())) == 1  # to find out
    work_off(keep)
    assert journal.archive_stats("fake").given_up == 1
    assert archive.attempts == 3 + 3


def test_after_twelve_hours_without_the_archive_all_is_taken_up_newest_first(
    keep: Keep, archive: FakeArchive, journal: Journal, cache: Cache, clock: Clock
) -> None:
    archive.failure = AWAY
    numbers = range(0, 12 * 3600, 300)
    for number in numbers:
        clock.now = (NOON + timedelta(seconds=number)).timestamp()
        keep.handle(recorded(journal, a_picture(cache, number), "fake"))
        for inspection in keep.pending():
            keep.handle(inspection)
    assert journal.backlog("fake").count == len(numbers)
    assert archive.attempts < len(numbers) * 2.5  # not one for each picture and each time it is pending
    archive.failure = None
    clock.now += 900
    work_off(keep)
    assert list(archive.kept) == [event_id(number) for number in reversed(numbers)]
    assert journal.backlog("fake").count == 0


@pytest.mark.parametrize("failure", [AWAY, FULL])
def test_somebody_who_mended_it_does_not_wait_for_the_pause_to_end(
    keep: Keep, archive: FakeArchive, journal: Journal, cache: Cache, failure: Exception
) -> None:
    archive.failure = failure
    for number in range(3):
        keep.handle(recorded(journal, a_picture(cache, number), "fake"))
    archive.failure = None
    journal.retry_now("fake")
    assert list(keep.pending()) == []
    keep.try_now()
    work_off(keep)
    assert len(archive.kept) == 3


def test_a_picture_that_is_refused_is_no_outage(
    keep: Keep, archive: FakeArchive, journal: Journal, cache: Cache
) -> None:
    answers = [AWAY, AWAY, ArchiveRejected("too_large", "20 MB")] * 3
    for number, answer in enumerate(answers):
        archive.failure = answer
        keep.handle(recorded(journal, a_picture(cache, number), "fake"))
    assert archive.attempts == len(answers)
    archive_stats = journal.archive_stats("fake")
    assert (archive_stats.pending, archive_stats.given_up) == (6, 3)


def test_a_picture_that_cannot_be_read_now_stays_owed_and_says_nothing_of_the_archive(
    keep: Keep, archive: FakeArchive, journal: Journal, cache: Cache
) -> None:
    for number in range(3):
        unreadable = recorded(journal, a_picture(cache, number), "fake")
        Path(unreadable.snapshot.path).unlink()
        Path(unreadable.snapshot.path).mkdir()
        keep.handle(unreadable)
    assert (journal.backlog("fake").count, archive.attempts) == (3, 0)
    assert journal.archive_stats("fake").problem.startswith("picture_unreadable")
    keep.handle(recorded(journal, a_picture(cache, 4), "fake"))
    assert len(archive.kept) == 1


def test_while_one_worker_opens_the_archive_the_others_leave_it_alone(
    keep: Keep, archive: FakeArchive, journal: Journal, cache: Cache
) -> None:
    first, second = (recorded(journal, a_picture(cache, number), "fake") for number in (1, 2))
    journal.retry_now("fake")
    meanwhile: list[object] = []

    def opening() -> None:
        archive.opened += 1
        meanwhile.extend(keep.pending())
        keep.handle(second)

    archive.open = opening  # type: ignore[method-assign]
    keep.handle(first)
    assert (list(archive.kept), archive.opened, meanwhile) == ([first.id], 1, [])
    assert list(keep.pending()) == [second]


def test_a_worker_that_had_begun_before_does_not_open_it_too(
    keep: Keep, archive: FakeArchive, journal: Journal, cache: Cache
) -> None:
    first, second = (recorded(journal, a_picture(cache, number), "fake") for number in (1, 2))
    slow = Path(second.snapshot.path)
    slow.unlink()
    os.mkfifo(slow)
    other = threading.Thread(target=keep.handle, args=(second,))
    other.start()
    picture = slow.open("wb")  # as soon as the other one reads it

    def opening() -> None:
        archive.opened += 1
        picture.close()
        other.join(10)

    archive.open = opening  # type: ignore[method-assign]
    keep.handle(first)
    other.join(10)
    assert (list(archive.kept), archive.opened) == ([first.id], 1)


def test_an_archive_that_is_hours_late_is_not_well(archive: FakeArchive, journal: Journal, clock: Clock) -> None:
    keep = Keep(archive, journal=journal, late=3600)
    assert keep.status().ok
    clock.now = time.time() - 3500
    recorded(journal, a_picture(None, 1), "fake")
    assert keep.status().ok
    clock.now = time.time() - 3700
    recorded(journal, a_picture(None, 2), "fake")
    assert not keep.status().ok
    assert keep.status().detail.startswith("2 pictures wait, the oldest for 37")


def test_a_blocked_archive_raises_one_alarm_and_is_tried_at_growing_pauses(
    keep: Keep,
    archive: FakeArchive,
    journal: Journal,
    cache: Cache,
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    archive.failure = FULL
    clock.now = time.time()  # so that nothing is late
    recorded(journal, a_picture(cache), "fake")
    journal.retry_now("fake")
    tried: list[float] = []
    for _ in range(3600):
        before = archive.attempts
        work_off(keep)
        if archive.attempts > before:
            tried.append(clock.now)
        clock.now += 1
    assert [round(b - a) for a, b in pairwise(tried)] == [30, 60, 120, 240, 480, 900, 900]
    assert not keep.status().ok
    assert "free some space" in keep.status().detail
    archive.failure = None
    clock.now += 900
    work_off(keep)
    assert keep.status().ok
    assert capsys.readouterr().out.count("archive waits for a person") == 1


def test_one_picture_that_always_fails_delays_no_other(
    keep: Keep, archive: FakeArchive, journal: Journal, cache: Cache, clock: Clock
) -> None:
    for number in range(1, 100):
        inspection = recorded(journal, a_picture(cache, number), "fake")
        archive.failure = AWAY if number == 50 else None
        keep.handle(inspection)
    assert journal.backlog("fake").count == 1
    assert archive.attempts == 99
    assert list(keep.pending()) == []  # what the others did does not end its pause
    clock.now += 7
    work_off(keep)
    assert journal.backlog("fake").count == 0


def test_a_trial_that_always_fails_for_its_own_sake_does_not_keep_the_others_out(
    keep: Keep, archive: FakeArchive, journal: Journal, cache: Cache, clock: Clock
) -> None:
    poison = recorded(journal, a_picture(cache, 100), "fake")
    archive.failure = AWAY
    for number in range(1, 10):
        keep.handle(recorded(journal, a_picture(cache, number), "fake"))
    store = archive.store

    def all_but_one(inspection: object, picture: bytes) -> None:
        archive.failure = AWAY if inspection == poison else None
        store(inspection, picture)  # type: ignore[arg-type]

    archive.store = all_but_one  # type: ignore[method-assign]
    for _ in range(3600):
        clock.now += 1
        for inspection in keep.pending():
            keep.handle(inspection)
    assert len(archive.kept) == 9


def test_a_picture_is_kept_once_although_the_disk_is_full(
    keep: Keep, archive: FakeArchive, journal: Journal, cache: Cache
) -> None:
    inspection = recorded(journal, a_picture(cache), "fake")
    journal.retry_now("fake")
    with full_disk(journal):
        keep.handle(inspection)
        assert list(keep.pending()) == []
    assert list(keep.pending()) == []
    assert archive.attempts == 1
    assert journal.backlog("fake").count == 0


def test_what_it_has_lost_is_archived_again_by_the_process_that_archived_it_just_now(
    keep: Keep, archive: FakeArchive, journal: Journal, cache: Cache
) -> None:
    inspection = recorded(journal, a_picture(cache), "fake")
    keep.handle(inspection)
    del archive.kept[inspection.id]
    assert journal.enqueue_again("fake", [inspection.id]) == 1
    work_off(keep)
    assert archive.kept == {inspection.id: b"a picture"}


@pytest.mark.parametrize("failure", [AWAY, FULL])
def test_an_archive_is_opened_before_the_first_picture_and_again_after_it_was_away(
    keep: Keep, archive: FakeArchive, journal: Journal, cache: Cache, clock: Clock, failure: Exception
) -> None:
    for number in (1, 2):
        keep.handle(recorded(journal, a_picture(cache, number), "fake"))
    assert archive.opened == 1
    archive.failure = failure
    keep.handle(recorded(journal, a_picture(cache, 3), "fake"))
    archive.failure = None
    clock.now += 900
    keep.handle(recorded(journal, a_picture(cache, 4), "fake"))
    assert archive.opened == 2
    keep.close()
    assert archive.closed


@pytest.mark.parametrize("all_frames", [True, False])
def test_the_frames_of_a_burst_are_archived_beside_it_where_that_is_wanted(
    archive: FakeArchive, journal: Journal, clock: Clock, cache: Cache, all_frames: bool
) -> None:
    snapshot = taken(journal, cache, EventMedia(cache.root.parent / "media"), walker(1), walker(2))
    journal.inspect(told_to(Inspection(snapshot), (archive.name,)))
    clock.now += 10
    names: list[str] = []
    store = archive.store

    def named(inspection: Inspection, picture: bytes) -> None:
        name = inspection.snapshot.dated_name
        names.append(f"{name} {event_id_in(name) or '-'}")
        store(inspection, picture)

    archive.store = named  # type: ignore[method-assign]
    work_off(Keep(archive, journal=journal, clock=clock, all_frames=all_frames))
    own, day = f"050607-{snapshot.id}", "2026/03/04/yard-camera"
    frames = [f"{day}/{own}-{at:02d}.jpg -" for at in range(2)]
    assert names == [*(frames if all_frames else []), f"{day}/{own}.jpg {snapshot.id}"]


@pytest.mark.parametrize("wanted", [True, False])
def test_the_animation_of_a_burst_is_archived_beside_it_where_that_is_wanted(
    archive: FakeArchive, journal: Journal, clock: Clock, cache: Cache, tmp_path: Path, wanted: bool
) -> None:
    media = EventMedia(cache.root.parent / "media")
    snapshot = taken(journal, cache, media, walker(1), walker(2))
    journal.inspect(told_to(Inspection(snapshot), (archive.name, "folder")))
    clock.now += 10
    settings = AnimationSettings(formats=("gif", "webp"))
    animations = Animations(settings, journal=journal, media=media) if wanted else None
    folder = Folder(FolderSettings(dir=tmp_path))
    for one in (archive, folder):
        work_off(Keep(one, journal=journal, clock=clock, animations=animations))
    day = tmp_path / "2026/03/04/yard-camera"
    own = f"050607-{snapshot.id}"
    moving = [f"{own}-animation.gif", f"{own}-animation.webp"] if wanted else []
    assert sorted(path.name for path in day.iterdir()) == [*moving, f"{own}.jpg"]
    for name in moving:
        (medium,) = [one for one in journal.media_of(snapshot.id) if name.endswith(one.format)]
        assert (day / name).read_bytes() == Path(medium.path).read_bytes()
        assert archive.kept[medium.id] == (day / name).read_bytes()
        assert event_id_in(name) == ""


def test_an_animation_that_cannot_be_made_keeps_no_picture_out_of_the_archive(
    archive: FakeArchive, journal: Journal, clock: Clock, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = EventMedia(cache.root.parent / "media")
    snapshot = taken(journal, cache, media, walker(1), walker(2))
    journal.inspect(told_to(Inspection(snapshot), (archive.name,)))
    clock.now += 10
    monkeypatch.setattr("app.media.animation.durable.write", full)
    animations = Animations(AnimationSettings(), journal=journal, media=media)
    work_off(Keep(archive, journal=journal, clock=clock, animations=animations))
    assert list(archive.kept) == [snapshot.id]
    assert journal.backlog(archive.name).count == 0


def full(*_: object) -> None:
    raise OSError(28, "No space left on device")
