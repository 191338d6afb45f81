"""The HTTP API, asked over HTTP: accepted means recorded, and what is wrong is said in one sentence."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from app.journal import Journal
from app.messages import Inspection, Snapshot
from app.triggers.intake import Intake
from app.web.access import Access
from app.web.api import Api
from app.web.live import Live
from app.web.server import AddressInUse, WebServer
from pylib.credentials import Secret
from pylib.health import Health, Status
from tests.fakes.cameras import jpeg
from tests.fakes.detectors import PERSON

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


class Site:
    """A running API over a real journal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = Journal(folder / "journal.db")
        self.journal.open()
        self.journal.database.start()
        self.intake, self.live, self.health = Intake(self.journal), Live(), Health()
        self.api = Api(
            cameras={"Front Door Camera": "Front", "Küche Camera": "Küche"},
            intake=self.intake,
            journal=self.journal,
            live=self.live,
            health=self.health,
            metrics=lambda: b"up 1\n",
            access=Access("127.0.0.1", Secret("")),
        )
        self.server = WebServer(self.api.application(), host="127.0.0.1", port=0)
        self.port = self.server.open()
        self.server.start()

    def close(self) -> None:
        for thread in (self.server, self.journal.database):
            thread.stop()
            assert thread.join(10)

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        return requests.request(method, f"http://127.0.0.1:{self.port}{path}", timeout=10, **options)

    def snapshot(self, event_id: str = "s1", **changes: Any) -> Inspection:
        path = self.folder / f"{event_id}.jpg"
        path.write_bytes(jpeg(320, 240))
        taken = Snapshot(event_id, "Front Door Camera", "Front", NOW, NOW, 0.1, "http", str(path))
        inspection = Inspection(replace(taken, **changes), "fake", PERSON, "person", changes.get("problem", ""))
        self.journal.record(inspection.snapshot)
        self.journal.inspect(inspection, [])
        return inspection


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.close()


def test_a_trigger_is_recorded_before_it_is_accepted(site: Site) -> None:
    answer = site.ask("POST", "/api/cameras/front-door/trigger", json={"active_input": {"a": 1}})
    assert answer.status_code == 202
    (accepted,) = site.journal.accepted(older_than=0)
    assert (accepted.id, accepted.camera, accepted.label) == (
        answer.json()["event_id"],
        "Front Door Camera",
        "Front",
    )
    assert accepted.active_input == {"a": 1}
    assert [trigger.id for trigger in site.intake.poll(1)] == [accepted.id]


def test_a_caller_who_waits_gets_the_event(site: Site) -> None:
    def pipeline() -> None:
        (trigger,) = site.intake.poll(5)
        site.live.handle(site.snapshot("other"))
        site.live.handle(site.snapshot(trigger.id))

    threading.Thread(target=pipeline).start()
    answer = site.ask("POST", "/api/cameras/Front%20Door%20Camera/trigger?wait=5")
    assert answer.status_code == 200
    assert answer.json()["person_count"] == 1
    assert "image" not in answer.json()


def test_a_caller_who_waits_in_vain_is_told_where_to_look(site: Site) -> None:
    answer = site.ask("POST", "/api/cameras/front-door/trigger?wait=0.05")
    assert answer.status_code == 202
    assert answer.json()["url"] == f"/api/snapshots/{answer.json()['event_id']}"


@pytest.mark.parametrize("name", ["front-door-camera", "Front Door", "FRONT DOOR CAMERA", "k%C3%BCche"])
def test_a_camera_answers_to_its_names(site: Site, name: str) -> None:
    assert site.ask("POST", f"/api/cameras/{name}/trigger").status_code == 202


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
    site: Site, path: str, body: bytes, status: int, sentence: str
) -> None:
    answer = site.ask("POST", path, data=body)
    assert answer.status_code == status
    assert sentence in answer.json()["error"]
    assert site.journal.accepted(older_than=0) == []


def test_an_event_and_its_pictures_can_be_fetched(site: Site) -> None:
    site.snapshot("s1")
    described = site.ask("GET", "/api/snapshots/s1").json()
    assert (described["event_id"], described["event_detail"]) == ("s1", "1 person(s) and 1 things")
    assert site.ask("GET", "/api/snapshots/s1/image").content == jpeg(320, 240)
    for form in ("thumbnail", "annotated"):
        answer = site.ask("GET", f"/api/snapshots/s1/{form}")
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.content.startswith(b"\xff\xd8")
    assert [entry["event_id"] for entry in site.ask("GET", "/api/snapshots").json()["snapshots"]] == ["s1"]


def test_pictures_of_one_moment_name_each_other(site: Site) -> None:
    for event_id in ("best", "other", "third"):
        path = site.folder / f"{event_id}.jpg"
        path.write_bytes(jpeg(320, 240))
        taken = Snapshot(event_id, "Front Door Camera", "Front", NOW, NOW, 0.0, "ftp", str(path))
        site.journal.record(taken)
        site.journal.hold(Inspection(taken, "fake", PERSON))
    site.journal.settle("best", ["other", "third"], [])
    assert sorted(site.ask("GET", "/api/snapshots/best").json()["related"]) == ["other", "third"]
    assert site.ask("GET", "/api/snapshots/third").json()["related"] == ["best"]
    site.snapshot("alone")
    assert site.ask("GET", "/api/snapshots/alone").json()["related"] == []


def test_a_picture_that_is_not_there_is_a_404_that_says_why(site: Site) -> None:
    site.snapshot("failed", path="", problem="timeout: no answer")
    gone = site.snapshot("gone")
    Path(gone.snapshot.path).unlink()
    assert "timeout: no answer" in site.ask("GET", "/api/snapshots/failed/image").json()["error"]
    assert "no longer in the cache" in site.ask("GET", "/api/snapshots/gone/image").json()["error"]
    assert site.ask("GET", "/api/snapshots/never").status_code == 404


def test_health_says_which_part_is_unwell(site: Site) -> None:
    assert site.ask("GET", "/health/live").status_code == 200
    site.health.add("broker", lambda: Status(ok=False, detail="not connected"))
    assert site.ask("GET", "/health/live").status_code == 200
    answer = site.ask("GET", "/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"][0]["detail"] == "not connected"
    assert site.ask("GET", "/metrics").content == b"up 1\n"


def test_a_port_that_is_taken_is_one_clear_sentence(site: Site) -> None:
    with pytest.raises(AddressInUse, match="set WEB_HOST or WEB_PORT"):
        WebServer(site.api.application(), host="127.0.0.1", port=site.port).open()
