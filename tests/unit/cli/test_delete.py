"""The command that deletes: it says how many first, and deletes no more than it said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.cli.api_client import ApiClient
from app.cli.main import main

PREVIEW = {
    "count": 1204,
    "size": 312_000_000,
    "starred": 2,
    "archives": [
        {"name": "s3", "copies": 1200, "can_delete": True},
        {"name": "tape", "copies": 7, "can_delete": False},
        {"name": "nas", "copies": 0, "can_delete": True},
    ],
}


class Service:
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.posted: list[Mapping[str, Any]] = []
        self.preview: Mapping[str, Any] = PREVIEW


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Service:
    service = Service()

    def get(_self: ApiClient, path: str, **_options: Any) -> Mapping[str, Any]:
        service.asked.append(path)
        return service.preview

    def post(_self: ApiClient, path: str, *, body: Mapping[str, Any], **_options: Any) -> Mapping[str, Any]:
        assert path == "/api/deletions"
        service.posted.append(body)
        return {"count": body["count"], "undo": None, "until": None}

    monkeypatch.setattr(ApiClient, "get_well", get)
    monkeypatch.setattr(ApiClient, "post", post)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    return service


def run(*arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(main, ["delete", *arguments], input=answer)


def test_it_says_how_many_and_deletes_when_that_is_meant(service: Service) -> None:
    result = run("--camera", "front-door", "--until", "2026-01-01", "--archives", answer="y\n")
    assert result.exit_code == 0, result.output
    assert service.asked == ["/api/deletions/preview?camera=front-door&until=2026-01-01T00%3A00%3A00"]
    for line in (
        "1,204 pictures, 312.0 MB, 2 of them with a star",
        "1,200 copies in s3 are deleted too",
        "7 copies in tape stay: it cannot delete them",
    ):
        assert line in result.output
    scope = {"camera": "front-door", "until": "2026-01-01T00:00:00"}
    assert service.posted == [{**scope, "count": 1204, "archives": ["s3"]}]


def test_it_deletes_nothing_when_it_is_not_meant_or_there_is_nothing(service: Service) -> None:
    assert run("--camera", "front-door", answer="n\n").exit_code == 1
    service.preview = {**PREVIEW, "count": 0}
    assert run("--camera", "front-door", "--yes").exit_code == 0
    assert service.posted == []


def test_without_archives_the_copies_stay(service: Service) -> None:
    result = run("--since", "2026-01-01", "--yes", "--json")
    assert json.loads(result.output) == {"count": 1204, "size": 312_000_000, "archives": []}
    assert service.posted[0]["archives"] == []
    said = run("--since", "2026-01-01", "--yes").output.splitlines()
    assert {"1,200 copies in s3 stay", "7 copies in tape stay"} < {*said}, "for whatever reason it might be"


@pytest.mark.parametrize("arguments", [(), ("--yes",), ("--camera", "x", "--json")])
def test_what_is_not_said_is_asked_for(service: Service, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2
    assert service.posted == []
