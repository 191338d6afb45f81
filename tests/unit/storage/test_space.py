"""Room for pictures: what takes it, for how long there is some, and what the disk has lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from app.journal import Journal
from app.messages import Inspection, Snapshot
from app.storage.missing import EVERY_S, REST, MissingFiles
from app.storage.settings import RetentionSettings
from app.storage.space import FRESH_S, GB, SpaceReport
from tests.fakes.clock import Clock
from tests.fakes.journal import opened

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def kept(journal: Journal, folder: Path, event_id: str, *, camera: str = "Yard", size: int = GB, days: int = 0) -> Path:
    path = folder / f"{event_id}.jpg"
    path.write_bytes(b"picture")
    taken_at = NOW - timedelta(days=days)
    snapshot = Snapshot(event_id, camera, camera, taken_at, taken_at, 0.1, "http", str(path), size, 4, 3)
    journal.record(snapshot)
    journal.inspect(Inspection(snapshot))
    return path


@pytest.mark.parametrize(
    ("settings", "days_left"),
    [
        (RetentionSettings(min_free_gb=1), 14.0),  # 29 GB at two a day
        (RetentionSettings(min_free_gb=1, max_gb=19), 2.0),
        (RetentionSettings(min_free_gb=1, max_gb=1), 0.0),
    ],
)
def test_room_lasts_until_the_first_limit_at_the_pace_of_the_last_week(
    tmp_path: Path, settings: RetentionSettings, days_left: float
) -> None:
    clock = Clock(NOW.timestamp() - 30 * 86_400)
    with opened(tmp_path / "journal.db", clock=clock) as journal:
        kept(journal, tmp_path, "old", size=GB, days=30)
        clock.now = NOW.timestamp()
        for day in range(7):
            kept(journal, tmp_path, f"a{day}", size=2 * GB, days=day)
        report = SpaceReport(settings, journal=journal, folder=tmp_path, clock=clock, free=lambda _folder: 29 * GB)
        space = report()
        assert (space.used, space.per_day) == (15 * GB, 2 * GB)
        assert space.days_left == pytest.approx(days_left)
        kept(journal, tmp_path, "new", camera="Shed", size=100 * GB)
        assert report() == space
        clock.now += FRESH_S
        assert [(one.camera, one.pictures, one.size) for one in report().cameras] == [
            ("Shed", 1, 100 * GB),
            ("Yard", 8, 15 * GB),
        ]


def test_without_pictures_nobody_knows_for_how_long(journal: Journal, tmp_path: Path) -> None:
    space = SpaceReport(RetentionSettings(), journal=journal, folder=tmp_path)()
    assert (space.cameras, space.days_left) == ((), None)
    assert space.free > 0


def test_a_file_that_somebody_deleted_is_missed_and_one_that_left_the_cache_is_not(
    journal: Journal, tmp_path: Path
) -> None:
    clock = Clock()
    missing = MissingFiles(journal, clock=clock)
    missing.look()
    assert (missing.status().state, missing.status().detail) == ("untried", "not looked yet")  # there was nothing
    first, second = kept(journal, tmp_path, "a"), kept(journal, tmp_path, "b")
    missing.look()
    clock.now += 240
    assert missing.status().detail == "all 2 pictures are on the disk, looked 4 min ago"
    first.unlink()
    second.unlink()
    journal.evict(
        [one for one in journal.pictures(targets=(), archives=(), limit=9) if one.id == "b"], targets=(), archives=()
    )
    missing.look()
    assert missing.status().state == "working"
    clock.now += EVERY_S
    missing.look()
    status = missing.status()
    assert (status.ok, status.state) == (True, "degraded")
    assert status.detail.startswith("1 of 1 pictures are missing")


def test_looking_for_many_files_leaves_most_of_the_time_to_others(journal: Journal, tmp_path: Path) -> None:
    for name in "abc":
        kept(journal, tmp_path, name)
    rests: list[float] = []
    every_look_a_second = map(float, count()).__next__
    missing = MissingFiles(journal, rest=rests.append, clock=every_look_a_second, batch=2)
    missing.look()
    assert rests == [REST, REST]
    assert missing.status().detail.startswith("all 3 pictures are on the disk")
