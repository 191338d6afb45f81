"""Twelve hours without Google Drive: everything is taken up afterwards, the newest first, each picture once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.journal import Journal
from app.monitoring.metrics import SnapshotMetrics
from app.pipeline.archive import Keep
from app.storage.cache import Cache
from tests.fakes.archives import a_picture, event_id, recorded
from tests.fakes.clock import Clock
from tests.fakes.drive import an_archive
from tests.simulators.drive import DriveDouble, drive_double
from tests.unit.pipeline.test_archive import work_off

TARGET = "google_drive"
HOURS = 12
EVERY_S = 900


@pytest.fixture
def double() -> Iterator[DriveDouble]:
    with drive_double() as double:
        yield double
        assert double.violations == []


@pytest.fixture
def clock() -> Clock:
    """Twelve hours ago, so that what tells ages by the machine's clock is right at the end."""
    return Clock((datetime.now(UTC) - timedelta(hours=HOURS)).timestamp())


@pytest.mark.parametrize("fault", ["500", "cut", "403"])
def test_after_twelve_hours_without_drive_all_is_there_once_and_the_newest_came_first(
    double: DriveDouble, journal: Journal, clock: Clock, tmp_path: Path, fault: str
) -> None:
    began = datetime.fromtimestamp(clock.now, UTC)
    cache = Cache(tmp_path / "cache", zone=UTC)
    drive = an_archive(double, tmp_path, pauses=(0.0,))
    keep = Keep(drive, journal=journal, clock=clock)

    def take(number: int) -> None:
        clock.now = began.timestamp() + number
        picture = a_picture(cache, number, picture=f"picture {number}".encode(), at=began)
        keep.handle(recorded(journal, picture, TARGET))

    take(0)
    double.fail("lost", "files.insert")  # kept, and then Drive is gone
    double.fail(fault, times=1_000_000)
    numbers = range(EVERY_S, HOURS * 3600, EVERY_S)
    for number in numbers:
        take(number)
        for inspection in keep.pending():
            keep.handle(inspection)
    assert journal.backlog(TARGET).count == len(numbers)
    assert oldest(journal) == pytest.approx(HOURS * 3600 - EVERY_S, abs=120)
    assert not keep.status().ok
    asked = double.counts["drive.files.insert"]

    double.heal()
    clock.now = began.timestamp() + HOURS * 3600
    work_off(keep)
    kept = [file["properties"][0]["value"] for file in double.files.pictures()]
    assert kept == ids([0, EVERY_S, *reversed(numbers[1:])])
    assert [double.files.content(file["id"]) for file in double.files.pictures()[2:4]] == [
        f"picture {number}".encode() for number in (numbers[-1], numbers[-2])
    ]
    assert journal.backlog(TARGET).count == 0
    assert oldest(journal) == 0
    assert keep.status().ok
    assert asked < len(numbers) * 2.5  # left alone, but for a trial now and then
    drive.close()


def ids(numbers: list[int]) -> list[str]:
    return [event_id(number) for number in numbers]


def oldest(journal: Journal) -> float:
    """What /metrics shows as the age of the oldest picture that is owed."""
    metrics = SnapshotMetrics(version="0")
    metrics.oldest_undelivered(TARGET, journal.backlog(TARGET).since)
    (line,) = [line for line in metrics.render().decode().splitlines() if line.startswith("oldest_undelivered")]
    return float(line.rpartition(" ")[2])
