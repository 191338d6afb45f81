"""Rejected uploads: whose each may be, and that nothing is lost while one is taken in after all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from app.journal import Journal
from app.messages import Snapshot, Upload
from app.uploads.camera_folders import COMPARED, CameraFolders, PushingCamera
from app.uploads.inbox import InboxUnavailable
from app.uploads.rejected import NotRejected
from pylib.errors import Permanent
from tests.fakes.cameras import jpeg
from tests.fakes.journal import begin, end
from tests.fakes.rejected import FRONT, KITCHEN, Rejecting

MISSPELLED = "uploads/snapshots/frontdor/20260304/120001.jpg"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = begin(tmp_path / "journal.db")
    yield journal
    end(journal)


@pytest.fixture
def rejecting(tmp_path: Path, journal: Journal) -> Rejecting:
    return Rejecting(tmp_path, journal)


def test_a_misspelled_folder_says_whose_the_file_may_be_and_who_sent_it(rejecting: Rejecting) -> None:
    rejecting.reject(jpeg(), MISSPELLED)
    ((one,), count) = rejecting.uploads.newest(10)
    assert (one.suggestion, count) == (FRONT.device_key, 1)
    assert (one.entry.code, one.entry.origin, one.entry.sender) == ("unknown_camera", "ftp", "192.0.2.7")


def test_nothing_is_suggested_where_nothing_comes_near(rejecting: Rejecting) -> None:
    rejecting.reject(jpeg(), "somewhere/a.jpg")
    assert rejecting.uploads.newest(10)[0][0].suggestion == ""


def test_the_newest_come_first_and_all_are_counted(rejecting: Rejecting) -> None:
    ids = [rejecting.reject(b"text", f"uploads/snapshots/frontdoor/{number}.jpg") for number in range(4)]
    found, count = rejecting.uploads.newest(2)
    assert ([one.entry.id for one in found], count) == (ids[:1:-1], 4)
    assert [one.suggestion for one in found] == [FRONT.device_key] * 2


def test_what_is_taken_in_becomes_an_event_of_that_camera_with_its_time(rejecting: Rejecting) -> None:
    rejected_id = rejecting.reject(jpeg(), "uploads/snapshots/nobody/20260304/120001.jpg")
    snapshot = rejecting.uploads.take_in(rejected_id, KITCHEN.device_key)
    assert snapshot is not None
    assert rejecting.handed_over == [snapshot]
    assert (snapshot.camera, snapshot.label, snapshot.origin) == ("Küche Camera", "Küche", "ftp")
    assert rejecting.uploads.newest(10) == ([], 0)
    assert list(rejecting.inbox.waiting()) == []


def test_its_folder_keeps_the_date_and_loses_the_other_camera(rejecting: Rejecting) -> None:
    seen: list[Upload] = []
    uploads = rejecting.over(lambda upload: seen.append(upload))
    uploads.take_in(rejecting.reject(b"x", "uploads/snapshots/frontdoor/20260304/a.jpg"), KITCHEN.device_key)
    assert seen[0].name == "uploads/snapshots/küche/20260304/a.jpg"
    assert rejecting.folders.camera(PurePosixPath(seen[0].name)) == KITCHEN


def test_the_same_picture_a_second_time_is_no_event(rejecting: Rejecting) -> None:
    first, second = (rejecting.reject(jpeg(), f"somewhere/{name}.jpg") for name in "ab")
    assert rejecting.uploads.take_in(first, FRONT.device_key) is not None
    assert rejecting.uploads.take_in(second, FRONT.device_key) is None
    assert rejecting.uploads.newest(10) == ([], 0)


def test_what_is_refused_again_is_kept_again(rejecting: Rejecting) -> None:
    rejected_id = rejecting.reject(b"this is a text", "somewhere/a.jpg")
    with pytest.raises(Permanent, match="not_an_image"):
        rejecting.uploads.take_in(rejected_id, FRONT.device_key)
    ((one,), _) = rejecting.uploads.newest(10)
    assert (one.entry.code, one.entry.camera, one.entry.sender) == ("not_an_image", FRONT.device_key, "192.0.2.7")
    assert list(rejecting.inbox.waiting()) == []


def test_what_cannot_be_taken_in_now_is_tried_again_by_itself(rejecting: Rejecting) -> None:
    def full(_upload: Upload) -> Snapshot | None:
        raise InboxUnavailable("inbox_unavailable", "No space left on device")

    rejected_id = rejecting.reject(jpeg(), "somewhere/a.jpg")
    with pytest.raises(InboxUnavailable):
        rejecting.over(full).take_in(rejected_id, FRONT.device_key)
    (waiting,) = rejecting.tried_later
    assert rejecting.folders.camera(waiting.name) == FRONT
    assert waiting.path.read_bytes() == jpeg()


def test_killed_in_between_the_next_start_takes_it_for_that_camera(rejecting: Rejecting) -> None:
    def killed(_upload: Upload) -> Snapshot | None:
        raise KeyboardInterrupt

    rejected_id = rejecting.reject(jpeg(), "somewhere/a.jpg")
    with pytest.raises(KeyboardInterrupt):
        rejecting.over(killed).take_in(rejected_id, KITCHEN.device_key)
    (waiting,) = rejecting.inbox.waiting()
    assert rejecting.folders.camera(waiting.name) == KITCHEN


@pytest.mark.parametrize("rejected_id", ["gone", "../journal", "a/../b", ""])
def test_what_is_not_there_is_said_not_to_be(rejecting: Rejecting, tmp_path: Path, rejected_id: str) -> None:
    (tmp_path / "journal.about.json").write_text("{}")
    for ask in (
        rejecting.uploads.discard,
        lambda one: rejecting.uploads.read(one, most=10),
        lambda one: rejecting.uploads.take_in(one, FRONT.device_key),
    ):
        with pytest.raises(NotRejected):
            ask(rejected_id)


def test_a_description_cannot_name_a_file_elsewhere(rejecting: Rejecting, tmp_path: Path) -> None:
    rejected_id = rejecting.reject(b"text", "uploads/snapshots/frontdoor/a.txt")
    about = tmp_path / "quarantine" / f"{rejected_id}.about.json"
    about.write_text(about.read_text().replace(f'"{rejected_id}.txt"', '"../secret"'))
    (tmp_path / "secret").write_text("a password")
    with pytest.raises(NotRejected):
        rejecting.uploads.read(rejected_id, most=100)
    assert (tmp_path / "secret").exists()


def test_what_is_discarded_is_deleted(rejecting: Rejecting, tmp_path: Path) -> None:
    rejecting.uploads.discard(rejecting.reject(b"text", "somewhere/a.txt"))
    assert list((tmp_path / "quarantine").iterdir()) == []


def test_thousands_of_cameras_are_not_all_compared() -> None:
    cameras = [PushingCamera(f"C{number} Camera", "", f"place{number:05}") for number in range(COMPARED + 1)]
    folders = CameraFolders([*cameras, PushingCamera("Shed Camera", "Shed", "toolshed")])
    assert folders.close_to(PurePosixPath("tolshed/a.jpg")) is None
