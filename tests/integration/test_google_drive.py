"""Pictures into a Drive that misbehaves in every way it can: nothing lost, nothing twice."""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.archives import ArchiveBlocked, ArchiveRejected, ArchiveUnavailable
from app.archives.google_drive import TOKEN_FILE, GoogleDrive
from app.archives.google_drive.uploads import MULTIPART_MAX
from tests.fakes.drive import a_picture, an_archive, an_inspection
from tests.simulators.drive import DriveDouble, drive_double


@pytest.fixture
def double() -> Iterator[DriveDouble]:
    with drive_double() as double:
        yield double
        assert double.violations == []


@pytest.fixture
def drive(double: DriveDouble, tmp_path: Path) -> Iterator[GoogleDrive]:
    drive = an_archive(double, tmp_path)
    yield drive
    drive.close()


def assert_kept_once(double: DriveDouble, *event_ids: str) -> None:
    """Each of these events' pictures is there whole, one time, in the one folder; and nothing else is."""
    pictures = double.files.pictures()
    kept = {one["value"]: file["id"] for file in pictures for one in file["properties"] if one["key"] == "event_id"}
    assert sorted(kept) == sorted(event_ids)
    assert len(pictures) == len(event_ids)
    for event_id, file_id in kept.items():
        assert double.files.content(file_id) == a_picture(event_id)
    assert len(double.files.folders("Snapshots")) == 1


def store_until_done(drive: GoogleDrive, event_id: str, *, tries: int = 5) -> list[str]:
    """As the delivery row does it: again after each failure. Returns the failures' codes."""
    failures: list[str] = []
    while True:
        try:
            drive.store(an_inspection(event_id), a_picture(event_id))
        except ArchiveUnavailable as failure:
            failures.append(failure.code)
            assert len(failures) < tries, failures
        else:
            return failures


def test_a_picture_is_put_into_the_bin_and_no_other_is(drive: GoogleDrive, double: DriveDouble) -> None:
    for event_id in ("e1", "e2"):
        drive.store(an_inspection(event_id), a_picture(event_id))
    drive.remove(an_inspection("e1"))
    drive.remove(an_inspection("e1"))
    assert_kept_once(double, "e2")


# -- what is kept ---------------------------------------------------------------------------------


def test_a_picture_lies_in_the_folder_with_all_that_is_known_of_it(drive: GoogleDrive, double: DriveDouble) -> None:
    taken = datetime(2026, 11, 19, 18, 40, 6, tzinfo=UTC)
    drive.store(an_inspection(taken_at=taken), a_picture())
    (file,) = double.files.pictures()
    assert double.files.paths(file["id"]) == {"/Snapshots/Yard Camera 2026-11-19 18.40.06.jpg"}
    assert file["createdDate"] == "2026-11-19T18:40:06.000Z"
    assert file["mimeType"] == "image/jpeg"
    assert "Person, Dog" in file["description"]
    assert "Event: e1" in file["description"]
    assert "Persons: 1" in file["description"]
    properties = {one["key"]: one["value"] for one in file["properties"]}
    assert properties == {
        "event_id": "e1",
        "taken_at": "2026-11-19T18:40:06.000Z",
        "camera": "Yard Camera",
        "labels": "Person, Dog",
        "person_count": "1",
    }
    assert {one["visibility"] for one in file["properties"]} == {"PRIVATE"}


def test_a_new_picture_costs_one_call(drive: GoogleDrive, double: DriveDouble) -> None:
    drive.open()
    double.calls.clear()
    for number in range(5):
        drive.store(an_inspection(f"e{number}"), a_picture(f"e{number}"))
    assert double.counts == {"drive.files.insert": 5}


def test_a_large_picture_goes_up_in_a_resumable_upload(drive: GoogleDrive, double: DriveDouble) -> None:
    picture = a_picture(size=MULTIPART_MAX + 1000)
    drive.open()
    double.calls.clear()
    drive.store(an_inspection(), picture)
    (file,) = double.files.pictures()
    assert double.files.content(file["id"]) == picture
    assert double.counts["drive.files.insert"] == 2


def test_labels_in_any_script_and_number_fit_into_the_properties(drive: GoogleDrive, double: DriveDouble) -> None:
    drive.store(an_inspection(labels=("Människa", "猫", "🐕") * 40), a_picture())
    (file,) = double.files.pictures()
    assert "Människa, 猫, 🐕" in {one["key"]: one["value"] for one in file["properties"]}["labels"]


