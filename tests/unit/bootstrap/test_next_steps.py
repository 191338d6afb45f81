"""What a start tells people who do not know yet where things are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.bootstrap import next_steps
from app.config.settings import load
from pylib.observability.health import Health, Status

CAMERA = {"OUTPUT_1_TYPE": "Camera", "OUTPUT_1_LOCATION": "Front Door"}


def told(folder: Path, **environment: str) -> list[dict[str, Any]]:
    with capture_logs() as lines:
        next_steps.tell(load(None, {"DATA_DIR": str(folder), **CAMERA, **environment}))
    return [dict(line) for line in lines]


@pytest.mark.parametrize(
    ("environment", "address", "login"),
    [
        ({}, "http://127.0.0.1:8080/", "for whoever is on this machine"),
        ({"WEB_PASSWORD": "hush"}, "http://127.0.0.1:8080/", "with the password"),
        ({"WEB_HOST": "0.0.0.0"}, "http://127.0.0.1:8080/", "with the password that the service makes and shows once"),
        ({"WEB_PUBLIC_URL": "https://home.example"}, "https://home.example/", "with the password that the service"),
    ],
)
def test_where_the_album_is_and_who_may_open_it(
    tmp_path: Path, environment: dict[str, str], address: str, login: str
) -> None:
    (album,) = told(tmp_path, **environment)
    assert (album["event"], album["address"]) == ("the album", address)
    assert album["open"].startswith(login)
    assert "hush" not in str(album)


def test_which_folders_cameras_upload_to(tmp_path: Path) -> None:
    _, ftp = told(tmp_path, FTP_USER="cams", FTP_PASS="hush")
    assert (ftp["port"], ftp["logins"], ftp["folders"]) == (2121, "cams", "uploads/snapshots/frontdoor")
    assert "hush" not in str(ftp)
    assert told(tmp_path, WEB_ENABLED="false") == []


def test_what_does_not_work_is_named_and_what_only_is_shown_is_not() -> None:
    health = Health()
    health.add("disk", lambda: Status(ok=True))
    health.add("broker", lambda: Status(ok=False, detail="not connected"))
    health.add("jobs", lambda: Status(ok=False, detail="one failed"), critical=False)
    with capture_logs() as lines:
        next_steps.tell_failing(health)
    assert [(line["event"], line["part"], line["reason"]) for line in lines] == [
        ("does not work", "broker", "not connected")
    ]
