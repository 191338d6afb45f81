"""The parts of the Google Drive adapter that need no Drive."""

from __future__ import annotations

import errno
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.archives import KINDS, ArchiveBlocked, ArchiveError, ArchiveRejected, ArchiveUnavailable
from app.archives.google_drive import GoogleDrive, GoogleDriveSettings
from app.archives.google_drive.errors import NotThere, SecondParentRefused, Throttled, Unanswered, refusal
from app.archives.google_drive.ledger import Ledger
from app.archives.google_drive.session import make_property, quoted
from app.archives.google_drive.uploads import describe
from tests.fakes.disk_order import recorded
from tests.fakes.drive import an_inspection
from tests.simulators.drive_description import Violation, check_body, recognise, selection
from tests.simulators.drive_query import parse


def answer(reason: str) -> bytes:
    return json.dumps({"error": {"errors": [{"reason": reason, "message": "?token=secret"}]}}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, answer("userRateLimitExceeded"), Throttled),
        (403, answer("rateLimitExceeded"), Throttled),
        (403, answer("sharingRateLimitExceeded"), Throttled),
        (429, b"", Throttled),
        (408, b"", Unanswered),
        (410, b"", NotThere),
        (400, answer("storageQuotaExceeded"), ArchiveBlocked),
        (500, b"", Unanswered),
        (503, b"<html>", Unanswered),
        (403, answer("storageQuotaExceeded"), ArchiveBlocked),
        (403, answer("dailyLimitExceeded"), ArchiveUnavailable),
        (403, answer("insufficientPermissions"), ArchiveBlocked),
        (403, answer("cannotAddParent"), SecondParentRefused),
        (403, b"<html>", ArchiveBlocked),
        (401, answer("authError"), ArchiveBlocked),
        (404, answer("notFound"), NotThere),
        (413, b"", ArchiveRejected),
        (400, answer("invalid"), ArchiveRejected),
        (403, b'{"error": {"errors": []}}', ArchiveBlocked),
        (403, b'{"error": "denied"}', ArchiveBlocked),
        (403, b"[]", ArchiveBlocked),
    ],
)
def test_every_refusal_is_told_apart(status: int, body: bytes, kind: type[ArchiveError]) -> None:
    failure = refusal(status, body)
    assert type(failure) is kind
    assert "secret" not in str(failure)


def test_an_event_is_known_again_and_others_are_not(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "state" / "begun")
    assert [ledger.begin(event) for event in ("a", "b", "a")] == [False, False, True]
    again = Ledger(tmp_path / "state" / "begun")
    assert [again.begin(event) for event in ("a", "b", "c")] == [True, True, False]


def test_a_line_torn_by_a_power_cut_costs_no_other(tmp_path: Path) -> None:
    Ledger(tmp_path / "begun").begin("a")
    with (tmp_path / "begun").open("ab") as file:
        file.write(b"\nto")
    Ledger(tmp_path / "begun").begin("b")
    ledger = Ledger(tmp_path / "begun")
    assert [ledger.begin(event) for event in ("a", "b")] == [True, True]


def test_an_event_is_noted_on_the_disk_before_it_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = recorded(monkeypatch, tmp_path)
    ledger = Ledger(tmp_path / "state" / "begun", kept=2)
    for event in ("a", "b", "b", "c"):
        ledger.begin(event)
    assert steps == [
        "mkdir state",
        "sync state/begun (2 bytes)",
        "sync state",
        "sync state/begun (4 bytes)",
        "rename state/begun to state/begun.1",
        "sync state/begun (2 bytes)",
        "sync state",
    ]


def test_what_could_not_be_noted_is_not_taken_for_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    ledger = Ledger(tmp_path / "begun")
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fail)
        assert ledger.begin("a")
    assert not ledger.begin("b")
    assert ledger.begin("b")


def test_the_ledger_stays_small_and_keeps_the_latest(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "begun", kept=10)
    for number in range(95):
        assert not ledger.begin(f"e{number}")
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 200
    again = Ledger(tmp_path / "begun", kept=10)
    assert all(again.begin(f"e{number}") for number in range(85, 95))


def test_a_ledger_that_cannot_be_written_says_that_it_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert Ledger(tmp_path / "file" / "begun").begin("a")


