"""Looking again over HTTP, and what looking costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.detectors import DetectorUnavailable
from app.detectors.in_service import InService
from app.jobs.redetect import Redetect, Redetection
from app.journal import Spent
from app.journal.entries import Correction
from app.messages import Detection, Label
from app.pipeline.look_again import LookAgain
from app.web.application import application
from tests.fakes.detectors import FakeDetector
from tests.fakes.web import FRONT, KITCHEN, close, parts_for, serving
from tests.unit.web.album.pages import look, post
from tests.unit.web.api.conftest import House

CAT = Detection((Label("Cat", 0.9),))


@pytest.fixture
def detector() -> FakeDetector:
    return FakeDetector(CAT, name="hog")


@pytest.fixture
def house(tmp_path: Path, detector: FakeDetector) -> Iterator[House]:
    context = parts_for(tmp_path)
    look_again = LookAgain({"hog": InService(detector)}, "hog", journal=context.journal)
    spent = [Spent(FRONT, "rekognition", 400, 0.4), Spent("Former Camera", "rekognition", 50, 0.05)]
    context = replace(context, look_again=look_again, spent=lambda: spent, monthly_calls={"rekognition": 450})
    with serving(application(context)) as client:
        yield House(client, context, tmp_path)
    close(context)


def test_a_picture_is_looked_at_again(house: House) -> None:
    house.shown("s1")
    house.context.journal.change("s1", correction=Correction(("Dog",)))
    seen = house.client.post("/api/snapshots/s1/detection").json()
    assert [label["name"] for label in seen["labels"]] == ["Cat"]
    assert (seen["detector"], seen["decision"], seen["corrected_labels"]) == ("hog", "clear", ["Dog"])


@pytest.mark.parametrize(
    ("event_id", "status", "code"), [("unknown", 404, "unknown_snapshot"), ("failed", 409, "no_picture")]
)
def test_without_a_picture_there_is_nothing_to_look_at(house: House, event_id: str, status: int, code: str) -> None:
    house.shown("failed", path="", size=0, problem="timeout: no answer")
    answer = house.client.post(f"/api/snapshots/{event_id}/detection")
    assert (answer.status_code, answer.json()["error"].partition(":")[0]) == (status, code)


def test_a_detector_that_is_away_leaves_what_was_seen(house: House, detector: FakeDetector) -> None:
    house.shown("s1")
    before = house.client.get("/api/snapshots/s1").json()
    detector.answers = [DetectorUnavailable("unreachable", "no connection")]
    answer = house.client.post("/api/snapshots/s1/detection")
    assert (answer.status_code, answer.json()) == (502, {"error": "unreachable: no connection"})
    assert house.client.get("/api/snapshots/s1").json() == before


def test_the_album_s_button_looks_again(house: House) -> None:
    house.shown("s1")
    assert "Look again" in house.client.get("/snapshots/s1").text
    assert post(house.client, "/snapshots/s1/look-again") == "/snapshots/s1"
    assert "Seen by HOG" in house.client.get("/snapshots/s1").text
    assert look(house.client, "/?label=Cat").cards == ["s1"]


def test_without_a_detector_there_is_no_button(house: House) -> None:
    house.shown("s1")
    context = replace(house.context, look_again=LookAgain({}, "none", journal=house.context.journal))
    with serving(application(context)) as client:
        assert "Look again" not in client.get("/snapshots/s1").text
        assert client.post("/api/snapshots/s1/detection").status_code == 409


def test_the_pictures_of_a_time_become_one_job(house: House) -> None:
    house.shown("s1")
    body = {"since": "2026-03-04", "until": "2026-03-05", "camera": "front-door", "detector": "hog"}
    for _ in range(2):
        answer = house.client.post("/api/redetections", json=body)
        assert (answer.status_code, answer.json()["pictures"]) == (202, 1)
    (job,) = house.context.journal.jobs()
    assert (job.kind, job.key) == (Redetect.kind, answer.json()["key"])
    wanted = Redetection.of(job)
    assert (wanted.camera, wanted.detector, wanted.since.isoformat()) == (FRONT, "hog", "2026-03-04T00:00:00+00:00")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"since": "2026-03-04", "camera": "nowhere"}, 404),
        ({"since": "2026-03-04", "detector": "rekognition"}, 422),
        ({"since": "soon"}, 400),
        ({}, 400),
    ],
)
def test_what_makes_no_sense_becomes_no_job(house: House, body: dict[str, str], status: int) -> None:
    assert house.client.post("/api/redetections", json=body).status_code == status
    assert house.context.journal.jobs() == []


def test_what_looking_costs_is_said_by_camera_and_detector(house: House) -> None:
    assert house.client.get("/api/costs").json() == {
        "cost_usd": 0.45,
        "calls": 450,
        "cameras": [
            {"device_key": FRONT, "calls": 400, "cost_usd": 0.4},
            {"device_key": "Former Camera", "calls": 50, "cost_usd": 0.05},
        ],
        "detectors": [{"detector": "rekognition", "calls": 450, "cost_usd": 0.45, "monthly_calls": 450}],
    }


def test_the_status_page_says_what_looking_costs(house: House) -> None:
    page = house.client.get("/status").text
    assert "Amazon Rekognition" in page
    assert "0.45 USD, 450 calls of 450" in page
    assert "0.4 USD, 400 calls" in page
    assert KITCHEN not in page.partition('id="costs"')[2].partition("</ul>")[0]
