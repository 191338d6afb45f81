"""What the rules remember over a restart: what was told, what waits for a digest, and who wants messages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from app.journal import Backoff, Journal
from app.messages import Box, Detection, Inspection, Label, OutletDecision, Snapshot
from app.rules.subscribers import Subscriber
from tests.fakes.clock import Clock

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
DOOR = "Door Camera"


def recorded(journal: Journal, event_id: str, *decisions: OutletDecision, camera: str = DOOR) -> Inspection:
    snapshot = Snapshot(event_id, camera, "Door", NOW, NOW, 0.1, "http", "/cache/1.jpg", 10, 4, 3)
    seen = Inspection(snapshot, "hog", Detection((Label("Car", 0.9, (Box(0.1, 0.2, 0.3, 0.4, still=True),)),)), "clear")
    journal.record(snapshot)
    journal.inspect(replace(seen, decisions=decisions))
    return seen


def told(outlet: str = "phone", rule: str = "door", digest_at: float = 0.0) -> OutletDecision:
    return OutletDecision(outlet, tell=True, reason=f"{rule}: Car 90 %", rule=rule, digest_at=digest_at)


def test_decisions_by_rules_come_back_with_the_event_and_what_stands_still_too(journal: Journal) -> None:
    decisions = (
        OutletDecision("rabbitmq", tell=True, reason="gets every event"),
        told(),
        OutletDecision("mail", tell=False, reason="quiet hours"),
    )
    seen = recorded(journal, "s1", *decisions)
    found = journal.find("s1")
    assert found == seen
    assert isinstance(found, Inspection)
    assert found.decisions == decisions[1:]
    assert journal.last_inspections(DOOR, limit=9) == [seen]
    assert [one.decisions for one in journal.pending("phone", limit=9)] == []  # for the message that announces it
    assert (journal.backlog("phone").count, journal.backlog("mail").count) == (1, 0)


def test_what_was_told_is_remembered_by_rule_outlet_and_camera_until_it_is_given_up(
    journal: Journal, clock: Clock
) -> None:
    recorded(journal, "s1", told(), told("mail", "night"))
    first = clock.now
    clock.now += 60
    recorded(journal, "s2", told())
    assert journal.told_at("door", "phone", DOOR) == clock.now
    assert journal.told_at("night", "mail", DOOR) == first
    assert journal.told_at("door", "mail", DOOR) is None
    assert journal.told_at("door", "phone", "Yard Camera") is None
    journal.abandon("s1", "phone", problem="refused")  # an older one
    assert journal.told_at("door", "phone", DOOR) == clock.now
    journal.abandon("s2", "phone", problem="refused")
    assert journal.told_at("door", "phone", DOOR) is None
    assert journal.told_at("night", "mail", DOOR) == first


def test_a_digest_waits_for_its_time_and_is_not_late_before_it(journal: Journal, clock: Clock) -> None:
    at = clock.now + 600
    seen = [recorded(journal, name, told(digest_at=at)) for name in ("s1", "s2")]
    other = recorded(journal, "s3", told())
    clock.now += 300
    assert (journal.pending("phone", limit=9), journal.digest_due("phone", limit=9)) == ([other], [])
    assert journal.backlog("phone").count == 1
    journal.retry_now("phone")
    assert journal.digest_due("phone", limit=9) == []
    clock.now += 300
    assert journal.digest_due("phone", limit=9) == seen
    assert journal.digest_due("phone", limit=1) == seen[:1]
    assert journal.digest_due("mail", limit=9) == []


def test_a_digest_that_failed_is_tried_again_as_a_whole_and_counts_as_pending(journal: Journal, clock: Clock) -> None:
    seen = [recorded(journal, name, told(digest_at=clock.now)) for name in ("s1", "s2")]
    for one in seen:
        journal.postpone(one.id, "phone", problem="away", backoff=Backoff(60, 60))
    assert (journal.digest_due("phone", limit=9), journal.backlog("phone").count) == ([], 2)
    journal.retry_now("phone")
    assert journal.digest_due("phone", limit=9) == seen
    for one in seen:
        journal.delivered(one.id, "phone")
    assert (journal.digest_due("phone", limit=9), journal.backlog("phone").count) == ([], 0)


def test_a_browser_is_known_by_its_endpoint(journal: Journal) -> None:
    ours = Subscriber("https://push.example/1", "push", "Ada", "key", "secret")
    journal.subscribe(ours)
    journal.subscribe(Subscriber("https://push.example/2", "other", "Bob", "key", "secret"))
    journal.subscribe(replace(ours, person="Ada's tablet"))
    assert [one.person for one in journal.subscribers("push")] == ["Ada's tablet"]
    assert len(journal.subscribers()) == 2
    journal.unsubscribe(ours.endpoint)
    assert journal.subscribers("push") == []
