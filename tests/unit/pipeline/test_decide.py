"""Who is told of an inspection, and what it comes to in one word."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest

from app.messages import Detection, Inspection, Label, OutletDecision, Snapshot
from app.pipeline.decide import CLEAR, PERSON, UNKNOWN, Decide, sum_up

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
SEEN = Inspection(Snapshot("e1", "Yard Camera", "Yard", NOW, NOW, 0.0, "http"))


def test_without_rules_every_outlet_is_told_in_their_order_and_with_a_reason() -> None:
    seen = Decide(["s3", "rabbitmq"])(SEEN)
    assert [(decision.outlet, decision.tell) for decision in seen.decisions] == [("s3", True), ("rabbitmq", True)]
    assert all(decision.reason for decision in seen.decisions)
    assert seen.targets == ("s3", "rabbitmq")
    assert Decide([])(SEEN).targets == ()


def test_only_those_that_are_told_are_targets() -> None:
    decisions = (OutletDecision("rabbitmq", tell=False, reason="no"), OutletDecision("s3", tell=True, reason="yes"))
    assert dataclasses.replace(SEEN, decisions=decisions).targets == ("s3",)


@pytest.mark.parametrize(
    ("detection", "word"),
    [
        (None, UNKNOWN),
        (Detection(), CLEAR),
        (Detection((Label("Dog", 0.9),)), CLEAR),
        (Detection((Label("Person", 0.9),), 1), PERSON),
        (Detection((Label("Person", 0.9),), 3), PERSON),
    ],
)
def test_what_was_seen_comes_to_one_word(detection: Detection | None, word: str) -> None:
    assert sum_up(detection) == word
