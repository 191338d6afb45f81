"""The sign-in on a server without a browser, against a double of Google's endpoints."""

from __future__ import annotations

import json
import queue
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from app.archives import ArchiveBlocked
from app.archives.google_drive import TOKEN_FILE
from app.archives.google_drive.sign_in import sign_in
from tests.fakes.drive import a_picture, an_archive, an_inspection
from tests.simulators.drive import DriveDouble, drive_double
from tests.simulators.drive_sign_in import CLIENT_SECRET


@pytest.fixture
def double() -> Iterator[DriveDouble]:
    with drive_double() as double:
        yield double


class Terminal:
    """What is shown, and what a person types."""

    def __init__(self) -> None:
        self.shown: queue.Queue[str] = queue.Queue()
        self.typed: queue.Queue[str] = queue.Queue()

    def url(self) -> str:
        return str(re.findall(r"http://\S+/auth\?\S+", self.text())[0])

    def text(self) -> str:
        self.last = self.shown.get(timeout=10)
        return self.last

    def read_line(self) -> str:
        return self.typed.get(timeout=20)


@contextmanager
def signing_in(double: DriveDouble, tmp_path: Path, **more: float) -> Iterator[tuple[Terminal, Future[None]]]:
    """A sign-in under way in another thread."""
    terminal = Terminal()
    secrets = double.sign_ins.client_secrets(tmp_path / "client_secrets.json")
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(
            sign_in,
            secrets,
            tmp_path / TOKEN_FILE,
            show=terminal.shown.put,
            read_line=terminal.read_line,
            patience=more.get("patience", 20.0),
        )
        yield terminal, future
        terminal.typed.put("")


def where_google_sends(url: str) -> str:
    """What the browser gets from Google: the address on our loopback port."""
    return requests.get(url, allow_redirects=False, timeout=10).headers["Location"]


def token(tmp_path: Path) -> dict[str, object]:
    values = json.loads((tmp_path / TOKEN_FILE).read_text())
    assert isinstance(values, dict)
    return values


def test_the_browser_comes_back_to_the_loopback_port(double: DriveDouble, tmp_path: Path) -> None:
    with signing_in(double, tmp_path) as (terminal, future):
        answer = requests.get(terminal.url(), timeout=10)  # follows the redirect, as a browser does
        future.result(10)
    assert answer.status_code == 200
    assert "Thank you" in answer.text
    assert re.search(r"ssh -L (\d+):127\.0\.0\.1:\1 ", terminal.last)
    assert (tmp_path / TOKEN_FILE).stat().st_mode & 0o777 == 0o600
    noted = token(tmp_path)["signed_in_at"]
    assert isinstance(noted, float)
    assert abs(noted - datetime.now(UTC).timestamp()) < 60
    assert double.violations == []


def test_the_address_may_be_pasted(double: DriveDouble, tmp_path: Path) -> None:
    with signing_in(double, tmp_path) as (terminal, future):
        terminal.typed.put(f"  {where_google_sends(terminal.url())}\n")
        future.result(10)
    assert token(tmp_path)["refresh_token"]
    assert double.violations == []


def test_the_token_works_and_keeps_its_age_when_renewed(double: DriveDouble, tmp_path: Path) -> None:
    with signing_in(double, tmp_path) as (terminal, future):
        requests.get(terminal.url(), timeout=10)
        future.result(10)
    signed_in = token(tmp_path)["signed_in_at"]
    double.sign_ins.expire_access()
    drive = an_archive(double, tmp_path)
    drive.store(an_inspection(), a_picture())
    status = drive.status()
    drive.close()
    assert len(double.files.pictures()) == 1
    assert token(tmp_path)["signed_in_at"] == signed_in
    assert status.signed_in_at
    assert datetime.now(UTC) - status.signed_in_at < timedelta(minutes=1)


def test_an_answer_to_another_question_is_not_taken(double: DriveDouble, tmp_path: Path) -> None:
    with signing_in(double, tmp_path) as (terminal, future):
        redirect = where_google_sends(terminal.url())
        forged = re.sub(r"state=[^&]+", "state=forged", redirect)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(forged, timeout=10)
        assert caught.value.code == 400
        terminal.typed.put(forged)
        assert "does not belong" in terminal.text()
        terminal.typed.put("what?")
        assert "Paste the whole address" in terminal.text()
        assert not (tmp_path / TOKEN_FILE).exists()
        terminal.typed.put(redirect)
        future.result(10)
    assert token(tmp_path)["refresh_token"]


def test_a_no_ends_the_sign_in(double: DriveDouble, tmp_path: Path) -> None:
    double.sign_ins.says_no = True
    with signing_in(double, tmp_path) as (terminal, future):
        requests.get(terminal.url(), timeout=10)
        with pytest.raises(ArchiveBlocked, match="refused access"):
            future.result(10)
    assert not (tmp_path / TOKEN_FILE).exists()


def test_nobody_who_signs_in_is_not_waited_for_for_ever(double: DriveDouble, tmp_path: Path) -> None:
    with (
        signing_in(double, tmp_path, patience=0.2) as (_, future),
        pytest.raises(ArchiveBlocked, match="Nobody"),
    ):
        future.result(10)


def test_a_code_that_google_does_not_take_tells_no_secret(double: DriveDouble, tmp_path: Path) -> None:
    with signing_in(double, tmp_path) as (terminal, future):
        redirect = where_google_sends(terminal.url())
        terminal.typed.put(re.sub(r"code=[^&]+", "code=stale-code", redirect))
        with pytest.raises(ArchiveBlocked, match="start again") as caught:
            future.result(10)
    assert "stale-code" not in repr(caught.value)
    assert CLIENT_SECRET not in repr(caught.value)
    assert not (tmp_path / TOKEN_FILE).exists()


def test_the_listener_is_gone_afterwards(double: DriveDouble, tmp_path: Path) -> None:
    with signing_in(double, tmp_path) as (terminal, future):
        redirect = where_google_sends(terminal.url())
        requests.get(redirect, timeout=10)
        future.result(10)
        with pytest.raises(requests.ConnectionError):
            requests.get(redirect, timeout=10)
    assert "sign-in" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("write", [lambda p: None, lambda p: p.write_text("{}"), lambda p: p.write_text("no json")])
def test_a_wrong_file_of_the_client_says_where_to_get_it(tmp_path: Path, write: Callable[[Path], object]) -> None:
    secrets = tmp_path / "client_secrets.json"
    write(secrets)
    with pytest.raises(ArchiveBlocked, match="GOOGLE_CLIENT_SECRETS_FILE"):
        sign_in(secrets, tmp_path / TOKEN_FILE, show=lambda _: None)
