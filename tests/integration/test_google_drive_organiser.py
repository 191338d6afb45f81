"""The top folder sorted into date folders, at a cost that follows what is new."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.archives import ArchiveBlocked, ArchiveUnavailable
from app.archives.google_drive import GoogleDrive
from app.archives.google_drive.organiser import Organiser, Sorted
from tests.fakes.drive import a_picture, an_archive, an_inspection
from tests.simulators.drive import DriveDouble, drive_double
from tests.simulators.drive_files import FOLDER

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def double() -> Iterator[DriveDouble]:
    with drive_double() as double:
        yield double
        assert double.violations == []


@pytest.fixture
def drive(double: DriveDouble, tmp_path: Path) -> Iterator[GoogleDrive]:
    drive = an_archive(double, tmp_path, zone=BERLIN)
    drive.open()
    yield drive
    drive.close()


def top(double: DriveDouble) -> str:
    return str(double.files.folders("Snapshots")[0]["id"])


def put(drive: GoogleDrive, double: DriveDouble, event_id: str, taken_at: datetime) -> str:
    """Store a picture and return its file's id."""
    drive.store(an_inspection(event_id, taken_at=taken_at), a_picture(event_id))
    return str(double.files.pictures()[-1]["id"])


def folders_of(double: DriveDouble, file_id: str) -> set[str]:
    return {path.rpartition("/")[0] for path in double.files.paths(file_id)}


def test_what_is_older_than_a_day_moves_and_the_rest_stays(drive: GoogleDrive, double: DriveDouble) -> None:
    now = datetime.now(UTC)
    old = put(drive, double, "old", datetime(2026, 3, 5, 12, tzinfo=UTC))
    just_old = put(drive, double, "just-old", now - timedelta(hours=24, minutes=1))
    young = put(drive, double, "young", now - timedelta(hours=23, minutes=59))
    assert drive.organise() == Sorted(moved=2)
    assert folders_of(double, old) == {"/Snapshots/2026/03/05"}
    day = (now - timedelta(hours=24, minutes=1)).astimezone(BERLIN)
    assert folders_of(double, just_old) == {f"/Snapshots/{day:%Y/%m/%d}"}
    assert folders_of(double, young) == {"/Snapshots"}


def test_the_day_is_the_home_s_also_when_clocks_change(drive: GoogleDrive, double: DriveDouble) -> None:
    # In Berlin summer time began on 2026-03-29 at 01:00 UTC and ended on 2026-10-25 at 01:00 UTC.
    expected = {
        datetime(2026, 3, 28, 22, 59, tzinfo=UTC): "2026/03/28",
        datetime(2026, 3, 28, 23, 1, tzinfo=UTC): "2026/03/29",
        datetime(2026, 3, 29, 21, 59, tzinfo=UTC): "2026/03/29",
        datetime(2026, 3, 29, 22, 1, tzinfo=UTC): "2026/03/30",
        datetime(2026, 10, 24, 22, 1, tzinfo=UTC): "2026/10/25",
        datetime(2026, 10, 25, 22, 59, tzinfo=UTC): "2026/10/25",
        datetime(2026, 10, 25, 23, 1, tzinfo=UTC): "2026/10/26",
    }
    files = {put(drive, double, f"e{n}", moment): day for n, (moment, day) in enumerate(expected.items())}
    drive.organise()
    assert {file: folders_of(double, file) for file in files} == {
        file: {f"/Snapshots/{day}"} for file, day in files.items()
    }


def test_a_second_run_finds_nothing_to_do(drive: GoogleDrive, double: DriveDouble) -> None:
    for number in range(5):
        put(drive, double, f"e{number}", datetime(2026, 3, number + 1, tzinfo=UTC))
    starred = put(drive, double, "starred", datetime(2026, 3, 1, tzinfo=UTC))
    double.files.star(starred)
    assert drive.organise() == Sorted(moved=5, added=1)
    double.calls.clear()
    assert drive.organise() == Sorted()
    assert double.counts == {"drive.files.get": 1, "drive.files.list": 1}


