"""Retention: what is old or too much goes, and nothing goes that is still needed, but at the very last."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from app.journal import Journal, Medium
from app.messages import Inspection, Snapshot
from app.storage.cache import Cache
from app.storage.event_media import EventMedia
from app.storage.retention import BATCH, DAY_S, GB, Retention
from app.storage.settings import CameraRetention, RetentionSettings
from app.storage.thumbnails import Size, Thumbnails
from tests.fakes.archives import a_picture, event_id, recorded
from tests.fakes.cameras import jpeg
from tests.fakes.clock import Clock

PLENTY = 500 * GB
DAY = timedelta(days=1)
NOW = datetime.now(UTC)  # files carry the machine's time

Make = Callable[..., Retention]


@pytest.fixture
def clock() -> Clock:
    return Clock(time.time())


@pytest.fixture
def thumbnails(tmp_path: Path) -> Thumbnails:
    return Thumbnails(tmp_path / "thumbnails", max_pixels=1_000_000)


@pytest.fixture
def make(journal: Journal, cache: Cache, clock: Clock, thumbnails: Thumbnails) -> Make:
    def make(*, archives: tuple[str, ...] = (), free: int = PLENTY, **settings: object) -> Retention:
        return Retention(
            RetentionSettings(**settings),  # type: ignore[arg-type]
            journal=journal,
            root=cache.root,
            targets=("rabbitmq", *archives),
            archives=archives,
            thumbnails=thumbnails,
            media=EventMedia(cache.root.parent / "media", clock=clock),
            clock=clock,
            free=lambda _: free,
        )

    return make


def old(cache: Cache, journal: Journal, number: int, *targets: str, days: float = 100, **options: object) -> Inspection:
    return recorded(journal, a_picture(cache, number, at=NOW - days * DAY, **options), *targets)  # type: ignore[arg-type]


def left(cache: Cache) -> list[str]:
    """Ids of the pictures on disk."""
    return sorted(path.stem.partition("-")[2] for path in cache.root.rglob("*.*"))


def ids(*numbers: int) -> list[str]:
    return [event_id(number) for number in numbers]


def test_old_pictures_go_persons_later_and_each_camera_has_its_own_time(
    make: Make, cache: Cache, journal: Journal
) -> None:
    old(cache, journal, 1, days=31)
    old(cache, journal, 2, days=29)
    old(cache, journal, 3, days=31, persons=1)
    old(cache, journal, 4, days=91, persons=2)
    old(cache, journal, 5, days=3, camera="Gate Camera")
    old(cache, journal, 6, days=500, camera="Till Camera")
    gate = CameraRetention(camera="Gate Camera", days=2, person_days=2)
    till = CameraRetention(camera="Till Camera", days=0, person_days=0)
    cleaned = make(cameras=(gate, till)).clean()
    assert left(cache) == ids(2, 3, 6)
    assert (cleaned.pictures, cleaned.size, cleaned.forced) == (3, 27, 0)
    gone = journal.find(event_id(1))
    assert isinstance(gone, Inspection)
    assert gone.snapshot.path == ""


def test_what_is_starred_or_still_owed_stays(make: Make, cache: Cache, journal: Journal) -> None:
    for number, target in ((1, "rabbitmq"), (2, "s3"), (3, "s3"), (4, "s3")):
        old(cache, journal, number, target)
    journal.delivered(event_id(3), "s3")
    journal.delivered(event_id(4), "s3")
    assert journal.change(event_id(4), starred=True)
    make(archives=("s3",)).clean()
    assert left(cache) == ids(1, 2, 4)


def test_without_an_archive_nothing_waits_for_one(make: Make, cache: Cache, journal: Journal) -> None:
    old(cache, journal, 1, "an archive that was switched off")
    make().clean()
    assert left(cache) == []


def test_one_of_several_archives_is_enough_where_the_other_gave_it_up(
    make: Make, cache: Cache, journal: Journal
) -> None:
    for number in (1, 2):
        old(cache, journal, number, "s3", "folder")
        journal.abandon(event_id(number), "s3", problem="too_large: no")
    journal.delivered(event_id(1), "folder")
    journal.abandon(event_id(2), "folder", problem="bad_name: no")
    make(archives=("s3", "folder")).clean()
    assert left(cache) == ids(2)


def test_a_picture_that_is_starred_at_the_last_moment_stays(make: Make, cache: Cache, journal: Journal) -> None:
    old(cache, journal, 1)
    chosen = journal.pictures(targets=("rabbitmq",), archives=(), limit=9)
    journal.change(event_id(1), starred=True)
    assert journal.evict(chosen, targets=("rabbitmq",), archives=()) == []
    make().clean()
    assert left(cache) == ids(1)


def test_a_picture_that_is_to_be_archived_again_at_the_last_moment_stays(
    make: Make, cache: Cache, journal: Journal
) -> None:
    old(cache, journal, 1, "s3")
    journal.delivered(event_id(1), "s3")
    chosen = journal.pictures(targets=("s3",), archives=("s3",), limit=9)
    assert not chosen[0].needed
    journal.enqueue_again("s3", [event_id(1)])
    assert journal.evict(chosen, targets=("s3",), archives=("s3",)) == []
    make(archives=("s3",)).clean()
    assert left(cache) == ids(1)


@pytest.mark.parametrize(
    ("limits", "free"),
    [({"max_gb": 20 / GB}, PLENTY), ({"min_free_gb": 1.0}, GB - 25)],
    ids=["size", "free disk"],
)
def test_beyond_a_limit_the_oldest_go(
    make: Make, cache: Cache, journal: Journal, limits: dict[str, float], free: int
) -> None:
    for number in range(1, 6):
        old(cache, journal, number, days=10 - number)
    make(free=free, **limits).clean()
    assert left(cache) == ids(4, 5)


def test_at_the_hard_limit_even_what_is_needed_goes_oldest_first_starred_last_and_loudly(
    make: Make, cache: Cache, journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(1, 6):
        old(cache, journal, number, "s3", "rabbitmq", days=10 - number)
    journal.change(event_id(1), starred=True)
    cleaned = make(archives=("s3",), free=GB - 25, hard_free_gb=1.0).clean()
    assert left(cache) == ids(1, 5)
    assert cleaned.forced == 3
    assert "[error" in capsys.readouterr().out
    assert journal.archive_stats("s3").given_up == 3
    assert journal.backlog("rabbitmq").count == 5  # the events are told all the same


def test_a_dry_run_says_the_same_and_touches_nothing(
    make: Make, cache: Cache, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.storage.retention.BATCH", 10)
    for number in range(1, 16):
        old(cache, journal, number)
    before = left(cache)
    said = make().clean(dry_run=True)
    assert left(cache) == before
    done = make().clean()
    assert (said.pictures, said.size) == (done.pictures, done.size) == (15, 15 * 9)
    assert left(cache) == []


def test_folders_that_are_empty_then_go_too(make: Make, cache: Cache, journal: Journal) -> None:
    old(cache, journal, 1)
    old(cache, journal, 2, days=0)
    make().clean()
    assert len([path for path in cache.root.rglob("*") if path.is_dir()]) == 4


def test_an_event_is_forgotten_long_after_its_picture_but_not_while_it_is_owed(
    make: Make, cache: Cache, journal: Journal, clock: Clock
) -> None:
    old(cache, journal, 1)
    recorded(journal, a_picture(None, 2, problem="timeout: too late"))
    recorded(journal, a_picture(None, 3, problem="timeout: too late"), "rabbitmq")
    old(cache, journal, 4, days=0)
    make().clean()
    clock.now += 11 * DAY_S
    retention = make(forget_days=10)
    assert retention.clean(dry_run=True).forgotten == 2
    assert retention.clean().forgotten == 2
    assert [journal.find(event_id(number)) is None for number in (1, 2, 3, 4)] == [True, True, False, False]


def test_a_picture_that_a_crash_left_without_an_event_goes_after_a_day(
    make: Make, cache: Cache, journal: Journal, clock: Clock
) -> None:
    recorded(journal, a_picture(cache, 1, at=NOW))
    journal.record(a_picture(cache, 2, at=NOW).snapshot)
    orphan = a_picture(cache, 3, at=NOW)
    (cache.root / "notes.txt").write_text("somebody's")
    make().clean()
    assert Path(orphan.snapshot.path).exists()
    clock.now += DAY_S + 10
    recorded(journal, a_picture(None, 4, problem="timeout: too late"))
    assert make().clean(dry_run=True).orphans == 1
    assert Path(orphan.snapshot.path).exists()
    assert make().clean().orphans == 1
    assert not Path(orphan.snapshot.path).exists()
    assert Path(a_path(journal, 1)).exists()
    assert Path(a_path(journal, 2)).exists()
    assert (cache.root / "notes.txt").exists()


def test_a_journal_that_was_lost_does_not_take_the_pictures_with_it(
    make: Make, cache: Cache, journal: Journal, clock: Clock
) -> None:
    before = a_picture(cache, 1, at=NOW)
    os.utime(before.snapshot.path, (clock.now - DAY_S, clock.now - DAY_S))
    clock.now += 2 * DAY_S
    assert make().clean().orphans == 0
    recorded(journal, a_picture(cache, 2, at=NOW))
    clock.now += 2 * DAY_S
    assert make().clean().orphans == 0
    assert Path(before.snapshot.path).exists()


def test_others_get_at_the_journal_while_a_large_cache_is_cleaned(
    make: Make, cache: Cache, journal: Journal, clock: Clock
) -> None:
    def insert(db: object) -> None:
        db.executemany(  # type: ignore[attr-defined]
            "INSERT INTO snapshots (id, state, camera, label, origin, recorded_at, triggered_at, taken_at, delay_s, "
            "path, size, inspected_at) VALUES (?, 'inspected', 'Yard Camera', '', '', 0, 0, ?, 0, ?, 9, 0)",
            [(event_id(n), clock.now - 2 * DAY_S - n, f"/nowhere/{n}") for n in range(4 * BATCH)],
        )

    journal.database.do(insert)
    retention = make(days=1)
    beats: list[None] = []
    retention._beat = lambda: beats.append(None)
    assert retention.clean().pictures == 4 * BATCH
    assert len(beats) >= 4


def a_path(journal: Journal, number: int) -> str:
    found = journal.find(event_id(number))
    assert found is not None
    return (found if isinstance(found, Snapshot) else found.snapshot).path


def test_a_disk_that_something_else_fills_does_not_cost_the_pictures(
    make: Make, cache: Cache, journal: Journal
) -> None:
    for number in (1, 2, 3):
        old(cache, journal, number, days=1)
    assert make(free=0, min_free_gb=1.0, hard_free_gb=0.3).clean().pictures == 0
    assert left(cache) == ids(1, 2, 3)


def test_a_picture_outside_the_cache_is_not_deleted(make: Make, cache: Cache, journal: Journal, tmp_path: Path) -> None:
    inspection = old(cache, journal, 1)
    elsewhere = tmp_path / "another" / "copy.jpg"
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(b"picture")
    journal.database.do(
        lambda db: db.execute("UPDATE snapshots SET path = ? WHERE id = ?", (str(elsewhere), inspection.id))
    )
    make().clean()
    assert elsewhere.exists()


def test_a_picture_that_nobody_has_looked_at_yet_stays(make: Make, cache: Cache, journal: Journal) -> None:
    taken, held = (a_picture(cache, number, at=NOW - 100 * DAY) for number in (1, 2))
    journal.record(taken.snapshot)
    journal.record(held.snapshot)
    journal.hold(held)
    make(free=GB - 25, min_free_gb=1.0, hard_free_gb=1.0).clean()
    assert left(cache) == ids(1, 2)


@pytest.mark.parametrize("section", [RetentionSettings, CameraRetention])
def test_no_limit_is_negative(section: type[BaseModel]) -> None:
    names = [name for name, field in section.model_fields.items() if field.annotation is float]
    given = {"camera": "Gate Camera", "days": 1, "person_days": 1} if section is CameraRetention else {}
    assert names
    for name in names:
        with pytest.raises(ValidationError, match=name):
            section.model_validate(given | {name: -1})


def test_what_was_made_of_a_picture_goes_with_it(
    make: Make, cache: Cache, journal: Journal, thumbnails: Thumbnails
) -> None:
    retention = make()
    retention.clean()  # and the search for what a crash left: it is not due again for a day
    gone = old(cache, journal, 1, picture=jpeg()).snapshot
    kept = old(cache, journal, 2, picture=jpeg(), days=0).snapshot
    paths = [_path_of(thumbnails, snapshot, size) for snapshot in (gone, kept) for size in ("thumbnail", "preview")]
    retention.clean()
    assert [path.exists() for path in paths] == [False, False, True, True]


def test_what_was_made_of_a_picture_that_is_gone_is_found_by_the_search_for_orphans(
    make: Make, cache: Cache, journal: Journal, thumbnails: Thumbnails
) -> None:
    kept = old(cache, journal, 1, picture=jpeg(), days=0)
    stray = a_picture(cache, 2, picture=jpeg())
    paths = [_path_of(thumbnails, inspection.snapshot, "thumbnail") for inspection in (kept, stray)]
    half = paths[1].with_name(f"{paths[1].name}.part")
    half.write_bytes(b"half of it")
    make().clean()
    assert [path.exists() for path in (*paths, half)] == [True, False, False]


def _path_of(thumbnails: Thumbnails, snapshot: Snapshot, size: Size) -> Path:
    thumbnails.read(snapshot, size)
    return thumbnails.root / snapshot.id[:2] / f"{snapshot.id}-{size}.jpg"


def test_frames_go_with_their_picture_and_count_for_the_room(make: Make, cache: Cache, journal: Journal) -> None:
    media = EventMedia(cache.root.parent / "media")
    ids_of = {}
    for number, days in ((1, 100), (2, 1)):
        inspection = old(cache, journal, number, days=days)
        path = media.store(b"x" * 50, event_id=inspection.id, name="00.jpg")
        frame = Medium(f"f{number}", "frame", "jpeg", "Yard Camera", str(path), 50, 4, 3, NOW, snapshot=inspection.id)
        journal.record_media([frame])
        ids_of[number] = inspection.id
    assert journal.pictures_size() == 2 * (50 + 9)
    assert make(days=30).clean().size == 50 + 9
    assert [len(journal.media_of(ids_of[number])) for number in (1, 2)] == [0, 1]
    assert [path.parent.name for path in media.root.rglob("*.jpg")] == [ids_of[2]]


def test_files_of_events_that_were_never_recorded_go_after_a_day(make: Make, cache: Cache, clock: Clock) -> None:
    media = EventMedia(cache.root.parent / "media")
    media.store(b"x", event_id="d" * 32, name="00.jpg")
    make().clean(sweep=True)
    assert [*media.root.rglob("*.jpg")]
    clock.now += 2 * DAY_S
    make().clean(sweep=True)
    assert not [*media.root.rglob("*")]
