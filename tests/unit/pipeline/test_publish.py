"""The publish stage: a target gets everything it is owed, whenever it is there to take it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from app.journal import Backoff, Correction, Journal
from app.messages import Inspection, OutletDecision, Review, Snapshot
from app.pipeline.publish import AT_ONCE, Publish
from app.publishers import PublishRejected, PublishUnavailable
from tests.fakes.clock import Clock
from tests.fakes.decisions import told_to
from tests.fakes.journal import full_disk
from tests.fakes.publishers import FakePublisher, FollowingPublisher

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
AWAY = PublishUnavailable("broker_away", "no connection to broker:5672")


def an_inspection(journal: Journal, event_id: str = "s1") -> Inspection:
    inspection = Inspection(Snapshot(event_id, "Yard Camera", "Yard", NOW, NOW, 0.1, "http"))
    journal.record(inspection.snapshot)
    journal.inspect(told_to(inspection, ["fake"]))
    return inspection


def test_a_published_event_is_owed_no_more(journal: Journal) -> None:
    publisher = FakePublisher()
    inspection = an_inspection(journal)
    assert list(Publish(publisher, journal=journal).handle(inspection)) == []
    assert publisher.published == [inspection]
    assert journal.backlog("fake").count == 0


@pytest.mark.parametrize("failure", [AWAY, ZeroDivisionError("x")])
def test_an_event_that_failed_stays_owed_and_does_not_stop_the_next(journal: Journal, failure: Exception) -> None:
    publisher = FakePublisher()
    stage = Publish(publisher, journal=journal, backoff=Backoff(60, 60))
    publisher.failure = failure
    first = an_inspection(journal, "s1")
    stage.handle(first)
    assert journal.backlog("fake").count == 1
    assert list(stage.pending()) == []
    publisher.failure = None
    stage.handle(an_inspection(journal, "s2"))
    assert list(stage.pending()) == [first]  # one that got through says that the target is back


def test_an_outage_is_logged_once_and_counted_for_each_event(journal: Journal) -> None:
    publisher = FakePublisher()
    counted: list[tuple[str, str]] = []
    stage = Publish(publisher, journal=journal, count=lambda *pair: counted.append(pair))
    with capture_logs() as logs:
        for failure in (AWAY, AWAY, None, AWAY, ZeroDivisionError("x")):
            publisher.failure = failure
            stage.handle(an_inspection(journal, str(len(counted))))
    assert [line["event"] for line in logs] == ["target unreachable, its deliveries stay pending"] * 2 + [
        "target failed unexpectedly"
    ]
    codes = ["broker_away", "broker_away", "ok", "broker_away", "internal_error"]
    assert [(target, outcome.partition(":")[0]) for target, outcome in counted] == [("fake", code) for code in codes]


def test_an_event_is_told_once_although_the_disk_is_full(journal: Journal) -> None:
    publisher = FakePublisher()
    stage = Publish(publisher, journal=journal)
    inspection = an_inspection(journal)
    journal.retry_now("fake")
    with full_disk(journal):
        assert list(stage.pending()) == [inspection]
        stage.handle(inspection)
        for _ in range(3):
            assert list(stage.pending()) == []
        assert journal.backlog("fake").count == 1
    assert list(stage.pending()) == []
    assert journal.backlog("fake").count == 0
    assert publisher.published == [inspection]


@pytest.mark.parametrize("recorded", [nullcontext, full_disk])
@pytest.mark.parametrize(("kind", "again"), [(FollowingPublisher, 1), (FakePublisher, 0)])
def test_a_target_that_follows_edits_gets_a_corrected_event_again_and_others_do_not(
    journal: Journal,
    kind: type[FakePublisher],
    again: int,
    recorded: Callable[[Journal], AbstractContextManager[object]],
) -> None:
    journal.followers = ["fake"] * again
    publisher = kind()
    stage = Publish(publisher, journal=journal)
    event = an_inspection(journal)
    journal.retry_now("fake")
    with recorded(journal):
        stage.handle(event)
    journal.change(event.id, correction=Correction(("Cat",)))
    pending = list(stage.pending())
    assert [one.review for one in pending if isinstance(one, Inspection)] == [Review(("Cat",))] * again
    for one in pending:
        stage.handle(one)
    assert list(stage.pending()) == []
    assert len(publisher.published) == 1 + again
    assert journal.backlog("fake").count == 0


def test_a_correction_that_comes_while_the_event_is_published_is_published_too(journal: Journal) -> None:
    journal.followers = ["fake"]
    publisher = FollowingPublisher()
    stage = Publish(publisher, journal=journal)
    event = an_inspection(journal)
    publisher.meanwhile = lambda: journal.change(event.id, correction=Correction(("Cat",)))
    stage.handle(event)
    journal.retry_now("fake")
    (again,) = stage.pending()
    assert isinstance(again, Inspection)
    assert again.review == Review(("Cat",))


def test_a_target_that_comes_back_is_given_everything_at_once(journal: Journal) -> None:
    publisher = FakePublisher()
    stage = Publish(publisher, journal=journal, backoff=Backoff(60, 60))
    publisher.failure = AWAY
    for number in range(5):
        stage.handle(an_inspection(journal, str(number)))
    publisher.failure = None
    journal.retry_now("fake")
    for inspection in stage.pending():
        stage.handle(inspection)
    assert [inspection.id for inspection in publisher.published] == ["0", "1", "2", "3", "4"]
    assert journal.backlog("fake").count == 0


def test_an_event_that_fails_by_itself_is_no_outage_and_has_an_end(journal: Journal, clock: Clock) -> None:
    publisher = FakePublisher(abandon_after={"row_refused": 600})
    stage = Publish(publisher, journal=journal, backoff=Backoff(300, 300))
    bad = an_inspection(journal, "bad")
    with capture_logs() as logs:
        for number in range(20):
            publisher.failure = PublishUnavailable("row_refused", "The database refuses it.", outage=False)
            for event in [bad] if not number else stage.pending():
                stage.handle(event)
            publisher.failure = None
            stage.handle(an_inspection(journal, f"good{number}"))
            clock.now += 60
    assert publisher.attempts - len(publisher.published) <= 4
    assert (journal.backlog("fake").count, journal.backlog("fake").given_up) == (0, 1)
    assert [line["event"] for line in logs] == ["event not delivered now", "given up"]


def test_an_event_the_target_will_never_take_is_given_up_with_its_reason(journal: Journal) -> None:
    publisher = FakePublisher()
    counted: list[tuple[str, str]] = []
    publisher.failure = PublishRejected("too_large", "20 MB")
    Publish(publisher, journal=journal, count=lambda *pair: counted.append(pair)).handle(an_inspection(journal))
    assert journal.backlog("fake").count == 0
    assert counted == [("fake", "too_large: 20 MB")]


def test_an_event_nobody_listens_for_is_let_go_only_after_its_time(journal: Journal) -> None:
    inspection = an_inspection(journal)
    for seconds, left in ((3600, 1), (0, 0)):
        publisher = FakePublisher(abandon_after={"nobody_listens": seconds})
        publisher.failure = PublishUnavailable("nobody_listens", "no queue is bound")
        Publish(publisher, journal=journal).handle(inspection)
        assert journal.backlog("fake").count == left


class DigestingPublisher(FakePublisher):
    """Tells of many events in one message, too."""

    def __init__(self) -> None:
        super().__init__()
        self.digests: list[list[str]] = []

    def publish_digest(self, inspections: Sequence[Inspection]) -> None:
        if self.failure is not None:
            raise self.failure
        self.digests.append([one.id for one in inspections])


def waiting(journal: Journal, event_id: str, digest_at: float) -> None:
    inspection = Inspection(Snapshot(event_id, "Yard Camera", "Yard", NOW, NOW, 0.1, "http"))
    journal.record(inspection.snapshot)
    decision = OutletDecision("fake", tell=True, reason="yard: every event", rule="yard", digest_at=digest_at)
    journal.inspect(replace(inspection, decisions=(decision,)))


def test_a_digest_is_one_message_and_one_retry(journal: Journal, clock: Clock) -> None:
    publisher = DigestingPublisher()
    stage = Publish(publisher, journal=journal, backoff=Backoff(60, 60))
    for event_id in ("s1", "s2", "s3"):
        waiting(journal, event_id, clock.now + 600)
    assert list(stage.pending()) == []
    clock.now += 600
    publisher.failure = AWAY
    for message in stage.pending():
        stage.handle(message)
    assert (publisher.digests, journal.backlog("fake").count, list(stage.pending())) == ([], 3, [])
    clock.now += 100
    publisher.failure = None
    for message in stage.pending():
        stage.handle(message)
    assert (publisher.digests, publisher.published) == ([["s1", "s2", "s3"]], [])
    assert (journal.backlog("fake").count, list(stage.pending())) == (0, [])


def test_a_digest_that_is_refused_for_good_is_given_up_with_all_its_events(journal: Journal, clock: Clock) -> None:
    publisher = DigestingPublisher()
    publisher.failure = PublishRejected("gone", "no such topic")
    stage = Publish(publisher, journal=journal)
    for event_id in ("s1", "s2"):
        waiting(journal, event_id, clock.now)
    (digest,) = stage.pending()
    stage.handle(digest)
    assert (journal.backlog("fake").count, journal.backlog("fake").given_up) == (0, 2)


def test_a_digest_under_way_is_not_told_again_with_what_joins_it(journal: Journal, clock: Clock) -> None:
    publisher = DigestingPublisher()
    stage = Publish(publisher, journal=journal)
    slow = Inspection(Snapshot("slow", "Yard Camera", "Yard", NOW, NOW, 0.1, "http"))
    journal.record(slow.snapshot)
    waiting(journal, "s1", clock.now)
    (first,) = stage.pending()
    decision = OutletDecision("fake", tell=True, reason="yard: every event", rule="yard", digest_at=clock.now)
    journal.inspect(replace(slow, decisions=(decision,)))
    (again,) = stage.pending()
    assert again.id == first.id  # the relay has it already
    for _ in range(2):
        stage.handle(first)
    assert publisher.digests == [["slow", "s1"]]


def test_what_is_hushed_waits_and_the_rest_is_told(journal: Journal, clock: Clock) -> None:
    publisher, hushed = DigestingPublisher(), {"Yard Camera"}
    stage = Publish(publisher, journal=journal, hushed=lambda camera: camera in hushed)
    waiting(journal, "s1", clock.now)
    assert list(stage.pending()) == []
    hushed.clear()
    for message in stage.pending():
        stage.handle(message)
    assert publisher.digests == [["s1"]]


def test_an_outlet_that_makes_no_digests_any_more_tells_of_each(journal: Journal, clock: Clock) -> None:
    publisher = FakePublisher()
    stage = Publish(publisher, journal=journal)
    for event_id in ("s1", "s2"):
        waiting(journal, event_id, clock.now)
    for message in stage.pending():
        stage.handle(message)
    assert [one.id for one in publisher.published] == ["s1", "s2"]
    assert list(stage.pending()) == []


def test_a_digest_of_very_many_waits_like_any_other_when_its_target_is_away(journal: Journal, clock: Clock) -> None:
    publisher = DigestingPublisher()
    publisher.failure = AWAY
    stage = Publish(publisher, journal=journal, backoff=Backoff(60, 60))
    for number in range(AT_ONCE + 5):
        waiting(journal, f"s{number}", clock.now)
    for message in stage.pending():
        stage.handle(message)
    clock.now += 1
    assert list(stage.pending()) == []


def test_one_refusal_after_an_outage_gives_nothing_up(journal: Journal, clock: Clock) -> None:
    publisher = FakePublisher(abandon_after={"refused": 60})
    stage = Publish(publisher, journal=journal, backoff=Backoff(1, 1))
    refused = PublishUnavailable("refused", "404")
    for failure, seconds in ((AWAY, 1000), (refused, 30), (AWAY, 30), (refused, 59)):
        publisher.failure = failure
        stage.handle(an_inspection(journal) if not publisher.attempts else next(iter(stage.pending())))
        clock.now += seconds
    assert journal.backlog("fake").given_up == 0
    clock.now += 1
    with capture_logs() as logs:
        stage.handle(next(iter(stage.pending())))
        assert journal.backlog("fake").given_up == 1
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["given up"]