def test_a_name_with_quotes_and_backslashes_names_a_folder(double: DriveDouble, tmp_path: Path) -> None:
    for _ in range(2):
        drive = an_archive(double, tmp_path, folder="Snap's \\ home")
        drive.open()
        (tmp_path / "google_drive" / "folder.json").unlink()
        drive.close()
    assert len(double.files.folders("Snap's \\ home")) == 1


def test_an_event_without_a_picture_is_not_for_drive(drive: GoogleDrive) -> None:
    with pytest.raises(ArchiveRejected):
        drive.store(an_inspection(), b"")


def test_storing_twice_leaves_one(drive: GoogleDrive, double: DriveDouble, tmp_path: Path) -> None:
    drive.store(an_inspection("e1"), a_picture("e1"))
    drive.store(an_inspection("e1"), a_picture("e1"))
    after_restart = an_archive(double, tmp_path)
    after_restart.store(an_inspection("e1"), a_picture("e1"))
    after_restart.close()
    assert_kept_once(double, "e1")


def test_everything_is_listed_with_its_path_size_and_checksum(drive: GoogleDrive, double: DriveDouble) -> None:
    drive.store(an_inspection("old", taken_at=datetime(2026, 1, 2, tzinfo=UTC)), a_picture("old"))
    drive.organise()
    drive.store(an_inspection("new"), a_picture("new"))
    (folder,) = double.files.folders("Snapshots")
    double.files.add("by-hand.jpg", parent=folder["id"])
    double.files.add("elsewhere.jpg")
    entries = {entry.event_id: entry for entry in drive.entries()}
    assert set(entries) == {"old", "new", ""}
    assert entries["old"].name == "2026/01/02/Yard Camera 2026-01-02 00.00.00.jpg"
    assert entries[""].name == "by-hand.jpg"
    assert entries["new"].size == len(a_picture("new"))
    assert entries["new"].md5 == hashlib.md5(a_picture("new")).hexdigest()


# -- faults ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["403", "429", "500", "html", "cut", "lost", "lost500", "wrong"])
def test_a_fault_that_passes_is_got_over_in_one_go(drive: GoogleDrive, double: DriveDouble, fault: str) -> None:
    double.fail(fault, "files.insert", times=2)  # the folder's, and then the picture's
    double.files.add("Snapshots", mime_type="application/vnd.google-apps.folder")
    assert store_until_done(drive, "e1") == []
    assert_kept_once(double, "e1")


@pytest.mark.parametrize("fault", ["403", "429", "500", "html", "cut", "lost", "lost500"])
@pytest.mark.parametrize("method", ["files.list", "files.insert"])
def test_making_the_folder_survives_it_too(drive: GoogleDrive, double: DriveDouble, fault: str, method: str) -> None:
    double.fail(fault, method)
    assert store_until_done(drive, "e1") == []
    assert_kept_once(double, "e1")


@pytest.mark.parametrize("fault", ["403", "429", "500", "cut", "lost", "lost500", "wrong"])
def test_a_fault_that_lasts_makes_the_picture_wait_and_loses_nothing(
    drive: GoogleDrive, double: DriveDouble, fault: str
) -> None:
    drive.open()
    double.fail(fault, "files.insert", times=1000)
    if fault not in ("lost", "lost500"):  # those are found at once
        with pytest.raises(ArchiveUnavailable):
            drive.store(an_inspection("e1"), a_picture("e1"))
        assert double.counts["drive.files.insert"] <= 1 + 4
    double.heal()
    store_until_done(drive, "e1")
    assert_kept_once(double, "e1")


def test_a_lost_answer_is_looked_up_and_not_sent_again(drive: GoogleDrive, double: DriveDouble) -> None:
    drive.open()
    double.calls.clear()
    double.fail("lost", "files.insert")
    drive.store(an_inspection("e1"), a_picture("e1"))
    assert double.calls == ["drive.files.insert", "drive.files.list"]


@pytest.mark.timeout(30)
@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_a_hang_ends_with_the_timeout_and_leaves_one(double: DriveDouble, tmp_path: Path, fault: str) -> None:
    drive = an_archive(double, tmp_path, timeout=0.3)
    drive.open()
    double.fail(fault, "files.insert")
    with pytest.raises(ArchiveUnavailable, match="timeout"):
        drive.store(an_inspection("e1"), a_picture("e1"))
    store_until_done(drive, "e1")
    assert_kept_once(double, "e1")
    drive.close()


