"""The web side as a whole: what every request goes through, whatever it asks for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from app.web.api.openapi import document
from app.web.api.operation import BodySpec, Operation, json_of
from app.web.application import application
from app.web.context import WebContext
from app.web.settings import WebSettings
from pylib.settings.credentials import Secret
from pylib.sqlite import DatabaseUnavailable
from tests.fakes.web import Client, CountedTraffic, close, parts_for, serving, shown


@pytest.fixture
def context(tmp_path: Path) -> Iterator[WebContext]:
    context = parts_for(tmp_path, traffic=CountedTraffic())
    yield context
    close(context)


@pytest.fixture
def client(context: WebContext) -> Iterator[Client]:
    with serving(application(context)) as client:
        yield client


def counted(context: WebContext) -> list[tuple[str, str, int]]:
    assert isinstance(context.traffic, CountedTraffic)
    return context.traffic.seen


def test_requests_are_counted_by_route_and_never_by_path(context: WebContext, client: Client, tmp_path: Path) -> None:
    shown(context, tmp_path, "s1")
    client.get("/api/snapshots/s1?x=1")
    client.get("/api/snapshots/s1")
    client.ask("PROPFIND", "/api/cameras/a/b/trigger")
    client.get("/wp-login.php")
    assert counted(context) == [
        ("/api/snapshots/{id}", "GET", 400),
        ("/api/snapshots/{id}", "GET", 200),
        ("/api/cameras/{name}/trigger", "other", 405),
        ("", "GET", 404),
    ]


def test_who_is_turned_away_is_counted_too(tmp_path: Path) -> None:
    context = parts_for(tmp_path, traffic=CountedTraffic(), settings=WebSettings(password=Secret("right")))
    with serving(application(context)) as client:
        client.get("/api/snapshots/s1")
    assert counted(context) == [("/api/snapshots/{id}", "GET", 401)]
    close(context)


@pytest.mark.parametrize("path", ["/nothing", "/api/nothing", "/snapshots/never"])
def test_programs_get_errors_in_json_and_people_a_page(client: Client, path: str) -> None:
    program = client.get(path)
    assert (program.status_code, list(program.json())) == (404, ["error"])
    person = client.get(path, headers={"Accept": "text/html,*/*"})
    assert person.status_code == 404
    kind = "application/json" if path.startswith("/api/") else "text/html; charset=utf-8"
    assert person.headers["content-type"] == kind


def test_below_a_proxy_s_path_everything_is_the_same(tmp_path: Path) -> None:
    settings = WebSettings(public_url="http://127.0.0.1/cameras")
    context = parts_for(tmp_path, traffic=CountedTraffic(), settings=settings)
    shown(context, tmp_path, "s1")
    with serving(application(context)) as client:
        for path in ("/cameras/api/snapshots/s1", "/api/snapshots/s1"):  # the proxy took it off, or did not
            assert client.get(path).json()["image_url"] == "/cameras/api/snapshots/s1/image"
        answer = client.get("/cameras/api/nothing", headers={"Accept": "text/html"})
        assert answer.headers["content-type"] == "application/json"
        servers = client.get("/cameras/openapi.json").json()["servers"]
    assert servers == [{"url": "http://127.0.0.1/cameras"}]
    assert counted(context)[:2] == [("/api/snapshots/{id}", "GET", 200)] * 2
    close(context)


def test_two_models_that_would_be_called_the_same_outside_are_refused() -> None:
    class RuleBody(BaseModel):
        name: str

    class RuleModel(BaseModel):
        title: str

    async def add(_: Request) -> Response:
        return Response()

    body, answers = BodySpec({"application/json": RuleBody}), {200: json_of("A rule.", RuleModel)}
    operation = Operation("POST", "/api/rules", add, summary="Add a rule.", body=body, answers=answers)
    with pytest.raises(ValueError, match="RuleBody, RuleModel"):
        document([operation], version="1", server="/")


def test_the_unexpected_is_one_sentence_with_our_headers(
    context: WebContext, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context.health, "report", lambda: 1 / 0)
    answer = client.get("/health/ready")
    assert answer.status_code == 500
    assert answer.json() == {"error": "unexpected: something went wrong; the log says what"}
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert counted(context) == [("/health/ready", "GET", 500)]


def test_a_journal_that_is_away_is_for_later(
    context: WebContext, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("database_unavailable", "the disk is full")

    monkeypatch.setattr(context.journal, "page", away)
    answer = client.get("/api/snapshots")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json() == {"error": "database_unavailable: the disk is full"}
