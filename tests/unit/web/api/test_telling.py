"""Mode and snoozes over HTTP, and what was decided of an event."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime

from app.messages import Box, Detection, Label, OutletDecision
from tests.fakes.web import FRONT
from tests.unit.web.api.conftest import House


def test_the_mode_is_switched_and_stays(house: House) -> None:
    assert house.client.get("/api/mode").json() == {"mode": "home"}
    assert house.client.ask("PUT", "/api/mode", json={"mode": "away"}).json() == {"mode": "away"}
    assert house.client.get("/api/mode").json() == {"mode": "away"}
    assert house.client.ask("PUT", "/api/mode", json={"mode": "asleep"}).status_code == 400
    assert house.context.telling.mode == "away"


def test_a_camera_or_all_are_snoozed_for_a_while_or_until_it_is_ended(house: House) -> None:
    one = house.client.ask("PUT", "/api/snoozes/front-door", json={"seconds": 3600}).json()
    assert one["camera"] == FRONT
    assert 3500 < datetime.fromisoformat(one["until"]).timestamp() - time.time() <= 3600
    assert house.client.ask("PUT", "/api/snoozes/all").json() == {"camera": None, "until": None}
    assert house.client.get("/api/snoozes").json() == {"snoozes": [{"camera": None, "until": None}, one]}
    assert house.client.ask("DELETE", "/api/snoozes/all").status_code == 204
    assert house.client.get("/api/snoozes").json() == {"snoozes": [one]}
    assert house.context.telling.snoozed(FRONT)


def test_a_snooze_names_a_camera_and_a_time(house: House) -> None:
    assert house.client.ask("PUT", "/api/snoozes/attic").status_code == 404
    for seconds in (0, -1, "60", 1e12):
        answer = house.client.ask("PUT", "/api/snoozes/front-door", json={"seconds": seconds})
        assert (answer.status_code, "seconds" in answer.text) == (400, True)
    assert house.client.get("/api/snoozes").json() == {"snoozes": []}


def test_an_event_says_for_each_outlet_whether_it_was_told_and_what_stood_still(house: House) -> None:
    boxes = (Box(0.1, 0.1, 0.2, 0.2, still=True), Box(0.5, 0.5, 0.2, 0.2))
    decided = replace(
        house.shown(detection=Detection((Label("Car", 0.9, boxes),))),
        decisions=(
            OutletDecision("rabbitmq", tell=True, reason="gets every event"),
            OutletDecision("phone", tell=False, reason="door: Car stands still"),
            OutletDecision("mail", tell=True, reason="all: Car 90 %", rule="all", digest_at=1_000_000_000),
        ),
    )
    other = replace(decided, snapshot=replace(decided.snapshot, id="s2"))
    house.context.journal.record(other.snapshot)
    house.context.journal.inspect(other)
    told = house.client.get("/api/snapshots/s2").json()
    assert told["decisions"] == [
        {"outlet": "phone", "told": False, "reason": "door: Car stands still", "rule": "", "digest_at": None},
        {
            "outlet": "mail",
            "told": True,
            "reason": "all: Car 90 %",
            "rule": "all",
            "digest_at": "2001-09-09T01:46:40+00:00",
        },
    ]
    assert told["labels"][0]["still"] == [True, False]
