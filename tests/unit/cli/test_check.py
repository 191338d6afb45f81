"""What `check` says of the album: where it is, who may use it, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli.check import Finding, Verdict, check
from app.config.settings import load


def of_the_album(folder: Path, **environment: str) -> list[Finding]:
    settings = load(None, {"DATA_DIR": str(folder), "DETECTOR_KIND": "none", **environment})
    return [finding for finding in check(settings) if finding.subject == "album"]


@pytest.mark.parametrize(
    ("environment", "text"),
    [
        ({}, "http://127.0.0.1:8080/ for whoever is on this machine"),
        ({"WEB_PASSWORD": "hush"}, "http://127.0.0.1:8080/ for who has the password"),
        ({"WEB_HOST": "192.168.1.7"}, "http://192.168.1.7:8080/ for who has the password that the service makes"),
        ({"WEB_PUBLIC_URL": "https://home.example/album"}, "https://home.example/album/ for who has the password that"),
    ],
)
def test_it_says_where_the_album_is_and_for_whom(tmp_path: Path, environment: dict[str, str], text: str) -> None:
    first, *_ = of_the_album(tmp_path, **environment)
    assert first.verdict is Verdict.OK
    assert first.text.startswith(text)
    assert "hush" not in first.text


def test_a_proxy_that_is_not_trusted_is_pointed_out(tmp_path: Path) -> None:
    public = {"WEB_PUBLIC_URL": "https://home.example/album", "WEB_PASSWORD": "hush"}
    assert [finding.verdict for finding in of_the_album(tmp_path, **public)] == [Verdict.OK, Verdict.WARNING]
    trusted = of_the_album(tmp_path, **public, WEB_TRUSTED_PROXIES="127.0.0.1/32")
    assert [finding.verdict for finding in trusted] == [Verdict.OK]


def test_without_a_web_side_there_is_no_album(tmp_path: Path) -> None:
    assert of_the_album(tmp_path, WEB_ENABLED="false") == []
