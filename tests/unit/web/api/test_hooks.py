"""Hooks over HTTP: who may call them, what each answer says, and that a body too large costs nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.messages import Trigger
from app.sources.hooks import Hook, HookSettings
from app.web.access.tokens import FILE, Tokens
from app.web.application import application
from app.web.settings import WebSettings
from pylib.settings.credentials import Secret
from tests.fakes.web import FRONT, KITCHEN, close, parts_for, serving
from tests.unit.web.api.conftest import House

CAMERAS = {FRONT: "Front", KITCHEN: "Küche"}
HOOKS = {
    made.name: Hook(made, cameras=CAMERAS)
    for made in (
        HookSettings(name="door", camera="front-door", when={"contact": False}),
        HookSettings(name="any", camera_from="camera"),
    )
}


def serve(folder: Path, **changes: Any) -> Iterator[House]:
    context = parts_for(folder, hooks=HOOKS, **changes)
    with serving(application(context)) as client:
        yield House(client, context, folder)
    close(context)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    yield from serve(tmp_path)


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[House]:
    """With a password."""
    yield from serve(tmp_path, settings=WebSettings(password=Secret("right")))


def test_a_call_that_meets_the_condition_is_a_trigger_on_the_disk(house: House) -> None:
    answer = house.client.post("/api/hooks/door", json={"contact": False, "battery": 97})
    assert answer.status_code == 202
    (accepted,) = house.context.journal.accepted(older_than=0)
    assert (accepted.id, accepted.camera) == (answer.json()["event_id"], FRONT)
    assert accepted.active_input == {"contact": False, "battery": 97}
    assert [trigger.id for trigger in house.context.intake.poll(1)] == [accepted.id]


def test_what_is_no_trigger_is_said_in_one_sentence(house: House) -> None:
    for path, body, status, said in (
        ("door", b'{"contact": true}', 200, "contact is true, not false"),
        ("window", b"{}", 404, "no hook 'window'"),
        ("door?wait=1", b"{}", 400, "wait is unknown"),
        ("door", b"", 400, "not_json"),
        ("door", b"\xff\xfe", 400, "not_json"),
        ("door", b"[" * 10_000, 400, "not_json"),
        ("door", b"[" + b"[]," * 20_001 + b"1]", 413, "at most 20000 values"),
        ("any", b"{}", 422, "missing_field: camera is missing"),
        ("any", b'{"camera": "cellar"}', 422, "unknown_camera: no camera 'cellar'"),
        ("any", b"[" * 40 + b"]" * 40, 422, "more than 32 levels"),
    ):
        answer = house.client.post(f"/api/hooks/{path}", data=body)
        assert (answer.status_code, said in next(iter(answer.json().values()))) == (status, True), (path, body[:40])
    assert house.context.journal.accepted(older_than=0) == []


def test_20_mb_are_refused_before_they_are_read(house: House) -> None:
    head = b"POST /api/hooks/door HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", house.client.port), 10) as connection:
        connection.sendall(head)  # and nothing behind it
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_does_not_say_its_length_is_read_as_far_as_it_may_be(house: House) -> None:
    answer = house.client.post("/api/hooks/door", data=(bytes(100_000) for _ in range(20)))
    assert answer.status_code == 413
    assert answer.json() == {"error": "too_large: this may have at most 1 MB"}


def test_a_token_for_triggers_calls_hooks_of_its_cameras_and_nothing_else(locked: House, tmp_path: Path) -> None:
    token = Tokens(tmp_path / "web" / FILE).add("x", only_triggers=True, cameras=[KITCHEN])
    login = {"Authorization": f"Bearer {token}"}
    calls = {
        ("/api/hooks/any", '{"camera": "küche"}'): 202,
        ("/api/hooks/any", '{"camera": "front-door"}'): 403,
        ("/api/hooks/door", '{"contact": false}'): 403,
        ("/api/hooks/door", '{"contact": true}'): 200,
        ("/api/cameras/küche/trigger", ""): 202,
        ("/api/cameras/front-door/trigger", ""): 403,
        ("/api/snapshots", ""): 403,
    }
    for (path, body), status in calls.items():
        assert locked.client.post(path, data=body.encode(), headers=login).status_code == status, (path, body)
    assert locked.client.post("/api/hooks/door", data="{}").status_code == 401
    assert {trigger.camera for trigger in locked.context.journal.accepted(older_than=0)} == {KITCHEN}


def test_a_token_for_triggers_that_waits_sees_no_event(
    locked: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = Tokens(tmp_path / "web" / FILE).add("x", only_triggers=True)
    submit = locked.context.intake.submit

    def at_once(trigger: Trigger) -> None:
        submit(trigger)
        locked.context.live.handle(locked.shown(trigger.id))

    monkeypatch.setattr(locked.context.intake, "submit", at_once)
    statuses = {}
    for password in (token, "right"):
        answer = locked.client.post("/api/cameras/front-door/trigger?wait=5", auth=("anyone", password))
        statuses[answer.status_code] = set(answer.json())
    assert statuses.pop(202) == {"event_id", "url"}
    assert "person_count" in statuses[200]


def test_whoever_may_do_everything_may_call_every_hook(locked: House, tmp_path: Path) -> None:
    for password in ("right", Tokens(tmp_path / "web" / FILE).add("phone")):
        answer = locked.client.post("/api/hooks/door", json={"contact": False}, auth=("anyone", password))
        assert answer.status_code == 202