@pytest.mark.parametrize("single_parent", [False, True])
def test_what_is_starred_stays_and_is_found_under_its_day_too(
    drive: GoogleDrive, double: DriveDouble, single_parent: bool
) -> None:
    double.files.single_parent = single_parent
    file = put(drive, double, "e1", datetime(2026, 3, 5, tzinfo=UTC))
    double.files.star(file)
    assert drive.organise() == Sorted(added=1)
    (day,) = double.files.folders("05")
    shortcuts = [one for one in double.files.all() if "shortcutDetails" in one]
    if single_parent:  # as Drive has it since 2020
        assert folders_of(double, file) == {"/Snapshots"}
        assert [(one["shortcutDetails"]["targetId"], one["parents"]) for one in shortcuts] == [
            (file, [{"id": day["id"]}])
        ]
    else:
        assert folders_of(double, file) == {"/Snapshots", "/Snapshots/2026/03/05"}
        assert shortcuts == []
    properties = {one["key"]: one["value"] for one in double.files.get(file)["properties"]}
    assert properties["event_id"] == "e1"  # nothing that was noted is lost

    double.files.star(file, False)
    assert drive.organise() == Sorted(moved=1)
    assert folders_of(double, file) == {"/Snapshots/2026/03/05"}
    assert [one for one in double.files.all() if "shortcutDetails" in one] == []


@pytest.mark.parametrize("fault", ["lost", "cut", "lost500"])
def test_a_shortcut_is_made_once_whatever_breaks(drive: GoogleDrive, double: DriveDouble, fault: str) -> None:
    double.files.star(put(drive, double, "e1", datetime(2026, 3, 5, tzinfo=UTC)))
    put(drive, double, "e2", datetime(2026, 3, 5, tzinfo=UTC))
    drive.organise()  # the folders are there, the next insert is the shortcut's
    double.files.star(put(drive, double, "e3", datetime(2026, 3, 5, tzinfo=UTC)))
    double.fail(fault, "files.insert")
    assert drive.organise() == Sorted(added=1)
    assert len([one for one in double.files.all() if "shortcutDetails" in one]) == 2


@pytest.mark.parametrize("sorted_already", [100, 1_000, 10_000])
def test_the_calls_do_not_grow_with_what_is_sorted(
    drive: GoogleDrive, double: DriveDouble, sorted_already: int
) -> None:
    put(drive, double, "first", datetime(2026, 3, 5, tzinfo=UTC))
    drive.organise()
    (day,) = double.files.folders("05")
    for number in range(sorted_already):
        double.files.add(f"{number}.jpg", parent=day["id"], created=datetime(2026, 3, 5, tzinfo=UTC))
    for number in range(5):
        put(drive, double, f"e{number}", datetime(2026, 3, 5, tzinfo=UTC))
    double.calls.clear()
    assert drive.organise() == Sorted(moved=5)
    # The top folder, its children, year, month and day, and one call for each file.
    assert double.counts == {"drive.files.get": 1, "drive.files.list": 4, "drive.files.patch": 5}


def test_a_run_reads_no_further_than_to_the_first_young_picture(drive: GoogleDrive, double: DriveDouble) -> None:
    folder, now = top(double), datetime.now(UTC)
    for number in range(2500):
        double.files.add(f"{number}.jpg", parent=folder, created=now - timedelta(minutes=1))
    double.files.add("old.jpg", parent=folder, created=datetime(2026, 3, 5, tzinfo=UTC))
    double.calls.clear()
    assert drive.organise() == Sorted(moved=1)
    assert double.counts["drive.files.list"] == 4  # one page of children; year, month, day


def test_more_than_a_page_is_sorted_in_one_run(drive: GoogleDrive, double: DriveDouble) -> None:
    folder = top(double)
    double.files.largest_page = 50
    for number in range(120):
        double.files.add(f"{number}.jpg", parent=folder, created=datetime(2026, 3, 5, tzinfo=UTC))
    assert drive.organise() == Sorted(moved=120)
    assert {path.rpartition("/")[0] for f in double.files.pictures() for path in double.files.paths(f["id"])} == {
        "/Snapshots/2026/03/05"
    }


def test_a_run_that_breaks_off_is_taken_up_by_the_next(drive: GoogleDrive, double: DriveDouble) -> None:
    files = [put(drive, double, f"e{number}", datetime(2026, 3, number + 1, tzinfo=UTC)) for number in range(9)]
    moved = 0

    def kill_after_four() -> None:
        nonlocal moved
        moved += 1
        if moved > 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drive.organise(kill_after_four)
    assert drive.organise() == Sorted(moved=5)
    assert [folders_of(double, file) for file in files] == [{f"/Snapshots/2026/03/{n + 1:02}"} for n in range(9)]


