"""Drive's token: renewed in time and kept, never over a newer one, and given up only where a person is needed."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from app.archives import ArchiveBlocked, ArchiveUnavailable
from app.archives.google_drive.token import SIGNED_IN_AT, DriveToken
from tests.simulators.drive import drive_double
from tests.simulators.drive_sign_in import SignIns


@pytest.fixture
def google() -> Iterator[SignIns]:
    with drive_double() as double:
        yield double.sign_ins


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "creds"


def drive_token(path: Path) -> DriveToken:
    return DriveToken(path, timeout=5.0)


def content(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(path.read_text())
    return values


@pytest.mark.parametrize(("lifetime", "calls"), [(100, 1), (3600, 0)])
def test_a_token_that_ends_within_two_minutes_is_renewed_before_the_call(
    google: SignIns, path: Path, lifetime: int, calls: int
) -> None:
    google.token_lifetime = lifetime
    google.sign_in(path)
    drive_token(path).access()
    assert google.token_calls == calls


def test_a_renewed_token_is_kept_with_the_day_of_its_sign_in(google: SignIns, path: Path) -> None:
    google.sign_in(path, expired=True)
    path.write_text(json.dumps({**content(path), SIGNED_IN_AT: 1_700_000_000}))
    path.chmod(0o644)
    access = drive_token(path).access()
    assert (content(path)["access_token"], content(path)[SIGNED_IN_AT]) == (access, 1_700_000_000)
    assert path.stat().st_mode & 0o777 == 0o600
    assert drive_token(path).access() == access
    assert google.token_calls == 1


def test_a_token_file_that_others_may_read_is_closed_to_them(google: SignIns, path: Path) -> None:
    google.sign_in(path).chmod(0o644)
    drive_token(path).access()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_token_that_drive_refused_is_renewed(google: SignIns, path: Path) -> None:
    google.sign_in(path)
    ours = drive_token(path)
    first = ours.access()
    assert ours.access() == first
    assert ours.access(refused=first) != first


def test_a_withdrawn_token_is_asked_for_once_and_a_new_sign_in_ends_that(google: SignIns, path: Path) -> None:
    google.sign_in(path, expired=True)
    google.revoked = True
    ours = drive_token(path)
    for _ in range(3):
        with pytest.raises(ArchiveBlocked, match="sign_in_needed"):
            ours.access()
    assert google.token_calls == 1
    google.revoked = False
    google.sign_in(path)
    assert ours.access() == content(path)["access_token"]


def test_a_token_that_cannot_be_renewed_is_not_asked_for(google: SignIns, path: Path) -> None:
    google.sign_in(path, expired=True)
    path.write_text(json.dumps({**content(path), "refresh_token": None}))
    with pytest.raises(ArchiveBlocked, match="no_refresh"):
        drive_token(path).access()
    assert google.token_calls == 0


def test_a_google_that_is_away_withdraws_nothing(google: SignIns, path: Path) -> None:
    google.sign_in(path, expired=True)
    google.token_status = 503
    ours = drive_token(path)
    with pytest.raises(ArchiveUnavailable):
        ours.access()
    google.token_status = 200
    assert ours.access() == content(path)["access_token"]
    assert not content(path)["invalid"]


def test_a_renewal_does_not_overwrite_a_new_sign_in(
    google: SignIns, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    google.sign_in(path, expired=True)
    answer = google.token

    def meanwhile(form: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        google.sign_in(path)
        return answer(form)

    monkeypatch.setattr(google, "token", meanwhile)
    ours = drive_token(path)
    renewed = ours.access()
    assert content(path)["access_token"] != renewed
    assert ours.access() == content(path)["access_token"]


def test_a_token_that_cannot_be_kept_is_good_all_the_same(
    google: SignIns, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path, _data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    google.sign_in(path, expired=True)
    old = content(path)["access_token"]
    monkeypatch.setattr("pylib.files.durable.write_private", full)
    assert drive_token(path).access() not in ("", old)
