"""What people do with the archives: look, try again, compare, import."""

from __future__ import annotations

import os
import pty
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.archives.folder import Folder, FolderSettings
from app.cli.archive_tools import Import, progress, status_row, verify
from app.journal import Journal
from app.messages import Inspection
from app.pipeline.archive import BACKOFF, Keep
from app.storage.cache import Cache
from app.uploads.capture_time import CaptureTime
from tests.fakes.archives import FakeArchive, a_picture, event_id, recorded
from tests.fakes.clock import Clock
from tests.fakes.pictures import busy, encoded
from tests.unit.pipeline.test_archive import work_off


@pytest.fixture
def clock() -> Clock:
    return Clock(time.time())


@pytest.fixture
def archive(tmp_path: Path) -> Folder:
    folder = Folder(FolderSettings(dir=tmp_path / "archive"))
    folder.open()
    return folder


def kept(journal: Journal, cache: Cache, archive: Folder, numbers: range) -> None:
    """Pictures of these numbers, archived."""
    for number in numbers:
        recorded(journal, a_picture(cache, number), archive.name)
    journal.retry_now(archive.name)
    work_off(Keep(archive, journal=journal))
    assert journal.backlog(archive.name).count == 0


def file_of(archive: Path, number: int) -> Path:
    return next(archive.rglob(f"*{event_id(number)}.jpg"))


def test_status_is_a_row_for_each_archive(journal: Journal, cache: Cache, archive: Folder) -> None:
    kept(journal, cache, archive, range(3))
    recorded(journal, a_picture(cache, 3), "s3")
    journal.postpone(event_id(3), "s3", problem="timeout: no answer", backoff=BACKOFF)
    folder, s3 = (status_row(name, journal.archive_stats(name)) for name in ("folder", "s3"))
    assert folder == ("folder", 3, 0, "", 0, 1, "")
    assert str(s3[3]).startswith("0:00:0")
    assert (*s3[:3], *s3[4:]) == ("s3", 0, 1, 0, 3, "timeout: no answer")


def test_retry_takes_up_what_was_given_up_and_what_is_older_than_the_archive(journal: Journal, cache: Cache) -> None:
    archive = FakeArchive()
    recorded(journal, a_picture(cache, 1), "fake")
    journal.abandon(event_id(1), "fake", problem="too_large: no")
    recorded(journal, a_picture(cache, 2), "rabbitmq")
    recorded(journal, a_picture(None, 3, problem="timeout: too late"), "rabbitmq")
    recorded(journal, a_picture(cache, 4), "fake")
    journal.postpone(event_id(4), "fake", problem="timeout: no answer", backoff=BACKOFF)
    assert journal.try_again("fake") == 2
    assert journal.backlog("fake").count == 3
    work_off(Keep(archive, journal=journal))
    assert sorted(archive.kept) == [event_id(1), event_id(2), event_id(4)]
    assert journal.backlog("rabbitmq").count == 2  # nobody else is told again


def test_verify_finds_what_is_missing_damaged_and_not_ours(
    journal: Journal, cache: Cache, archive: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.cli.archive_tools.BATCH", 20)
    kept(journal, cache, archive, range(1, 31))
    root = tmp_path / "archive"
    file_of(root, 1).unlink()
    file_of(root, 2).write_bytes(b"A picture")
    file_of(root, 3).write_bytes(b"cut")
    file_of(root, 25).unlink()
    (root / "holiday.jpg").write_bytes(b"mine")
    archive.store(a_picture(None, 999), b"of an event that was forgotten")
    found = verify(journal, archive)
    assert not found.well
    assert found.matching == 26
    assert found.missing == [event_id(1), event_id(25)]
    assert found.differing == [event_id(2), event_id(3)]
    assert found.unknown == ["holiday.jpg"]
    assert found.forgotten == 1
    assert verify(journal, archive, again=True).sent_again == 4
    work_off(Keep(archive, journal=journal))
    assert verify(journal, archive).well


def test_an_archive_that_tells_no_checksums_is_compared_by_size(journal: Journal, cache: Cache) -> None:
    archive = FakeArchive()
    for number in (1, 2):
        recorded(journal, a_picture(cache, number), "fake")
    journal.retry_now("fake")
    work_off(Keep(archive, journal=journal))
    entries = list(archive.entries())
    archive.entries = lambda: iter(  # type: ignore[method-assign]
        [replace(entries[0], md5=""), replace(entries[1], md5="", size=1)]
    )
    found = verify(journal, archive)
    assert (found.matching, found.differing) == (1, [entries[1].event_id])
    assert not found.well
    archive.entries = lambda: iter(entries[:1])  # type: ignore[method-assign]
    missing = verify(journal, archive)
    assert (missing.missing, missing.well) == ([entries[1].event_id], False)


def test_import_takes_up_pictures_once_and_tells_nobody(
    journal: Journal, cache: Cache, archive: Folder, tmp_path: Path
) -> None:
    left = tmp_path / "left"
    left.mkdir()
    picture = encoded(busy(64, 48))
    (left / "snap_20240203-040506.jpg").write_bytes(picture)
    (left / "copy of it.jpg").write_bytes(picture)
    (left / "readme.txt").write_text("no picture")
    importer = Import(
        journal=journal,
        cache=cache,
        capture_time=CaptureTime(zone=UTC, max_age=timedelta(days=36_500)),
        archives=["folder"],
        max_pixels=1_000_000,
    )
    (left / ".hidden.jpg").write_bytes(encoded(busy(32, 24)))
    (left / "@eaDir").mkdir()
    (left / "@eaDir" / "thumbnail.jpg").write_bytes(encoded(busy(16, 12)))
    news = recorded(journal, a_picture(cache, 1))
    os.utime(left / "copy of it.jpg", (datetime(2024, 2, 3, tzinfo=UTC).timestamp(),) * 2)
    imported = importer.import_folder(left, camera="Gate Camera", label="Gate")
    assert (imported.taken, imported.known, len(imported.refused)) == (1, 1, 1)
    again = importer.import_folder(left, camera="Gate Camera", label="Gate")
    assert (again.taken, again.known) == (0, 2)
    journal.retry_now("folder")
    work_off(Keep(archive, journal=journal))
    (entry,) = archive.entries()
    assert entry.name.startswith("2024/02/03/gate-camera/")
    found = journal.find(entry.event_id)
    assert isinstance(found, Inspection)
    assert (found.snapshot.origin, found.decision, found.detector) == ("import", "unknown", "")
    assert journal.uninspected(older_than=0) == []
    assert journal.inspected_after(news.id, limit=9) == []
    other = importer.import_folder(left, camera="Yard Camera", label="Yard")
    assert (other.taken, other.known) == (1, 1)


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_shown_on_a_terminal_only(
    terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = pty.openpty() if terminal else os.pipe()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(theirs, "w") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        with progress("listing", 2) as advance:
            advance(1)
            advance(1)
        stderr.write("the end")
        stderr.flush()
        shown = os.read(ours, 10_000)
    os.close(ours)
    assert (b"listing" in shown) == terminal
    assert capsys.readouterr().out == ""
