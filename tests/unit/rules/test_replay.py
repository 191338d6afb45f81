"""Earlier events decided again: as they were live, and by how much another rule book differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app.messages import Box, Detection, Inspection, Label, Snapshot
from app.pipeline.decide import Decide
from app.rules.evaluate import Outlets
from app.rules.model import Digest, Rule, RuleBook, Still
from app.rules.replay import compare, replay
from tests.fakes.clock import Clock
from tests.fakes.decisions import Switches

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
OUTLETS = Outlets(("rabbitmq", "phone", "mail"), frozenset({"phone", "mail"}), frozenset({"phone"}))
DOOR, YARD = "Front Door Camera", "Yard Camera"
CAR = Box(0.2, 0.3, 0.2, 0.4)


def event(minute: float, *labels: Label, camera: str = DOOR) -> Inspection:
    at = NOON + timedelta(minutes=minute)
    snapshot = Snapshot(f"{camera}-{minute}", camera, camera, at, at, 0.0, "http", path="/cache/1.jpg")
    return Inspection(snapshot, "hog", Detection(labels, 0))


def person(minute: float, confidence: float = 0.9, *boxes: Box, camera: str = DOOR) -> Inspection:
    return event(minute, Label("Person", confidence, boxes), camera=camera)


def told(book: RuleBook, inspections: Sequence[Inspection], outlet: str = "phone") -> list[bool]:
    return [
        one.tell
        for _, decisions in replay(inspections, book, OUTLETS, zone=UTC)
        for one in decisions
        if one.outlet == outlet
    ]


class Memory:
    """What a running service would have recorded."""

    def __init__(self) -> None:
        self.told: dict[tuple[str, ...], float] = {}

    def told_at(self, rule: str, outlet: str, camera: str) -> float | None:
        return self.told.get((rule, outlet, camera))

    def last_inspections(self, camera: str, *, limit: int) -> Sequence[Inspection]:
        return ()


BOXES = st.sampled_from([(), (CAR,), (CAR, Box(0.6, 0.1, 0.2, 0.2)), (Box(0.5, 0.5, 0.1, 0.1, still=True),)])
LABELS = st.builds(Label, st.sampled_from(["Person", "Car"]), st.sampled_from([0.3, 0.9]), BOXES)
EVENTS = st.lists(st.tuples(st.integers(0, 6), st.sampled_from([DOOR, YARD]), st.lists(LABELS, max_size=2)), max_size=9)
BOOKS = st.builds(
    RuleBook,
    rules=st.lists(
        st.builds(
            Rule,
            name=st.just("one"),
            labels=st.sampled_from([{}, {"Person": 0.5}, {"Car": 0.0}]),
            cooldown=st.sampled_from([0, 600]),
            urgent=st.booleans(),
        ),
        min_size=1,
        max_size=1,
    ).map(tuple),
    quiet_hours=st.sampled_from(["", "12:10-12:20"]),
    still=st.sampled_from([Still(after=0), Still(after=300)]),
    digest=st.sampled_from([Digest(), Digest(after=1, within=600)]),
)


@settings(max_examples=40)
@given(EVENTS, BOOKS)
def test_a_replay_decides_as_the_service_did_and_the_same_book_changes_nothing(
    drawn: list[tuple[int, str, list[Label]]], book: RuleBook
) -> None:
    minutes, inspections = 0, []
    for after, camera, labels in drawn:
        minutes += after
        inspections.append(event(minutes, *labels, camera=camera))
    memory, clock = Memory(), Clock()
    decide = Decide(OUTLETS, book=lambda: book, switches=Switches(), told=memory, clock=clock)
    again = list(replay(inspections, book, OUTLETS, zone=UTC))
    for inspection, (_, decisions) in zip(inspections, again, strict=True):
        clock.now = inspection.snapshot.taken_at.timestamp()
        live = decide(decide.marked(_fresh(inspection)))
        memory.told |= {(one.rule, one.outlet, live.camera): clock.now for one in live.decisions if one.tell}
        assert decisions == live.decisions
    same = compare(inspections, book, book, OUTLETS, zone=UTC)
    assert (same.changes, same.before) == ((), same.after)


def _fresh(inspection: Inspection) -> Inspection:
    """As a detector reported it, which knows of nothing that stands still."""
    labels = (
        replace(label, boxes=tuple(replace(box, still=False) for box in label.boxes))
        for label in inspection.detection.labels
    )
    return replace(inspection, detection=Detection(tuple(labels)))


def test_both_books_are_tried_in_the_mode_that_is_asked_for() -> None:
    away = RuleBook(rules=(Rule(name="door", modes=("away",), outlets=("phone",)),))
    for mode, messages in (("home", 1), ("away", 2)):  # to the mail in any case
        compared = compare([person(0)], away, away, OUTLETS, zone=UTC, mode=mode)
        assert (compared.before, compared.after) == (messages, messages)


def test_two_books_are_compared_event_by_event_and_by_their_messages() -> None:
    events = [person(0), person(2, 0.4), person(4), event(5, Label("Cat", 0.9))]
    before = RuleBook(rules=(Rule(name="door", labels={"Person": 0.6}, outlets=("phone",)), Rule(name="m", labels={})))
    after = RuleBook(rules=(Rule(name="door", cooldown=600, outlets=("phone",)), Rule(name="m", outlets=("mail",))))
    compared = compare(events, before, after, OUTLETS, zone=UTC)
    assert (compared.events, compared.before, compared.after) == (4, 8, 4)
    assert [(one.inspection.id[-1], one.outlet, one.before.text, one.after.text) for one in compared.changes] == [
        ("2", "phone", "told, m: every event", "not told, door: cooldown, 8 min left"),
        ("4", "phone", "told, door: Person 90 %", "not told, door: cooldown, 6 min left"),
        ("5", "phone", "told, m: every event", "not told, door: no Person"),
        ("5", "mail", "told, m: every event", "not told, m: no Person"),
    ]


def test_a_digest_is_one_message() -> None:
    many = [person(minute) for minute in range(5)]
    book = RuleBook(rules=(Rule(name="door", outlets=("phone",)), Rule(name="n", cameras=("Yard",))))
    digests = book.model_copy(update={"digest": Digest(after=1, within=600)})
    compared = compare(many, book, digests, OUTLETS, zone=UTC)
    assert (compared.before, compared.after, compared.changes) == (5, 2, ())


def test_imported_pictures_are_left_out() -> None:
    old = person(1)
    imported = replace(old, snapshot=replace(old.snapshot, origin="import"))
    compared = compare([person(0), imported, person(2)], RuleBook(), RuleBook(), OUTLETS, zone=UTC)
    assert (compared.events, compared.before) == (2, 4)
    assert told(RuleBook(rules=(Rule(name="door", cooldown=90),)), [imported, person(2)]) == [True]


def test_what_stands_still_is_found_anew_by_the_rules_that_are_tried() -> None:
    parked = [event(minute, Label("Car", 0.9, (CAR,))) for minute in range(0, 20, 5)]
    marked = [event(minute, Label("Car", 0.9, (replace(CAR, still=True),))) for minute in range(0, 20, 5)]
    rule = Rule(name="cars", labels={"Car": 0})
    assert told(RuleBook(rules=(rule,)), parked) == [True, True, False, False]
    assert told(RuleBook(rules=(rule,), still=Still(after=0)), marked) == [True] * 4
