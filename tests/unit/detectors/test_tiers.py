"""Two detectors as one: which of them looks, and whose answer counts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from pydantic import ValidationError

from app.detectors import DetectorError, DetectorRejected, DetectorUnavailable, Question
from app.detectors.in_service import InService
from app.detectors.tiers import Tiers, TiersSettings, asks_second
from app.messages import Detection, Label, Tier
from tests.fakes.detectors import PERSON, FakeDetector

NOTHING = Detection()
DOG = Detection((Label("Dog", 0.9),))
DOUBTFUL = Detection((Label("Person", 0.6),), 1)
TWO = Detection((Label("Person", 0.95),), 2)
AWAY = DetectorUnavailable("unreachable", "no connection")
AT_CAP = DetectorRejected("monthly_cap", "all calls are used up")

Answer = Detection | DetectorError


class Pair:
    """A free detector and a paid one that answer so."""

    def __init__(self, first: Answer, second: Answer, **settings: object) -> None:
        self.first = FakeDetector(first, name="local")
        self.second = FakeDetector(second, name="paid", cost_usd=0.001)
        given = TiersSettings.model_validate(settings)
        self.tiers = Tiers(given, first=InService(self.first), second=InService(self.second))

    def look(self, tier: Tier | None = None) -> tuple[str, str, float]:
        """Who decided, why not another one, and what it cost."""
        seen = self.tiers.look(b"picture", Question("Yard Camera", tier))
        return seen.detector, seen.note, seen.cost_usd

    @property
    def asked(self) -> tuple[int, int]:
        return len(self.first.pictures), len(self.second.pictures)


@pytest.mark.parametrize(
    ("when", "seen", "asks"),
    [
        (("person",), PERSON, True),
        (("person",), DOUBTFUL, True),
        (("person",), DOG, False),
        (("person",), NOTHING, False),
        (("unsure",), DOUBTFUL, True),
        (("unsure",), PERSON, False),
        (("unsure",), NOTHING, False),
        (("unsure", "failed"), DOUBTFUL, True),
        (("always",), NOTHING, True),
        (("failed",), PERSON, False),
        (("never",), PERSON, False),
        ((), PERSON, False),
    ],
)
def test_when_the_second_looks(when: Sequence[str], seen: Detection, asks: bool) -> None:
    assert asks_second(when, seen, unsure_below=0.8) is asks


def test_who_is_as_sure_as_the_bound_is_sure() -> None:
    assert not asks_second(("unsure",), Detection((Label("Person", 0.8),), 1), unsure_below=0.8)


def test_the_second_confirms_and_its_answer_counts() -> None:
    pair = Pair(PERSON, TWO)
    assert pair.look() == ("paid", "", 0.001)
    assert pair.tiers.detect(b"picture") == TWO
    assert Pair(PERSON, NOTHING).tiers.detect(b"picture") == NOTHING


def test_where_nobody_is_seen_nothing_is_paid() -> None:
    pair = Pair(DOG, TWO)
    assert pair.look() == ("local", "", 0.0)
    assert pair.asked == (1, 0)


def test_a_second_that_fails_leaves_the_first_s_answer_and_a_note() -> None:
    assert Pair(PERSON, AWAY).look() == ("local", "paid: no connection", 0.0)


def test_the_second_stands_in_for_a_first_that_fails() -> None:
    assert Pair(AWAY, TWO, second_when=["failed"]).look() == ("paid", "local: no connection", 0.001)
    assert Pair(AWAY, TWO, second_when=["always"]).look() == ("paid", "local: no connection", 0.001)


def test_a_first_that_fails_has_failed_where_the_second_only_confirms() -> None:
    pair = Pair(AWAY, TWO, second_when=["person"])
    with pytest.raises(DetectorUnavailable, match="no connection"):
        pair.look()
    assert pair.asked == (1, 0)


def test_where_both_fail_the_picture_is_not_looked_at() -> None:
    with pytest.raises(DetectorError, match="all calls"):
        Pair(AWAY, AT_CAP).look()


def test_at_the_cap_the_local_one_decides_or_nobody() -> None:
    assert Pair(PERSON, AT_CAP).look() == ("local", "paid: all calls are used up", 0.0)
    with pytest.raises(DetectorRejected, match="all calls"):
        Pair(PERSON, AT_CAP, at_cap="problem").look()


def test_at_the_cap_of_a_first_it_is_the_same() -> None:
    assert Pair(AT_CAP, PERSON, second_when=["person"]).look() == ("paid", "local: all calls are used up", 0.001)
    with pytest.raises(DetectorRejected, match="all calls"):
        Pair(AT_CAP, PERSON, second_when=["failed"], at_cap="problem").look()


@pytest.mark.parametrize(
    ("tier", "decides", "asked"),
    [("first", "local", (1, 0)), ("second", "paid", (0, 1)), ("both", "paid", (1, 1)), (None, "local", (1, 0))],
)
def test_a_rule_says_who_looks(tier: Tier | None, decides: str, asked: tuple[int, int]) -> None:
    pair = Pair(DOG, TWO)
    assert pair.look(tier)[0] == decides
    assert pair.asked == asked


def test_a_rule_for_the_second_alone_keeps_to_it_but_at_the_cap() -> None:
    with pytest.raises(DetectorUnavailable):
        Pair(PERSON, AWAY).look("second")
    assert Pair(PERSON, AT_CAP).look("second") == ("local", "paid: all calls are used up", 0.0)


def test_one_that_is_away_is_left_alone_and_the_other_decides_at_once() -> None:
    pair = Pair(PERSON, AWAY)
    for _ in range(5):
        assert pair.look()[0] == "local"
    assert pair.asked == (5, 3)


def test_two_of_one_kind_make_no_sense() -> None:
    with pytest.raises(DetectorRejected, match="both hog"):
        Tiers(TiersSettings.model_validate({"second": {"kind": "hog"}}))


def test_never_stands_alone() -> None:
    with pytest.raises(ValidationError, match="never"):
        TiersSettings.model_validate({"second_when": ["never", "person"]})
