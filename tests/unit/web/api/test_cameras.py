"""Triggers over HTTP: accepted means recorded, and what is wrong is said in one sentence."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from app.web.application import application
from tests.fakes.web import FRONT, KITCHEN, close, parts_for, serving
from tests.unit.web.api.conftest import House


def test_a_trigger_is_recorded_before_it_is_accepted(house: House) -> None:
    answer = house.client.post("/api/cameras/front-door/trigger", json={"active_input": {"a": 1}})
    assert answer.status_code == 202
    (accepted,) = house.context.journal.accepted(older_than=0)
    assert (accepted.id, accepted.camera, accepted.label) == (answer.json()["event_id"], FRONT, "Front")
    assert accepted.active_input == {"a": 1}
    assert [trigger.id for trigger in house.context.intake.poll(1)] == [accepted.id]


def test_a_sensors_time_and_trace_are_passed_on(house: House) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    house.client.post(
        "/api/cameras/front-door/trigger", json={"timestamp": 1772600767, "other": 1}, headers={"traceparent": trace}
    )
    (accepted,) = house.context.journal.accepted(older_than=0)
    assert (accepted.timestamp.timestamp(), accepted.traceparent) == (1772600767, trace)


def test_a_caller_who_waits_gets_the_event(house: House) -> None:
    def pipeline() -> None:
        (trigger,) = house.context.intake.poll(5)
        house.context.live.handle(house.shown("other"))
        house.context.live.handle(house.shown(trigger.id))

    threading.Thread(target=pipeline).start()
    answer = house.client.post("/api/cameras/Front%20Door%20Camera/trigger?wait=5")
    assert answer.status_code == 200
    assert answer.json()["person_count"] == 1
    assert "image" not in answer.json()


def test_a_caller_who_waits_in_vain_is_told_where_to_look(house: House) -> None:
    answer = house.client.post("/api/cameras/front-door/trigger?wait=0.05")
    assert answer.status_code == 202
    assert answer.json()["url"] == f"/api/snapshots/{answer.json()['event_id']}"


def test_where_another_replica_takes_the_picture_nobody_waits_and_that_is_said(tmp_path: Path) -> None:
    context = parts_for(tmp_path, owns=lambda camera: camera != FRONT)
    with serving(application(context)) as client:
        answer = client.post("/api/cameras/front-door/trigger?wait=120")
    assert (answer.status_code, answer.json()["note"].split(" takes")[0]) == (202, "another replica")
    assert [trigger.id for trigger in context.intake.poll(1)] == [answer.json()["event_id"]]
    close(context)


@pytest.mark.parametrize("name", ["front-door-camera", "Front Door", "FRONT DOOR CAMERA", "k%C3%BCche"])
def test_a_camera_answers_to_its_names(house: House, name: str) -> None:
    assert house.client.post(f"/api/cameras/{name}/trigger").status_code == 202


@pytest.mark.parametrize(
    ("path", "body", "status", "sentence"),
    [
        (
            "/api/cameras/cellar/trigger",
            b"",
            404,
            "no camera 'cellar'; there are: Front Door Camera, Küche Camera",
        ),
        ("/api/cameras/front-door/trigger?wait=never", b"", 400, "wait is a number of seconds"),
        ("/api/cameras/front-door/trigger?wait=1e9", b"", 400, "wait is a number of seconds"),
        ("/api/cameras/front-door/trigger?wait=1&wait=2", b"", 400, "wait is given more than once"),
        ("/api/cameras/front-door/trigger?delay=1", b"", 400, "delay is unknown; there are: wait"),
        ("/api/cameras/front-door/trigger", b"{", 400, "must be JSON"),
        ("/api/cameras/front-door/trigger", b"[1]", 400, "must be a JSON object"),
        ("/api/cameras/front-door/trigger", b'{"active_input": 3}', 400, "active_input"),
        ("/api/cameras/front-door/trigger", b'{"active_input": {"n": 99999999999999999999}}', 400, "active_input"),
        ("/api/cameras/front-door/trigger", b'{"timestamp": "yesterday"}', 400, "timestamp"),
        ("/api/cameras/front-door/trigger", b" " * 70_000, 400, "at most 65536 bytes"),
        ("/api/cameras/front-door/trigger", b"[" * 50_000, 400, "must be JSON"),
    ],
)
def test_what_is_wrong_with_a_trigger_is_said_in_one_sentence(
    house: House, path: str, body: bytes, status: int, sentence: str
) -> None:
    answer = house.client.post(path, data=body)
    assert answer.status_code == status
    assert sentence in answer.json()["error"]
    assert house.context.journal.accepted(older_than=0) == []


def test_the_cameras_are_listed_with_their_last_picture(house: House) -> None:
    house.shown("s1")
    front, kitchen = house.client.get("/api/cameras").json()["cameras"]
    assert (front["device_key"], front["label"], front["name"], front["circuit"], front["retry_in_s"]) == (
        FRONT,
        "Front",
        "front-door-camera",
        "closed",
        0,
    )
    assert front["last_snapshot"]["event_id"] == "s1"
    assert (kitchen["device_key"], kitchen["last_snapshot"]) == (KITCHEN, None)