def test_a_process_killed_after_the_upload_finds_its_file(double: DriveDouble, tmp_path: Path) -> None:
    first = an_archive(double, tmp_path, pauses=())
    first.open()
    double.fail("lost", "files.insert")
    with pytest.raises(ArchiveUnavailable):
        first.store(an_inspection("e1"), a_picture("e1"))
    # Nothing is closed, nothing in memory is passed on.
    second = an_archive(double, tmp_path)
    second.store(an_inspection("e1"), a_picture("e1"))
    assert_kept_once(double, "e1")
    first.close()
    second.close()


STORE_ONE = """
import sys
from pathlib import Path
from tests.fakes.drive import a_picture, an_inspection
from app.archives import ArchiveContext
from app.archives.google_drive import GoogleDrive, GoogleDriveSettings
settings = GoogleDriveSettings(folder="Snapshots", api_root_url=sys.argv[1])
GoogleDrive(settings, ArchiveContext(data_dir=Path(sys.argv[2]))).store(an_inspection("e1"), a_picture("e1"))
"""


def test_kill_9_in_an_upload_leaves_one_file(double: DriveDouble, tmp_path: Path) -> None:
    double.sign_ins.sign_in(tmp_path / TOKEN_FILE)
    double.files.add("Snapshots", mime_type="application/vnd.google-apps.folder")
    double.fail("held", "files.insert")
    command = [sys.executable, "-c", STORE_ONE, double.url, str(tmp_path)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2]) as process:
        deadline = time.monotonic() + 30
        while not double.files.pictures() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.kill()
    subprocess.run(command, cwd=Path(__file__).parents[2], check=True, timeout=60)
    assert_kept_once(double, "e1")


def test_the_end_of_the_service_does_not_wait_for_a_pause(double: DriveDouble, tmp_path: Path) -> None:
    drive = an_archive(double, tmp_path, pauses=(60.0,))
    double.fail("500", times=1000)
    with ThreadPoolExecutor(1) as pool:
        stored = pool.submit(drive.store, an_inspection("e1"), a_picture("e1"))
        while not double.calls:
            time.sleep(0.01)
        drive.close()
        with pytest.raises(ArchiveUnavailable):
            stored.result(10)


def test_a_wrong_copy_of_an_earlier_attempt_is_replaced(double: DriveDouble, tmp_path: Path) -> None:
    drive = an_archive(double, tmp_path, pauses=())
    drive.open()
    double.fail("wrong", "files.insert")
    double.fail("cut", "files.trash")
    with pytest.raises(ArchiveUnavailable):
        drive.store(an_inspection("e1"), a_picture("e1"))
    assert len(double.files.pictures()) == 1  # the wrong one, which could not be binned
    drive.store(an_inspection("e1"), a_picture("e1"))
    assert_kept_once(double, "e1")
    drive.close()


