"""Which of two detectors look, by the rules."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from app.rules.evaluate import tier_of
from app.rules.model import Rule, RuleBook

YARD, DOOR = "Yard Camera", "Door Camera"
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday
BOOK = RuleBook(
    rules=(
        Rule(name="told", labels={"Dog": 0.9}),
        Rule(name="away", cameras=("Yard",), modes=("away",), tier="both"),
        Rule(name="day", cameras=("Yard",), hours="08:00-18:00", days=("wed",), tier="first"),
        Rule(name="rest", cameras=("Yard",), tier="second"),
    )
)


@pytest.mark.parametrize(
    ("camera", "mode", "moment", "tier"),
    [
        (YARD, "away", NOON, "both"),
        (YARD, "home", NOON, "first"),
        (YARD, "home", NOON.replace(hour=19), "second"),
        (YARD, "home", NOON.replace(day=5), "second"),
        (DOOR, "away", NOON, None),
    ],
)
def test_the_first_rule_that_says_so_and_holds_before_anything_is_seen(
    camera: str, mode: str, moment: datetime, tier: str | None
) -> None:
    assert tier_of(BOOK, camera, mode=mode, moment=moment) == tier


def test_what_there_is_not_is_refused() -> None:
    with pytest.raises(ValidationError, match="first"):
        Rule.model_validate({"name": "third", "tier": "third"})
