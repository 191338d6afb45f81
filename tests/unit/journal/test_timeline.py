"""The way of an event by the journal's own times."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.journal import Journal
from app.messages import Inspection, Snapshot
from tests.fakes.clock import Clock
from tests.fakes.decisions import told_to

OUTLETS = ("rabbitmq", "phone", "folder")


def snapshot(at: float, **given: object) -> Snapshot:
    """Taken 0.4 s after its trigger, whose own clock is two days slow."""
    taken = datetime.fromtimestamp(at, UTC)
    made = Snapshot("s1", "Yard Camera", "Yard", taken - timedelta(days=2), taken, 0.4, "rabbitmq", "/cache/1.jpg", 9)
    return replace(made, **given)  # type: ignore[arg-type]


def looked_at(journal: Journal, taken: Snapshot) -> None:
    journal.inspect(told_to(Inspection(taken, "hog", decision="clear"), OUTLETS))


def way(journal: Journal) -> list[tuple[str, str, float]]:
    return [(step.work, step.outlet, step.after_s) for step in journal.timeline("s1")]


def test_each_step_that_is_over_has_its_time(journal: Journal, clock: Clock) -> None:
    began = clock.now
    taken = snapshot(began + 0.4)
    clock.now = began + 0.5
    journal.record(taken)
    assert way(journal) == [("triggered", "", 0.0), ("picture", "", 0.4)]
    clock.now = began + 0.6
    looked_at(journal, taken)
    clock.now = began + 0.7
    journal.delivered("s1", "rabbitmq")
    clock.now = began + 3
    journal.delivered("s1", "folder")
    assert way(journal) == [
        ("triggered", "", 0.0),
        ("picture", "", 0.4),
        ("looked", "", 0.6),
        ("delivered", "rabbitmq", 0.7),
        ("delivered", "folder", 3.0),
    ]
    clock.now = began + 9
    journal.abandon("s1", "phone", problem="refused: gone")
    assert way(journal)[-1] == ("given_up", "phone", 9.0)
    assert journal.timeline("s1")[0].at == began


def test_what_was_pushed_begins_when_it_came_whatever_its_camera_s_clock_says(journal: Journal, clock: Clock) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    taken = snapshot(0, timestamp=long_ago, taken_at=long_ago, delay_s=0.0, origin="ftp")
    journal.record(taken)
    clock.now += 2
    looked_at(journal, taken)
    assert way(journal) == [("received", "", 0.0), ("looked", "", 2.0)]


def test_where_nothing_was_taken_or_nobody_looked_it_says_so(journal: Journal, clock: Clock) -> None:
    failed = snapshot(clock.now + 5, delay_s=5.0, path="", problem="timeout: no answer")
    journal.record(failed)
    clock.now += 6
    journal.inspect(told_to(Inspection(failed, decision="unknown", problem=failed.problem), ()))
    assert way(journal) == [("triggered", "", 0.0), ("no_picture", "", 5.0), ("decided", "", 6.0)]


def test_what_was_asked_for_later_is_not_of_its_way(journal: Journal, clock: Clock) -> None:
    taken = snapshot(clock.now)
    journal.record(taken)
    looked_at(journal, taken)
    clock.now += 3 * 3600
    journal.delivered("s1", "phone")  # after an outage
    journal.try_again("s3")  # an archive that is new
    journal.delivered("s1", "s3")
    assert [step.outlet for step in journal.timeline("s1") if step.outlet] == ["phone"]


def test_of_what_there_is_not_there_is_no_way(journal: Journal) -> None:
    assert journal.timeline("s1") == []
