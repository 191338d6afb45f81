"""Who is told of an inspection, and what it comes to in one word."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from app.journal import Journal
from app.messages import Box, Detection, Inspection, Label, OutletDecision, Snapshot
from app.pipeline.decide import CLEAR, PERSON, UNKNOWN, Decide, sum_up
from app.rules.evaluate import Outlets
from app.rules.model import Digest, Hours, Rule, RuleBook
from app.rules.telling import Snooze
from tests.fakes.clock import Clock
from tests.fakes.decisions import Switches, tells_all

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
SEEN = Inspection(Snapshot("e1", "Yard Camera", "Yard", NOW, NOW, 0.0, "http"))


def test_without_rules_every_outlet_is_told_in_their_order_and_with_a_reason() -> None:
    seen = tells_all(["s3", "rabbitmq"])(SEEN)
    assert [(decision.outlet, decision.tell) for decision in seen.decisions] == [("s3", True), ("rabbitmq", True)]
    assert all(decision.reason for decision in seen.decisions)
    assert seen.targets == ("s3", "rabbitmq")
    assert tells_all([])(SEEN).targets == ()


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


def looked(box: Box | None = None, *, minute: float = 0, event_id: str = "e1") -> Inspection:
    at = NOW + timedelta(minutes=minute)
    snapshot = Snapshot(event_id, "Yard Camera", "Yard", at, at, 0.0, "http", path="/cache/1.jpg")
    return Inspection(snapshot, "hog", Detection((Label("Person", 0.9, (box,) if box else ()),), 1))


class House:
    """A journal, rules and a clock."""

    def __init__(self, journal: Journal, clock: Clock, *rules: Rule, digest: Digest | None = None) -> None:
        self.journal = journal
        self.clock = clock
        self.book = RuleBook(rules=rules, digest=digest or Digest())
        outlets = Outlets(("rabbitmq", "phone"), frozenset({"phone"}), frozenset({"phone"}))
        self.switches = Switches()
        self.decide = Decide(outlets, book=lambda: self.book, switches=self.switches, told=journal, clock=clock)

    def event(self, event_id: str) -> OutletDecision:
        """What was decided of a person in the yard for the phone, and recorded."""
        decided = self.decide(self.decide.marked(looked(event_id=event_id)))
        self.journal.record(decided.snapshot)
        self.journal.inspect(decided)
        return decided.decisions[1]


def test_a_cooldown_begins_with_what_was_told_and_not_with_what_was_held_back(journal: Journal, clock: Clock) -> None:
    house = House(journal, clock, Rule(name="yard", cooldown=600))
    told = []
    for minute in range(0, 30, 4):
        clock.now = minute * 60.0
        told += [minute] if house.event(f"e{minute}").tell else []
    assert told == [0, 12, 24]


def test_a_message_that_was_given_up_begins_no_cooldown(journal: Journal, clock: Clock) -> None:
    house = House(journal, clock, Rule(name="yard", cooldown=600))
    assert house.event("e1").tell
    journal.abandon("e1", "phone", problem="refused")
    assert house.event("e2").tell
    assert not house.event("e3").tell


def test_modes_snoozes_and_rules_count_as_they_are_at_that_moment(journal: Journal, clock: Clock) -> None:
    house = House(journal, clock, Rule(name="yard", modes=("away",)))
    assert house.event("e1").text == "not told, yard: mode home"
    house.switches.mode = "away"
    assert house.event("e2").tell
    house.switches.snooze = Snooze("", None)
    assert not house.event("e3").tell
    house.switches.snooze = None
    house.book = RuleBook(rules=(Rule(name="yard", cameras=("Door",)),))
    assert house.event("e4").text == "not told, yard: another camera"


def test_many_messages_become_a_digest_that_is_owed_at_its_time(journal: Journal, clock: Clock) -> None:
    house = House(journal, clock, Rule(name="yard"), digest=Digest(after=2, within=600))
    decisions = [house.event(f"e{number}") for number in range(5)]
    assert [decision.digest_at for decision in decisions] == [0, 0, *[clock.now + 600] * 3]
    clock.now += 600
    assert [one.id for one in journal.digest_due("phone", limit=9)] == ["e2", "e3", "e4"]


def test_what_stands_still_is_known_after_a_restart_from_the_journal(journal: Journal, clock: Clock) -> None:
    box = Box(0.2, 0.3, 0.2, 0.4)
    rules = Rule(name="yard")
    for minute in (0, 5, 11):
        house = House(journal, clock, rules)  # a restart before each
        decided = house.decide(house.decide.marked(looked(box, minute=minute, event_id=f"e{minute}")))
        journal.record(decided.snapshot)
        journal.inspect(decided)
        assert decided.decisions[1].tell is (minute < 11)
    assert decided.decisions[1].reason == "yard: Person stands still"
    assert [one.still for one in journal.last_inspections("Yard Camera", limit=1)[0].detection.labels[0].boxes] == [
        True
    ]


def test_without_rules_nothing_is_asked_of_the_journal() -> None:
    assert tells_all(["phone"]).marked(looked(Box(0, 0, 1, 1))) == looked(Box(0, 0, 1, 1))


def test_who_comes_back_to_a_place_that_was_empty_between_does_not_stand_there(journal: Journal, clock: Clock) -> None:
    house = House(journal, clock, Rule(name="yard"))
    box = Box(0.2, 0.3, 0.2, 0.4)
    for minute in range(0, 50, 5):
        seen = looked(box, minute=minute) if minute % 20 == 0 else looked(minute=minute)
        if minute % 20:
            seen = dataclasses.replace(seen, detection=Detection())
        decided = house.decide(house.decide.marked(seen))
        assert decided.decisions[1].tell is (minute % 20 == 0)


def test_rules_that_fail_have_everybody_told(journal: Journal, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(journal, clock, Rule(name="yard", hours="08:00-20:00"))
    monkeypatch.setattr(Hours, "hold", lambda *_: 1 / 0)
    with capture_logs() as logs:
        decision = house.event("e1")
    assert decision.text == "told, the rules failed, told to be safe"
    assert [line["event"] for line in logs] == ["rules failed, everybody is told"]


def test_a_clock_that_was_set_back_silences_nobody(journal: Journal, clock: Clock) -> None:
    house = House(journal, clock, Rule(name="yard", cooldown=60), digest=Digest(after=1, within=600))
    now, clock.now = clock.now, clock.now + 31_536_000
    assert house.event("e1").digest_at == 0
    clock.now += 61
    assert house.event("e2").digest_at > clock.now
    clock.now = now
    assert house.event("e3").digest_at == 0
    assert [one.id for one in journal.digest_due("phone", limit=9)] == ["e2"]
