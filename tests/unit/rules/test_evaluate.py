"""Who is told of an event by which rule, and in which words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.messages import Box, Detection, Inspection, Label, OutletDecision, Snapshot
from app.rules.burst import BurstSettings
from app.rules.evaluate import Outlets, Situation, burst_of, evaluate
from app.rules.model import Rule, RuleBook, Zone
from app.rules.telling import MODES, Snooze

DOOR, YARD = "Front Door Camera", "Yard Camera"
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)  # a Wednesday
OUTLETS = Outlets(("rabbitmq", "phone", "mail"), frozenset({"phone", "mail"}), frozenset({"phone"}))
PORCH = Zone(camera="Front Door", name="porch", points=((0, 0.5), (0.5, 0.5), (0.5, 1), (0, 1)))
ON_PORCH, ON_STREET = Box(0.1, 0.4, 0.2, 0.4), Box(0.7, 0.1, 0.2, 0.3)


def seen(*labels: Label, camera: str = DOOR, at: datetime = NOON, **changes: Any) -> Inspection:
    snapshot = Snapshot("e1", camera, camera, at, at, 0.0, "http", path="/cache/1.jpg")
    persons = sum(len(label.boxes) or 1 for label in labels if label.name == "Person")
    return Inspection(snapshot, **{"detector": "hog", "detection": Detection(labels, persons), **changes})


def person(confidence: float = 0.87, *boxes: Box) -> Label:
    return Label("Person", confidence, boxes)


def situation(
    *,
    now: datetime = NOON,
    mode: str = "home",
    snooze: Snooze | None = None,
    told: Mapping[tuple[str, str, str], float] = {},
    digest_at: float = 0.0,
    zone: str = "UTC",
) -> Situation:
    return Situation(
        now=now.timestamp(),
        zone=ZoneInfo(zone),
        mode=mode,
        snooze=snooze,
        told_at=lambda *of: told.get(of),
        digest_at=lambda _outlet: digest_at,
    )


def phone(book: RuleBook, inspection: Inspection, **now: Any) -> OutletDecision:
    decisions = {one.outlet: one for one in evaluate(book, inspection, OUTLETS, situation(**now))}
    assert list(decisions) == list(OUTLETS.names)
    assert decisions["rabbitmq"].tell  # whatever the rules say
    return decisions["phone"]


def book(*rules: Rule, **more: Any) -> RuleBook:
    return RuleBook(rules=rules, zones=(PORCH,), **more)


def test_without_rules_everything_is_told() -> None:
    decision = phone(RuleBook(), seen())
    assert (decision.tell, decision.reason, decision.rule) == (True, "there is no rule", "")


def test_an_outlet_that_no_rule_is_about_is_told_everything() -> None:
    rule = Rule(name="door", outlets=("mail",))
    assert phone(book(rule), seen()).text == "told, no rule is about it"


@pytest.mark.parametrize(
    ("rule", "inspection", "text"),
    [
        ({}, seen(person()), "told, door: Person 87 %"),
        ({}, seen(Label("Dog", 0.9)), "not told, door: no Person"),
        ({"labels": {}}, seen(), "told, door: every event"),
        ({"labels": {"person": 0.9}}, seen(person(0.899)), "not told, door: Person: 89 % < 90 %"),
        ({"labels": {"person": 0.9}}, seen(person(0.9)), "told, door: Person 90 %"),
        ({"labels": {"Cat": 0, "dog": 0}}, seen(Label("Dog", 0.5)), "told, door: Dog 50 %"),
        ({"labels": {"Cat": 0, "Dog": 0}}, seen(person()), "not told, door: no Cat or Dog"),
        ({"cameras": ["Yard"]}, seen(person()), "not told, door: another camera"),
        ({"cameras": ["front-door"]}, seen(person()), "told, door: Person 87 %"),
        ({"cameras": [DOOR]}, seen(person()), "told, door: Person 87 %"),
        ({"zones": ["Porch"]}, seen(person(0.9, ON_STREET)), "not told, door: Person outside zone Porch"),
        (
            {"zones": ["lawn", "porch"]},
            seen(person(0.9, ON_STREET)),
            "not told, door: Person outside zones lawn and porch",
        ),
        ({"zones": ["porch"]}, seen(person(0.9, ON_STREET, ON_PORCH)), "told, door: Person 90 %"),
        ({"zones": ["porch"]}, seen(person(0.9)), "told, door: Person 90 %"),  # it may be anywhere
        (
            {"zones": ["porch"], "labels": {"Person": 0.6}},
            seen(person(0.41, ON_PORCH)),
            "not told, door: zone porch: 41 % < 60 %",
        ),
        ({"zones": ["porch"], "labels": {}}, seen(Label("Cat", 0.3, (ON_PORCH,))), "told, door: Cat 30 %"),
        ({"zones": ["porch"], "labels": {}}, seen(), "not told, door: nothing"),
        (
            {"min_size": 0.1},
            seen(person(0.9, Box(0, 0, 0.05, 0.06))),
            "not told, door: Person: 0.3 % of the picture < 10 %",
        ),
        ({"min_size": 0.25}, seen(person(0.9, Box(0, 0, 0.5, 0.5))), "told, door: Person 90 %"),
        ({"min_size": 0.05}, seen(person(0.9, ON_STREET)), "told, door: Person 90 %"),
        ({"days": ["wed"]}, seen(person()), "told, door: Person 87 %"),
        ({"days": ["thu", "fri"]}, seen(person()), "not told, door: wed is none of its days"),
        ({"hours": "11:00-12:00"}, seen(person()), "not told, door: outside 11:00-12:00"),
        ({"hours": "12:00-13:00"}, seen(person()), "told, door: Person 87 %"),
        ({"hours": "22:00-12:01"}, seen(person()), "told, door: Person 87 %"),
        ({"modes": ["away"]}, seen(person()), "not told, door: mode home"),
        (
            {},
            seen(detector="", problem="detector_away: it is"),
            "told, door: nobody looked at the picture, told to be safe",
        ),
        (
            {},
            Inspection(Snapshot("e1", DOOR, "Door", NOON, NOON, 0, "http", problem="timeout: no answer")),
            "not told, door: no picture",
        ),
        ({}, seen(person(0.9, Box(0.1, 0.4, 0.2, 0.4, still=True))), "not told, door: Person stands still"),
        ({}, seen(person(0.9, Box(0.1, 0.4, 0.2, 0.4, still=True), ON_STREET)), "told, door: Person 90 %"),
    ],
)
def test_a_rule_tells_when_all_that_it_sets_is_true_and_else_says_why_not(
    rule: dict[str, Any], inspection: Inspection, text: str
) -> None:
    assert phone(book(Rule(name="door", **rule)), inspection).text == text


def test_days_and_hours_are_those_of_the_home() -> None:
    rule = Rule(name="door", days=("thu",), hours="00:30-02:00")
    late = seen(person(), at=NOON.replace(hour=23, minute=45))  # a quarter to one in Berlin
    assert phone(book(rule), late, zone="Europe/Berlin").tell
    assert not phone(book(rule), late).tell


def test_nothing_behind_a_mask_counts_and_a_mask_is_no_zone() -> None:
    mask = Zone(camera="Front Door", name="tree", points=PORCH.points, mask=True)
    masked = RuleBook(rules=(Rule(name="door"),), zones=(mask,))
    assert phone(masked, seen(person(0.9, ON_PORCH))).text == "not told, door: Person behind a mask"
    assert phone(masked, seen(person(0.9, ON_PORCH, ON_STREET))).tell
    assert phone(masked, seen(person(0.9, ON_PORCH), camera=YARD)).tell  # another camera's mask


def test_a_cooldown_counts_from_what_that_rule_told_of_that_camera() -> None:
    rule = Rule(name="door", cooldown=600)
    told = {("door", "phone", DOOR): NOON.timestamp() - 450}
    assert phone(book(rule), seen(person()), told=told).text == "not told, door: cooldown, 3 min left"
    assert phone(book(rule), seen(person(), camera=YARD), told=told).tell
    assert phone(book(rule), seen(person()), told={("door", "phone", DOOR): NOON.timestamp() - 600}).tell
    soon = {("door", "phone", DOOR): NOON.timestamp() - 550.5}
    assert phone(book(rule), seen(person()), told=soon).reason == "door: cooldown, 50 s left"


def test_a_snooze_holds_back_with_rules_and_without() -> None:
    snooze = Snooze(DOOR, NOON.timestamp() + 1800)
    assert phone(RuleBook(), seen(person()), snooze=snooze).text == "not told, snoozed until 12:30"
    assert (
        phone(book(Rule(name="door")), seen(person()), snooze=Snooze("", None)).reason == "door: notifications are off"
    )


def test_quiet_hours_hold_back_all_but_what_is_urgent() -> None:
    quiet = "11:30-13:00"
    assert phone(RuleBook(quiet_hours=quiet), seen(person())).text == "not told, quiet hours"
    assert phone(book(Rule(name="door", urgent=True), quiet_hours=quiet), seen(person())).tell
    assert phone(book(Rule(name="door", urgent=True)), seen(person()), snooze=Snooze("", None)).tell is False


def test_of_several_rules_one_is_enough_and_else_the_closest_says_why() -> None:
    far, near = Rule(name="yard", cameras=("Yard",)), Rule(name="sure", labels={"Person": 0.9})
    either = book(far, near)
    assert phone(either, seen(person(0.95))).rule == "sure"
    assert phone(either, seen(person(0.6))).reason == "sure: Person: 60 % < 90 %"
    assert phone(book(near, far), seen(person(0.6))).reason == "sure: Person: 60 % < 90 %"


def test_one_message_too_many_goes_into_a_digest_where_the_outlet_can_and_it_is_not_urgent() -> None:
    later = NOON.timestamp() + 600
    decision = phone(book(Rule(name="door")), seen(person()), digest_at=later)
    assert (decision.tell, decision.digest_at) == (True, later)
    assert decision.reason == "door: Person 87 %; one of many, in a digest at 12:10"
    assert phone(book(Rule(name="door", urgent=True)), seen(person()), digest_at=later).digest_at == 0
    mail = evaluate(book(Rule(name="door")), seen(person()), OUTLETS, situation(digest_at=later))[2]
    assert (mail.outlet, mail.digest_at) == ("mail", 0)


NAMES = st.sampled_from(["Person", "Dog", "Car"])
BOXES = st.builds(Box, *[st.floats(0, 0.5)] * 2, *[st.floats(0.01, 0.5)] * 2, still=st.booleans())
LABELS = st.builds(Label, NAMES, st.floats(0, 1), st.lists(BOXES, max_size=3).map(tuple))
HOURS = st.sampled_from(["", "08:00-13:00", "22:00-06:00"])
RULES = st.builds(
    Rule,
    name=st.uuids().map(str),
    cameras=st.sampled_from([(), ("Front Door",), ("Yard",)]),
    labels=st.dictionaries(NAMES, st.floats(0, 1), max_size=2),
    zones=st.sampled_from([(), ("porch",)]),
    min_size=st.sampled_from([0, 0.01, 0.1]),
    days=st.sampled_from([(), ("wed",), ("mon", "sun")]),
    hours=HOURS,
    modes=st.lists(st.sampled_from(MODES), max_size=2).map(tuple),
    cooldown=st.sampled_from([0, 60]),
    outlets=st.sampled_from([(), ("phone",), ("mail",)]),
    urgent=st.booleans(),
)


@given(
    st.lists(RULES, max_size=3),
    st.lists(LABELS, max_size=3),
    HOURS,
    st.sampled_from(MODES),
    st.sampled_from([None, Snooze("", None)]),
    st.booleans(),
    st.sampled_from([DOOR, YARD]),
)
def test_an_outlet_is_told_exactly_when_some_rule_holds_written_out_again(
    rules: list[Rule],
    labels: list[Label],
    quiet_hours: str,
    mode: str,
    snooze: Snooze | None,
    just_told: bool,
    camera: str,
) -> None:
    inspection = seen(*labels, camera=camera)
    told = (
        {(rule.name, one, camera): NOON.timestamp() for rule in rules for one in ("phone", "mail")} if just_told else {}
    )
    all_of_it = RuleBook(rules=tuple(rules), zones=(PORCH,), quiet_hours=quiet_hours)
    now = situation(mode=mode, snooze=snooze, told=told)
    for decision in evaluate(all_of_it, inspection, OUTLETS, now):
        own = [rule for rule in rules if decision.outlet in rule.outlets or not rule.outlets]
        holding = [
            rule.name
            for rule in own
            if (not rule.cameras or camera.startswith(rule.cameras))
            and (not rule.days or "wed" in rule.days)
            and rule.hours != "22:00-06:00"
            and (not rule.modes or mode in rule.modes)
            and not (rule.cooldown and just_told)
            and (rule.urgent or quiet_hours != "08:00-13:00")
            and _something_fits(rule, labels, camera)
        ]
        if decision.outlet == "rabbitmq":
            expected = True
        elif snooze:
            expected = False
        else:
            expected = bool(holding) if own else quiet_hours != "08:00-13:00"
        assert decision.tell is expected, decision
        assert decision.reason
        assert not decision.rule or decision.rule == holding[0]


def _something_fits(rule: Rule, labels: list[Label], camera: str) -> bool:
    if not (rule.labels or rule.zones or rule.min_size):
        return True
    return any(
        (not rule.labels or label.name in rule.labels)
        and label.confidence >= rule.labels.get(label.name, 0)
        and (not label.boxes or any(_box_fits(rule, box, camera) for box in label.boxes))
        for label in labels
    )


def _box_fits(rule: Rule, box: Box, camera: str) -> bool:
    x, y = box.left + box.width / 2, box.top + box.height
    on_porch = camera == DOOR and 0 <= x < 0.5 <= y < 1
    return (not rule.zones or on_porch) and not box.still and box.width * box.height >= rule.min_size


def test_the_first_rule_with_a_burst_that_holds_before_anything_is_seen_says_how_many() -> None:
    book = RuleBook(
        rules=(
            Rule(name="quiet", cameras=("Yard",), modes=("night",), labels={"Dog": 0.9}, burst=BurstSettings(frames=3)),
            Rule(name="told", cameras=("Yard",)),
            Rule(
                name="day", cameras=("Yard",), hours="08:00-18:00", days=("wed",), burst=BurstSettings(frames=4, pace=2)
            ),
            Rule(name="rest", burst=BurstSettings(frames=1)),
        )
    )

    def frames(camera: str, mode: str, moment: datetime) -> int:
        burst = burst_of(book, camera, mode=mode, moment=moment)
        return burst.frames if burst else 0

    assert [frames(YARD, mode, NOON) for mode in MODES] == [3 if mode == "night" else 4 for mode in MODES]
    assert frames(YARD, "home", NOON.replace(hour=19)) == frames(YARD, "home", NOON.replace(day=5)) == 1
    assert frames(DOOR, "night", NOON) == 1
    assert burst_of(RuleBook(), YARD, mode="home", moment=NOON) is None


def test_a_rule_s_burst_is_within_its_bounds() -> None:
    with pytest.raises(ValueError, match="at most 60 s"):
        Rule(name="long", burst=BurstSettings(frames=30, pace=3))
