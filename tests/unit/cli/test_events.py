"""`events`, `watch` and `trigger` without a broker: all of them ask the running service."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import stream
from app.cli.api_client import ApiClient, ServiceAway
from app.cli.main import main
from app.cli.terminal import size_text
from app.messages import Detection, Trigger
from app.web.application import application
from app.web.context import WebContext
from app.web.settings import WebSettings
from pylib.settings.credentials import Secret
from tests.e2e.process import until
from tests.fakes.web import FRONT, KITCHEN, NOW, Client, close, parts_for, serving, shown


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[WebContext]:
    parts = parts_for(tmp_path, settings=WebSettings(password=Secret("open sesame")))
    yield parts
    close(parts)


@pytest.fixture
def client(parts: WebContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    with serving(application(parts)) as client:
        monkeypatch.setenv("WEB_PORT", str(client.port))
        monkeypatch.setenv("DATA_DIR", str(tmp_path))
        monkeypatch.setenv("TIME_ZONE", "UTC")
        monkeypatch.chdir(tmp_path)
        yield client


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@contextmanager
def once_listening(parts: WebContext, act: Callable[[], object]) -> Iterator[None]:
    """Does something as soon as somebody listens to the stream."""

    def wait() -> None:
        deadline = time.monotonic() + 30
        while not parts.broadcast.viewers and time.monotonic() < deadline:
            time.sleep(0.01)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    yield
    thread.join(60)


def happened(parts: WebContext, folder: Path, event_id: str, **changes: object) -> None:
    parts.live.handle(shown(parts, folder, event_id, **changes))  # type: ignore[arg-type]


def test_the_latest_events_are_shown_the_newest_last(parts: WebContext, client: Client, tmp_path: Path) -> None:
    for number in range(3):
        shown(parts, tmp_path, f"e{number}", taken_at=NOW + timedelta(minutes=number))
    before = NOW - timedelta(minutes=1)
    nothing = {"detection": Detection(), "path": "", "size": 0, "problem": "timeout: too late"}
    shown(parts, tmp_path, "none", camera=KITCHEN, taken_at=before, **nothing)  # type: ignore[arg-type]
    head, kitchen, *others = run("events").stdout.splitlines()
    assert head.split() == ["taken", "camera", "what", "id"]
    assert kitchen.split() == ["2026-03-04", "05:05:07", "Küche", "timeout:", "too", "late", "none"]
    assert [line.split()[-1] for line in others] == ["e0", "e1", "e2"]
    assert "2026-03-04 05:08:07  Front  " in others[-1]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("--camera", "front-door", "--limit", "2"), ["e2", "e3"]),
        (("--since", "2026-03-04T05:08"), ["e2", "e3"]),
        (("--until", "2026-03-04T05:08"), ["e0", "e1"]),
        (("--no-person",), ["e3"]),
        (("--label", "person", "--camera", "Küche"), []),
        (("--problem",), []),
    ],
)
def test_filters_are_those_of_the_api(
    parts: WebContext, client: Client, tmp_path: Path, arguments: tuple[str, ...], found: list[str]
) -> None:
    for number in range(4):
        seen = {"detection": Detection()} if number == 3 else {}
        shown(parts, tmp_path, f"e{number}", taken_at=NOW + timedelta(minutes=number), **seen)  # type: ignore[arg-type]
    result = run("events", "--json", *arguments)
    assert (result.exit_code, [json.loads(line)["event_id"] for line in result.stdout.splitlines()]) == (0, found)


def test_more_than_a_page_is_asked_for_page_by_page(
    parts: WebContext, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.cli.events.PAGE", 2)
    for number in range(5):
        shown(parts, tmp_path, f"e{number}", taken_at=NOW + timedelta(minutes=number))
    listed = run("events", "--json", "--limit", "4").stdout.splitlines()
    assert [json.loads(line)["event_id"] for line in listed] == ["e1", "e2", "e3", "e4"]


def test_watch_needs_no_broker_and_saves_the_pictures(parts: WebContext, client: Client, tmp_path: Path) -> None:
    with once_listening(parts, lambda: happened(parts, tmp_path, "new")):
        result = run("watch", "--count", "1", "--save", "kept", "--timeout", "30")
    assert (result.exit_code, result.stderr) == (0, "listening, Ctrl-C ends it\n")
    (kept,) = (tmp_path / "kept").iterdir()
    assert f"Front  1 person, 1 thing  {size_text(kept.stat().st_size)}  kept/{kept.name}" in result.stdout
    until(lambda: not parts.broadcast.viewers, what="the first one is gone")
    with once_listening(parts, lambda: happened(parts, tmp_path, "newer")):
        line = json.loads(run("watch", "--count", "1", "--json", "--timeout", "60").stdout)
    assert (line["inputs"][0]["event_id"], line["inputs"][0]["image_bytes"]) == ("newer", kept.stat().st_size)


def test_watch_ends_with_an_error_when_nothing_comes(client: Client) -> None:
    result = run("watch", "--timeout", "0.2")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (1, "Error: no event within 0.2 s")


def test_a_stream_that_is_lost_is_taken_up_where_it_was(parts: WebContext, tmp_path: Path) -> None:
    told: list[str] = []
    settings = WebSettings()
    with serving(application(parts)) as first:
        settings = WebSettings(port=first.port)
        events = stream.events(ApiClient(settings, tmp_path), {}, quiet_after=30, told=told.append, again_s=0.01)
        with once_listening(parts, lambda: happened(parts, tmp_path, "e1")):
            assert next(events)["event_id"] == "e1"
        shown(parts, tmp_path, "missed", taken_at=NOW + timedelta(minutes=1))
        with once_listening(parts, lambda: None):
            parts.broadcast._room._end_all() if parts.broadcast._room else None
            assert next(events)["event_id"] == "missed"
    assert told[0] == "listening, Ctrl-C ends it"
    assert told[-1] == "listening again"
    assert any(text.endswith("ended the stream; waiting for it") for text in told)


def test_following_misses_nothing_between_the_latest_and_the_next(
    parts: WebContext, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown(parts, tmp_path, "e1")
    begin = stream.events

    def between(*arguments: object, **options: object) -> Iterator[dict[str, object]]:
        shown(parts, tmp_path, "e2", taken_at=NOW + timedelta(minutes=1))
        yield next(begin(*arguments, **options))  # type: ignore[arg-type]

    monkeypatch.setattr(stream, "events", between)
    lines = run("events", "--follow", "--json").stdout.splitlines()
    assert [json.loads(line)["event_id"] for line in lines] == ["e1", "e2"]


def test_a_service_that_never_was_there_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(ServiceAway):
        next(stream.events(ApiClient(WebSettings(port=9), tmp_path), {}, told=lambda _: None))


@pytest.mark.parametrize(("problem", "status"), [("", 0), ("timeout: no answer in 10 s", 1)])
def test_trigger_says_what_came_of_it_and_fails_without_a_picture(
    parts: WebContext, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: str, status: int
) -> None:
    def answer(trigger: Trigger) -> None:
        nothing = {"path": "", "size": 0, "problem": problem, "detection": Detection()} if problem else {}
        parts.live.handle(shown(parts, tmp_path, trigger.id, **nothing))  # type: ignore[arg-type]

    monkeypatch.setattr(parts.intake, "submit", answer)
    result = run("trigger", "front-door")
    assert (result.exit_code, len(result.stdout.splitlines()), result.stderr) == (status, 1, "")
    assert (problem or "1 person, 1 thing") in result.stdout
    assert json.loads(run("trigger", "front-door", "--json").stdout)["device_key"] == FRONT


def test_trigger_that_nobody_waits_for_names_the_event(
    parts: WebContext, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts.intake, "submit", lambda _trigger: None)
    result = run("trigger", "front-door", "--wait", "0")
    assert (result.exit_code, result.stdout.startswith("sent: event ")) == (0, True)
    late = run("trigger", "front-door", "--wait", "0.1")
    assert (late.exit_code, late.stderr.startswith("nothing came of it within 0.1 s (event ")) == (1, True)
