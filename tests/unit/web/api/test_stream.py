"""Events over HTTP as they come: each a snapshot's JSON, as far as it is wanted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import requests

from tests.fakes.web import KITCHEN, NOW
from tests.unit.web.api.conftest import House


def events(answer: requests.Response) -> Iterator[tuple[dict[str, str], Any]]:
    """Each event's fields, and what its data are."""
    fields: dict[str, str] = {}
    for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
        name, _, value = line.partition(": ")
        if line and name:
            fields[name] = value
        elif "data" in fields:
            yield fields, json.loads(fields["data"])
            fields = {}


def test_events_come_as_they_happen_as_far_as_they_are_wanted(house: House) -> None:
    house.shown("first", taken_at=NOW)
    with house.client.get("/api/events?camera=front-door&last_event_id=first", stream=True) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        came = events(answer)
        house.context.live.handle(house.shown("kitchen", camera=KITCHEN))
        house.context.live.handle(house.shown("front"))
        fields, entry = next(came)
        assert house.context.broadcast.viewers == 1
    assert (fields["id"], fields["event"], entry["event_id"]) == ("front", "snapshot", "front")
    alone = ("related", "frame_pictures", "timeline")
    assert entry == {
        name: value for name, value in house.client.get("/api/snapshots/front").json().items() if name not in alone
    }


def test_a_stream_of_nothing_that_is_known_is_refused(house: House) -> None:
    assert house.client.get("/api/events?camera=cellar").status_code == 404
    assert house.client.get("/api/events?limit=3").status_code == 400


def test_the_head_of_the_stream_ends(house: House) -> None:
    assert house.client.ask("HEAD", "/api/events").status_code == 200
