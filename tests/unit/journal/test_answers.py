"""Answers that were paid for are kept, and forgotten in their time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.journal import Journal
from app.messages import Box, Detection, Label
from tests.fakes.clock import Clock

SEEN = Detection((Label("Person", 0.9, (Box(0.1, 0.2, 0.3, 0.4),)), Label("Dog", 0.8)), 1)
ABOUT = {"detector": "rekognition", "settings": "0.5 50"}


def keep(journal: Journal, content: bytes, answer: Detection | None, *, camera: str = "Yard Camera") -> None:
    journal.keep_answer(content, answer, **ABOUT, camera=camera, cost_usd=0.001)


@pytest.mark.parametrize("answer", [SEEN, Detection()])
def test_an_answer_is_known_for_the_same_picture_detector_and_settings(journal: Journal, answer: Detection) -> None:
    keep(journal, b"a", answer)
    assert journal.answer(b"a", **ABOUT) == answer
    assert journal.answer(b"b", **ABOUT) is None
    assert journal.answer(b"a", detector="another", settings=ABOUT["settings"]) is None
    assert journal.answer(b"a", detector=ABOUT["detector"], settings="0.3 50") is None


def test_no_answer_is_known_of_a_call_that_brought_none_and_the_one_that_came_stays(journal: Journal) -> None:
    keep(journal, b"a", None)
    assert journal.answer(b"a", **ABOUT) is None
    keep(journal, b"a", SEEN)
    keep(journal, b"a", None)
    assert journal.answer(b"a", **ABOUT) == SEEN
    (spent,) = journal.spent_since(datetime(1970, 1, 1, tzinfo=UTC))
    assert spent.calls == 3
    assert spent.cost_usd == pytest.approx(0.003)


def test_what_was_paid_since_then_by_camera_the_dearest_first(journal: Journal, clock: Clock) -> None:
    keep(journal, b"a", SEEN)
    clock.now += 3600
    since = datetime.fromtimestamp(clock.now, UTC)
    keep(journal, b"b", SEEN)
    for content in (b"c", b"d"):
        keep(journal, content, SEEN, camera="Door Camera")
    assert [(one.camera, one.calls) for one in journal.spent_since(since)] == [("Door Camera", 2), ("Yard Camera", 1)]


def test_a_call_that_is_made_again_counts_when_it_is_made(journal: Journal, clock: Clock) -> None:
    keep(journal, b"a", None)
    clock.now += 3600
    since = datetime.fromtimestamp(clock.now, UTC)
    keep(journal, b"a", SEEN)
    assert [one.calls for one in journal.spent_since(since)] == [2]


def test_old_answers_are_forgotten(journal: Journal, clock: Clock) -> None:
    keep(journal, b"a", SEEN)
    clock.now += 100
    keep(journal, b"b", SEEN)
    journal.forget_answers(older_than=50)
    assert journal.answer(b"a", **ABOUT) is None
    assert journal.answer(b"b", **ABOUT) == SEEN