@pytest.mark.parametrize("fault", ["403", "429", "500", "cut", "lost", "lost500", "html"])
@pytest.mark.parametrize("method", ["files.list", "files.patch", "files.insert", "files.get"])
def test_a_fault_that_passes_is_got_over(drive: GoogleDrive, double: DriveDouble, fault: str, method: str) -> None:
    file = put(drive, double, "e1", datetime(2026, 3, 5, tzinfo=UTC))
    double.fail(fault, method, times=2)
    assert drive.organise() == Sorted(moved=1)
    assert folders_of(double, file) == {"/Snapshots/2026/03/05"}
    assert [len(double.files.folders(name)) for name in ("Snapshots", "2026", "03", "05")] == [1, 1, 1, 1]


def test_a_drive_that_is_away_ends_the_run_with_a_failure(drive: GoogleDrive, double: DriveDouble) -> None:
    file = put(drive, double, "e1", datetime(2026, 3, 5, tzinfo=UTC))
    double.fail("500", times=1000)
    with pytest.raises(ArchiveUnavailable):
        drive.organise()
    double.heal()
    double.sign_ins.revoked = True
    with pytest.raises(ArchiveBlocked, match="drive-login"):
        drive.organise()
    assert folders_of(double, file) == {"/Snapshots"}


def test_twins_made_by_hand_do_not_split_a_day(drive: GoogleDrive, double: DriveDouble) -> None:
    year = [
        double.files.add("2026", parent=top(double), mime_type=FOLDER, created=datetime(2026, 1, day, tzinfo=UTC))
        for day in (3, 1, 2)
    ]
    first = put(drive, double, "e1", datetime(2026, 3, 5, 10, tzinfo=UTC))
    drive.organise()
    second = put(drive, double, "e2", datetime(2026, 3, 5, 11, tzinfo=UTC))
    drive.organise()
    (month,) = double.files.folders("03")
    assert month["parents"] == [{"id": year[1]}]
    assert folders_of(double, first) == folders_of(double, second) == {"/Snapshots/2026/03/05"}


def test_what_other_tools_left_there_is_sorted_or_left_alone(drive: GoogleDrive, double: DriveDouble) -> None:
    old = datetime(2026, 3, 5, tzinfo=UTC)
    picture = double.files.add("by-hand.jpg", parent=top(double), created=old)
    video = double.files.add("clip.mp4", parent=top(double), mime_type="video/mp4", created=old)
    note = double.files.add("note.txt", parent=top(double), mime_type="text/plain", created=old)
    folder = double.files.add("Best of", parent=top(double), mime_type=FOLDER, created=old)
    elsewhere = double.files.add("elsewhere.jpg", created=old)
    assert drive.organise() == Sorted(moved=2)
    assert folders_of(double, picture) == folders_of(double, video) == {"/Snapshots/2026/03/05"}
    assert folders_of(double, note) == folders_of(double, folder) == {"/Snapshots"}
    assert folders_of(double, elsewhere) == {""}


def test_one_that_may_not_be_moved_does_not_keep_the_others(drive: GoogleDrive, double: DriveDouble) -> None:
    put(drive, double, "e1", datetime(2026, 3, 5, tzinfo=UTC))
    second = put(drive, double, "e2", datetime(2026, 3, 6, tzinfo=UTC))
    double.fail("forbidden", "files.patch")
    assert drive.organise() == Sorted(moved=1, skipped=1)
    assert folders_of(double, second) == {"/Snapshots/2026/03/06"}
    assert drive.organise() == Sorted(moved=1)


def test_a_date_folder_in_the_bin_is_not_used(drive: GoogleDrive, double: DriveDouble) -> None:
    put(drive, double, "e1", datetime(2026, 3, 5, tzinfo=UTC))
    drive.organise()
    double.files.trash(double.files.folders("05")[0]["id"])
    second = put(drive, double, "e2", datetime(2026, 3, 5, tzinfo=UTC))
    drive.organise()
    assert not double.files.get(second)["labels"]["trashed"]
    assert folders_of(double, second) == {"/Snapshots/2026/03/05"}


def test_time_passes_by_the_clock_that_is_given(drive: GoogleDrive, double: DriveDouble) -> None:
    file = put(drive, double, "e1", datetime.now(UTC))
    later = datetime.now(UTC) + timedelta(hours=25)
    organiser = Organiser(drive._session, drive._folders, zone=UTC, now=lambda: later)
    assert organiser.organise() == Sorted(moved=1)
    assert folders_of(double, file) == {f"/Snapshots/{datetime.now(UTC):%Y/%m/%d}"}