def test_a_drive_that_cannot_be_reached_is_a_reason_to_wait(double: DriveDouble, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        double.port, port = nobody.getsockname()[1], double.port
        away = an_archive(double, tmp_path)
    with pytest.raises(ArchiveUnavailable, match="unreachable"):
        away.store(an_inspection("e1"), a_picture("e1"))
    away.close()
    double.port = port
    back = an_archive(double, tmp_path)
    back.store(an_inspection("e1"), a_picture("e1"))
    assert_kept_once(double, "e1")
    back.close()


def test_a_full_account_blocks_and_says_what_to_do(drive: GoogleDrive, double: DriveDouble) -> None:
    drive.open()
    double.calls.clear()
    double.files.quota = 100
    with pytest.raises(ArchiveBlocked, match="storage is full"):
        drive.store(an_inspection("e1"), a_picture("e1"))
    assert double.counts["drive.files.insert"] == 1  # not tried again
    double.files.quota = 10**9
    drive.store(an_inspection("e1"), a_picture("e1"))
    assert_kept_once(double, "e1")


def test_a_folder_that_was_deleted_is_made_anew(drive: GoogleDrive, double: DriveDouble) -> None:
    drive.open()
    double.files.delete(double.files.folders("Snapshots")[0]["id"])
    assert store_until_done(drive, "e1") == []
    assert_kept_once(double, "e1")


def test_nothing_is_put_into_a_folder_in_the_bin(drive: GoogleDrive, double: DriveDouble) -> None:
    drive.open()
    double.files.trash(double.files.folders("Snapshots")[0]["id"])
    assert store_until_done(drive, "e1") == []
    assert_kept_once(double, "e1")


def test_a_folder_that_was_moved_and_renamed_is_still_the_one(double: DriveDouble, tmp_path: Path) -> None:
    drive = an_archive(double, tmp_path)
    drive.open()
    attic = double.files.add("Attic", mime_type="application/vnd.google-apps.folder")
    (folder,) = double.files.folders("Snapshots")
    double.files.patch(folder["id"], {"title": "Pictures"}, add=[attic], remove=["0Aroot"])
    after_restart = an_archive(double, tmp_path)
    after_restart.store(an_inspection("e1"), a_picture("e1"))
    (file,) = double.files.pictures()
    assert next(iter(double.files.paths(file["id"]))).startswith("/Attic/Pictures/")
    drive.close()
    after_restart.close()


# -- several at once ------------------------------------------------------------------------------


def test_many_at_once_make_one_folder(double: DriveDouble, tmp_path: Path) -> None:
    double.delay = 0.01
    drive = an_archive(double, tmp_path)
    events = [f"e{number}" for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda event: drive.store(an_inspection(event), a_picture(event)), events))
    assert_kept_once(double, *events)
    assert double.peak > 1
    drive.close()


def test_of_twin_folders_the_oldest_counts(drive: GoogleDrive, double: DriveDouble) -> None:
    folder = "application/vnd.google-apps.folder"
    younger = double.files.add("Snapshots", mime_type=folder, created=datetime(2026, 5, 2, tzinfo=UTC))
    older = double.files.add("Snapshots", mime_type=folder, created=datetime(2026, 5, 1, tzinfo=UTC))
    drive.store(an_inspection("e1"), a_picture("e1"))
    assert double.files.pictures()[0]["parents"] == [{"id": older}]
    assert {one["id"] for one in double.files.folders("Snapshots")} == {older, younger}


def test_a_burst_through_a_drive_that_fails_often_loses_nothing(double: DriveDouble, tmp_path: Path) -> None:
    drive = an_archive(double, tmp_path)
    drive.open()
    for fault in ("403", "lost", "500", "wrong", "cut", "429", "lost500", "html") * 3:
        double.fail(fault, "files.insert")
    events = [f"e{number}" for number in range(30)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda event: store_until_done(drive, event, tries=30), events))
    assert_kept_once(double, *events)
    drive.close()


# -- the link -------------------------------------------------------------------------------------


def test_the_link_is_known_from_the_start_on(double: DriveDouble, tmp_path: Path) -> None:
    first = an_archive(double, tmp_path)
    assert first.url == ""
    first.open()
    assert first.url.startswith("https://drive.example/")
    double.calls.clear()
    second = an_archive(double, tmp_path)
    assert second.url == first.url
    assert double.calls == []
    renamed = an_archive(double, tmp_path, folder="Other")
    assert renamed.url == ""
    for drive in (first, second, renamed):
        drive.close()


# -- the token ------------------------------------------------------------------------------------


def test_no_token_blocks_and_asks_for_a_sign_in_and_starts_none(double: DriveDouble, tmp_path: Path) -> None:
    drive = an_archive(double, tmp_path)
    (tmp_path / TOKEN_FILE).unlink()
    threads = set(threading.enumerate())
    with pytest.raises(ArchiveBlocked, match="drive-login"):
        drive.store(an_inspection("e1"), a_picture("e1"))
    assert set(threading.enumerate()) == threads
    assert double.calls == []
    double.sign_ins.sign_in(tmp_path / TOKEN_FILE)  # while it runs
    drive.store(an_inspection("e1"), a_picture("e1"))
    assert_kept_once(double, "e1")
    drive.close()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"access_token": 1}', "\x00\xff"])
def test_a_broken_token_file_blocks(double: DriveDouble, tmp_path: Path, text: str) -> None:
    (tmp_path / TOKEN_FILE).write_text(text, "latin-1")
    drive = an_archive(double, tmp_path)
    with pytest.raises(ArchiveBlocked, match="drive-login"):
        drive.open()
    drive.close()