@given(st.text(max_size=300))
def test_a_property_never_exceeds_what_drive_takes(value: str) -> None:
    value = value.encode(errors="ignore").decode()
    made = make_property("labels", value)
    assert len((made["key"] + made["value"]).encode()) <= 124
    assert value.startswith(made["value"])


@given(st.text(max_size=30).filter(str.isprintable))
def test_any_text_survives_the_query_language(text: str) -> None:
    matches = parse(f"title = {quoted(text)} and trashed = false")
    assert matches({"title": text, "labels": {"trashed": False}})
    assert not matches({"title": text + "x", "labels": {"trashed": False}})


def test_the_name_carries_the_home_s_time() -> None:
    inspection = an_inspection(taken_at=datetime(2026, 1, 20, 23, 30, tzinfo=UTC))
    told = describe(inspection, b"x", zone=ZoneInfo("Europe/Berlin"))
    assert told["title"] == "Yard Camera 2026-01-21 00.30.00.jpg"
    assert told["createdDate"] == "2026-01-20T23:30:00.000Z"


def test_a_camera_whose_clock_is_ahead_does_not_date_its_file_into_the_future() -> None:
    inspection = an_inspection(taken_at=datetime.now(UTC) + timedelta(days=400))
    told = describe(inspection, b"x", zone=UTC)
    assert datetime.fromisoformat(told["createdDate"]) <= datetime.now(UTC)


def test_the_settings_stand_alone_and_are_found_by_their_kind() -> None:
    assert KINDS.load("google_drive") is GoogleDrive
    assert GoogleDrive.Settings is GoogleDriveSettings
    settings = GoogleDriveSettings(folder="Snapshots")
    assert settings.token_file(Path("/data")) == Path("/data/snapshot_processor_creds")
    assert GoogleDriveSettings(credentials_file=Path("/run/creds")).token_file(Path("/data")) == Path("/run/creds")
    with pytest.raises(ValidationError):
        GoogleDriveSettings(api_root_url="ftp://example")


# -- the double checks what it is asked -----------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "path", "query"),
    [
        ("GET", "/drive/v2/file", ""),
        ("PUT", "/drive/v3/files/x", ""),
        ("GET", "/drive/v2/files", "pageSize=10"),
        ("GET", "/drive/v2/files", "maxResults=many"),
        ("GET", "/drive/v2/files", "supportsAllDrives=True"),
        ("PATCH", "/drive/v2/files/x", "modifiedDateBehavior=never"),
        ("PATCH", "/drive/v2/files/x", "addParents=a&addParents=b"),
        ("POST", "/upload/drive/v2/files", "uploadType=simple"),
        ("POST", "/drive/v2/files", "enforceSingleParent=true"),
    ],
)
def test_the_double_refuses_calls_that_the_description_does_not_know(verb: str, path: str, query: str) -> None:
    with pytest.raises(Violation):
        recognise(verb, path, query)


@pytest.mark.parametrize(
    "body",
    [
        {"name": "a"},
        {"title": 1},
        {"labels": {"star": True}},
        {"parents": {"id": "a"}},
        {"md5Checksum": "a"},
        {"createdDate": "yesterday"},
        {"createdDate": "2026-11-20T10:00:00"},
    ],
)
def test_the_double_refuses_bodies_that_the_description_does_not_know(body: object) -> None:
    with pytest.raises(Violation):
        check_body(body, "File")


@pytest.mark.parametrize(
    "query",
    [
        "name = 'a'",
        "title = a",
        "title = 'a' and",
        "title = 'it's'",
        "createdDate > '2026-11-20T00:00:00'",
        "trashed = maybe",
        "properties has { key='a' and value='b' }",
        "(title = 'a'",
        "title = 'a' title = 'b'",
        "",
    ],
)
def test_the_double_refuses_queries_that_it_does_not_know(query: str) -> None:
    with pytest.raises(Violation):
        parse(query)


@pytest.mark.parametrize("fields", ["items(id,name)", "items(id", "files(id)", "items id"])
def test_the_double_refuses_fields_that_the_description_does_not_know(fields: str) -> None:
    with pytest.raises(Violation):
        selection(fields, "FileList")
