"""What templates get of an entry."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.journal.entries import Entry, Filter
from app.journal.timeline import Step
from app.messages import Box, Detection, Inspection, Label, Snapshot
from app.web.album import texts
from app.web.album.page_query import PageQuery
from app.web.album.view import Viewer, best, boxes, focus
from pylib.runtime.circuit_breaker import State

NOW = datetime(2026, 11, 21, 14, 3, 22, tzinfo=UTC)
VIEW = Viewer(path=lambda path: f"/p{path}", zone=UTC, now=lambda: NOW)
QUERY = PageQuery({"person": "true"}, Filter(person=True), UTC, "/p/")


def entry(
    *labels: Label, persons: int = 0, problem: str = "", path: str = __file__, detector: str = "hog", **changes: object
) -> Entry:
    snapshot = Snapshot("e1", "Front Door Camera", "Front", NOW, NOW, 0.42, "http", path, 1, 1280, 720)
    inspection = Inspection(snapshot, detector, Detection(labels, persons), problem=problem)
    return Entry(inspection, 1, **changes)  # type: ignore[arg-type]


def test_people_come_first_and_then_what_is_surest() -> None:
    found = entry(Label("Car", 0.7), Label("Dog", 0.9), Label("Person", 0.6), persons=1)
    assert [label.name for label in best(found)] == ["Person", "Dog", "Car"]


def test_what_somebody_said_counts_and_keeps_the_detector_s_confidence() -> None:
    said = entry(Label("Person", 0.6), Label("Dog", 0.9), persons=1, corrected=("Dog", "Fox"))
    card = VIEW.card(said, QUERY)
    assert [(chip.name, chip.confidence) for chip in card.chips] == [
        ("Dog", "90\N{NARROW NO-BREAK SPACE}%"),
        ("Fox", ""),
    ]
    assert card.people == ""
    assert card.alt == "Front, Today 14:03: Dog, Fox"


def test_a_card_s_links_stay_within_the_query() -> None:
    card = VIEW.card(entry(Label("Dog", 0.9)), QUERY)
    assert card.url == "/p/snapshots/e1?person=true"
    assert card.chips[0].url == "/p/?person=true&label=Dog"
    assert card.camera_url == "/p/cameras/front-door-camera"
    assert card.thumbnail == "/p/api/snapshots/e1/thumbnail"


def test_boxes_are_told_in_fractions_of_the_picture() -> None:
    text = boxes([Label("Dog", 0.876, (Box(0.123456, 0, 0.5, 1),)), Label("Tree", 0.5)])
    assert json.loads(text) == [["Dog", 88, [[0.1235, 0, 0.5, 1]]]]
    assert boxes([Label("Tree", 0.5)]) == ""


@pytest.mark.parametrize(("left", "fifth"), [(0.0, 0), (0.45, 2), (0.9, 4)])
def test_the_grid_s_crop_follows_what_was_seen(left: float, fifth: int) -> None:
    assert focus([Label("Tree", 0.9), Label("Dog", 0.9, (Box(left, 0, 0.1, 1),))]) == fifth


@pytest.mark.parametrize(
    ("found", "title", "sentence"),
    [
        (entry(problem="throttled: slow down", detector=""), "Not looked at", "The detector had too much to do."),
        (entry(detector=""), "Not looked at", "No detector is configured, so this picture was not looked at."),
        (entry(), "Nothing seen", "HOG (on this machine) looked and found nothing."),
        (
            entry(Label("Dog", 0.9), path="", archived_in=("google_drive", "s3")),
            "Picture no longer here",
            "It was removed here to make room. It is kept in Google Drive and S3.",
        ),
    ],
)
def test_what_is_missing_is_explained(found: Entry, title: str, sentence: str) -> None:
    explanation = texts.explain(found)
    assert explanation is not None
    assert (explanation.title, explanation.sentence) == (title, sentence)


def test_what_is_complete_needs_no_explanation() -> None:
    assert texts.explain(entry(Label("Dog", 0.9))) is None


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.42, "0.4 s"), (23.4, "23 s"), (300, "5 min"), (7200, "2 h"), (400_000, "5 days")]
)
def test_durations_are_told_as_people_tell_them(seconds: float, words: str) -> None:
    assert texts.duration(seconds) == words


def test_a_camera_s_circuit_is_told_in_words() -> None:
    assert texts.circuit(State.OPEN, 23.4) == "paused for 23 s after failing"
    assert texts.circuit(State.HALF_OPEN, 0) == "on trial after failing"
    assert texts.circuit(State.CLOSED, 0) == "working"


def test_days_have_names_while_they_are_near() -> None:
    today = NOW.date()
    told = [texts.day(today - timedelta(days=days), today) for days in (0, 1, 2, 400)]
    assert told == ["Today", "Yesterday", "Thursday, 19 November", "Friday, 17 October 2025"]


@pytest.mark.parametrize(("delay", "said"), [(0.0, ""), (3.0, ""), (3.1, "3.1 s"), (12.0, "12 s")])
def test_a_card_says_how_late_its_picture_is_when_it_is_late(delay: float, said: str) -> None:
    one = entry()
    late = replace(one, inspection=replace(one.inspection, snapshot=replace(one.inspection.snapshot, delay_s=delay)))
    assert VIEW.card(late, QUERY).delay == said


@pytest.mark.parametrize(("persons", "crowd"), [(0, ""), (1, ""), (2, "2 people")])
def test_a_card_counts_people_where_there_are_several(persons: int, crowd: str) -> None:
    assert VIEW.card(entry(Label("Person", 0.9), persons=persons), QUERY).crowd == crowd


def test_the_steps_of_a_way_in_words() -> None:
    steps = [
        Step("triggered", 0.0, 0.0),
        Step("picture", 0.4, 0.4),
        Step("looked", 0.6, 0.6),
        Step("delivered", 0.7, 0.7, "phone"),
        Step("delivered", 3.0, 3.0, "folder"),
        Step("given_up", 600.0, 600.0, "mail"),
    ]
    assert [texts.step(one, {"folder"}) for one in steps] == [
        "triggered",
        "picture +0.4 s",
        "looked at +0.6 s",
        "told phone +0.7 s",
        f"archived in {texts.archive('folder')} +3.0 s",
        "given up for mail +10 min",
    ]
    assert texts.step(Step("picture", 0.0, -2.0), ()) == "picture -2.0 s"