def test_a_withdrawn_token_blocks_until_someone_signs_in_again(
    drive: GoogleDrive, double: DriveDouble, tmp_path: Path
) -> None:
    drive.open()
    double.sign_ins.revoked = True
    for _ in range(5):
        with pytest.raises(ArchiveBlocked, match="drive-login"):
            drive.store(an_inspection("e1"), a_picture("e1"))
    assert double.sign_ins.token_calls == 1  # Google is not asked over and over
    assert not json.loads((tmp_path / TOKEN_FILE).read_text())["invalid"]
    double.sign_ins.revoked = False
    double.sign_ins.sign_in(tmp_path / TOKEN_FILE)
    drive.store(an_inspection("e1"), a_picture("e1"))
    assert_kept_once(double, "e1")


def test_an_ended_token_is_renewed_once_for_all_threads(double: DriveDouble, tmp_path: Path) -> None:
    double.sign_ins.sign_in(tmp_path / TOKEN_FILE, expired=True)
    before = json.loads((tmp_path / TOKEN_FILE).read_text())
    drive = an_archive(double, tmp_path)
    events = [f"e{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda event: drive.store(an_inspection(event), a_picture(event)), events))
    assert double.sign_ins.token_calls == 1
    after = json.loads((tmp_path / TOKEN_FILE).read_text())
    assert after["access_token"] != before["access_token"]
    assert after["refresh_token"] == before["refresh_token"]
    assert (tmp_path / TOKEN_FILE).stat().st_mode & 0o777 == 0o600
    assert_kept_once(double, *events)
    drive.close()


def test_a_token_that_ends_early_is_renewed_and_the_call_made_again(drive: GoogleDrive, double: DriveDouble) -> None:
    drive.open()
    double.sign_ins.expire_access()
    drive.store(an_inspection("e1"), a_picture("e1"))
    assert double.sign_ins.token_calls == 1
    assert_kept_once(double, "e1")


def test_a_token_endpoint_that_fails_is_no_reason_to_sign_in_again(double: DriveDouble, tmp_path: Path) -> None:
    double.sign_ins.sign_in(tmp_path / TOKEN_FILE, expired=True)
    double.sign_ins.token_status = 503
    drive = an_archive(double, tmp_path)
    with pytest.raises(ArchiveUnavailable):
        drive.store(an_inspection("e1"), a_picture("e1"))
    double.sign_ins.token_status = 200
    drive.store(an_inspection("e1"), a_picture("e1"))
    assert_kept_once(double, "e1")
    drive.close()


def test_a_token_file_that_others_can_read_is_closed_to_them(double: DriveDouble, tmp_path: Path) -> None:
    double.sign_ins.sign_in(tmp_path / TOKEN_FILE).chmod(0o644)
    drive = an_archive(double, tmp_path)
    drive.open()
    assert (tmp_path / TOKEN_FILE).stat().st_mode & 0o777 == 0o600
    drive.close()


def test_no_failure_tells_a_token(drive: GoogleDrive, double: DriveDouble, tmp_path: Path) -> None:
    token = json.loads((tmp_path / TOKEN_FILE).read_text())
    secrets = [token["access_token"], token["refresh_token"], token["client_secret"]]
    told = []
    for fault in ("500", "cut", "quota", "html"):
        double.fail(fault, times=4)
        with pytest.raises((ArchiveUnavailable, ArchiveBlocked)) as caught:
            drive.open()
        told.append(repr(caught.value) + str(caught.value.__cause__))
        double.heal()
    assert not [secret for secret in secrets for text in told if secret in text]


def test_the_status_tells_account_storage_and_folder(drive: GoogleDrive, double: DriveDouble, tmp_path: Path) -> None:
    assert drive.status().folder == ""
    drive.store(an_inspection("e1"), a_picture("e1"))
    status = drive.status()
    assert status.problem is None
    assert status.renewable
    assert status.account == "Home"
    assert (status.used, status.total) == (len(a_picture("e1")), double.files.quota)
    assert status.folder == drive.url
    assert status.renewed_at
    assert datetime.now(UTC) - status.renewed_at < timedelta(minutes=1)
    double.sign_ins.revoked = True
    assert isinstance(drive.status().problem, ArchiveBlocked)
    (tmp_path / TOKEN_FILE).unlink()
    assert drive.status().renewed_at is None
