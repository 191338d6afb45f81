"""Two services that share an index: the album of each is the album of both."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

import pytest
import requests

from tests.e2e.conftest import Launch
from tests.e2e.process import ServiceProcess, until
from tests.e2e.test_tables import trigger
from tests.fakes.index import an_index
from tests.postgres import PostgresServer
from tests.simulators.camera import CameraSimulator

EVENTS = 20


def shown(service: ServiceProcess, **query: Any) -> list[dict[str, Any]]:
    answer = service.http("GET", "/api/snapshots", params={"limit": 100, **query})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["snapshots"])


@pytest.mark.long
def test_the_album_of_each_is_that_of_both_and_a_database_that_is_away_costs_only_the_others(
    launch: Launch, cameras: CameraSimulator, postgres: PostgresServer, tmp_path: Any
) -> None:
    url = an_index(postgres)

    def replica(name: str) -> ServiceProcess:
        return launch(
            home=name,
            cameras=[{"location": name, "kind": "still", "url": cameras.url("stamped", name)}],
            environment={"DATABASE_URL": url, "DEVICE_NAME": name},
            archive={"dir": str(tmp_path / "nas")},
        ).start()

    yard, gate = replica("yard"), replica("gate")
    yard.wait_ready()
    gate.wait_ready()
    heard: list[str] = []
    listening = threading.Event()

    def listen() -> None:
        with gate.http("GET", "/api/events", stream=True) as stream, suppress(requests.RequestException):
            listening.set()
            heard.extend(line[4:].decode() for line in stream.iter_lines() if line.startswith(b"id: "))

    threading.Thread(target=listen, daemon=True).start()
    assert listening.wait(30)
    events = [trigger(yard, "yard") for _ in range(EVENTS)]
    until(lambda: set(heard) == set(events), what="what the other saw, on an open page")
    until(lambda: {one["event_id"] for one in shown(gate)} == set(events), what="the other's events")
    newest = events[-1]
    until(lambda: shown(gate)[0]["image_url"], what="its picture in the archive")
    picture = gate.http("GET", f"/api/snapshots/{newest}/image")
    assert picture.content == yard.http("GET", f"/api/snapshots/{newest}/image").content
    assert gate.http("GET", f"/api/snapshots/{newest}/thumbnail").status_code == 200
    page = gate.http("GET", f"/snapshots/{newest}")
    assert (page.status_code, "Only this machine" in page.text) == (200, False)

    answer = gate.http("PATCH", f"/api/snapshots/{newest}", json={"starred": True, "note": "seen at the gate"})
    assert answer.json()["starred"]
    assert [one["event_id"] for one in shown(gate, q="gate")] == [newest]
    assert gate.http("DELETE", f"/api/snapshots/{events[0]}").status_code == 204
    edits = f"SELECT count(*) FROM {url.rpartition('%3D')[2]}.index_edits"
    until(lambda: postgres.ask(edits) == [(0,)], what="the note and the deletion, at their owner")

    postgres.stop()
    try:
        own = trigger(gate, "gate")
        until(lambda: [one["event_id"] for one in shown(gate)] == [own], what="its own alone")
        assert "Only this machine" in gate.http("GET", "/").text
        assert gate.http("PATCH", f"/api/snapshots/{newest}", json={"starred": False}).status_code == 503
        (noted,) = shown(yard, q="gate")  # by its journal
        assert (noted["note"], noted["starred"]) == ("seen at the gate", True)
        until(lambda: len(shown(yard)) == EVENTS - 1, what="the deletion, in its journal")
    finally:
        postgres.start()
    until(lambda: len(shown(yard)) == len(shown(gate)) == EVENTS, what="all, in both")
    yard.kill()
    assert len(shown(gate)) == EVENTS
