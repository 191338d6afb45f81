"""Bans over HTTP, on the status page and by command: which there are, and lifting them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli.main import main
from app.web.application import application
from pylib.net.login_throttle import LoginThrottle
from tests.fakes.web import Client, close, parts_for, serving
from tests.unit.web.album.pages import PAGE

HERE, THERE = "192.168.1.7", "192.168.1.8"


@pytest.fixture
def throttle() -> LoginThrottle:
    throttle = LoginThrottle("ftp", after=1, within=60, wait=600, clock=lambda: 0.0)
    throttle.failed(HERE, "yard", "wrong")
    throttle.failed(THERE, "", "wrong")
    return throttle


@pytest.fixture
def client(tmp_path: Path, throttle: LoginThrottle) -> Iterator[Client]:
    parts = parts_for(tmp_path, throttles={"ftp": throttle})
    with serving(application(parts)) as client:
        yield client
    close(parts)


def test_bans_are_listed_and_lifted_by_address(client: Client, throttle: LoginThrottle) -> None:
    listed = client.get("/api/bans").json()["bans"]
    assert [(ban["server"], ban["address"], ban["login"], ban["failures"]) for ban in listed] == [
        ("ftp", THERE, "", 1),
        ("ftp", HERE, "yard", 1),
    ]
    assert client.post("/api/bans/lift", params={"address": HERE}).json() == {"lifted": 1}
    assert (throttle.wait(HERE, "yard"), throttle.wait(THERE)) == (0, 600)
    assert client.post("/api/bans/lift").json() == {"lifted": 1}
    assert client.get("/api/bans").json() == {"bans": []}


def test_the_status_page_shows_them_and_lifts_them(client: Client, throttle: LoginThrottle) -> None:
    page = client.get("/status", headers=PAGE).text
    assert f"{HERE}, FTP" in page
    assert "The login “yard”, until" in page
    assert "All logins but those that worked there lately" in page
    assert client.post("/bans/lift", data={"address": HERE}).status_code == 303
    assert client.post("/bans/lift").status_code == 303
    assert [ban.address for ban in throttle.bans()] == [THERE]


def test_so_does_the_command(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_PORT", str(client.port))
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    run = CliRunner().invoke
    assert re.search(rf"^ftp +{HERE} +20\d\d-.* yard$", run(main, ["bans", "list"]).output, re.MULTILINE)
    assert [ban["address"] for ban in json.loads(run(main, ["bans", "list", "--json"]).output)] == [THERE, HERE]
    assert run(main, ["bans", "lift"]).exit_code == 2
    assert run(main, ["bans", "lift", HERE]).output == "lifted: 1\n"
    assert run(main, ["bans", "lift", "--all"]).output == "lifted: 1\n"
    assert "there is no ban" in run(main, ["bans", "list"]).output


def test_where_no_service_answers_it_names_the_files_to_delete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_PORT", "9")
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    failed = CliRunner().invoke(main, ["bans", "lift", HERE])
    assert failed.exit_code == 1
    assert f"stop the service and delete {tmp_path}/ftp-bans.json and {tmp_path}/mail-bans.json" in failed.output
