"""Triggers of our own making: recorded first, then taken up; and the clock that makes them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.journal import Journal
from app.sources import new_trigger
from app.sources.requests import Intake
from app.sources.schedule import Schedule
from pylib.sqlite import DatabaseUnavailable
from tests.fakes.clock import Clock


def test_what_is_submitted_is_recorded_and_then_handed_out_in_order(journal: Journal) -> None:
    intake = Intake(journal)
    submitted = [new_trigger("Yard Camera", label="Yard", origin="http") for _ in range(3)]
    for trigger in submitted:
        intake.submit(trigger)
    assert [trigger.id for trigger in journal.accepted(older_than=0)] == [trigger.id for trigger in submitted]
    assert [list(intake.poll(1)) for _ in range(3)] == [[trigger] for trigger in submitted]
    assert list(intake.poll(0.01)) == []


def test_what_is_known_of_a_trigger_comes_with_it() -> None:
    timestamp = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    trace = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "baggage": "a=b"}
    known = {"timestamp": timestamp, "active_input": {"device_key": "Beam"}, **trace}
    trigger = new_trigger("Yard Camera", label="Yard", origin="http", **known)  # type: ignore[arg-type]
    assert {name: getattr(trigger, name) for name in known} == known
    assert not trigger.queued


def test_a_trace_that_is_none_is_left_out() -> None:
    trigger = new_trigger("Yard Camera", label="Yard", origin="http", traceparent="x" * 200_000, baggage="y" * 200_000)
    assert (trigger.traceparent, trigger.baggage) == ("", "")


def test_what_cannot_be_recorded_is_not_accepted(journal: Journal) -> None:
    intake = Intake(journal)
    journal.database.stop()
    assert journal.database.join(60)
    with pytest.raises(DatabaseUnavailable):
        intake.submit(new_trigger("Yard Camera", label="Yard", origin="http"))
    assert list(intake.poll(0.01)) == []


def test_a_schedule_triggers_each_camera_at_its_own_pace_soon_but_not_all_at_once(
    journal: Journal, clock: Clock
) -> None:
    schedule = Schedule(Intake(journal), clock=clock)
    schedule.add("Quick Camera", label="Quick", every=5)
    schedule.add("Slow Camera", label="Slow", every=20)
    clock.now += 1
    schedule.tick()
    assert [trigger.camera for trigger in journal.accepted(older_than=0)] == ["Quick Camera"]
    for _ in range(39):
        clock.now += 1
        schedule.tick()
    triggers = journal.accepted(older_than=0)
    pace = [trigger.camera for trigger in triggers]
    assert pace == ["Quick Camera", "Slow Camera", *["Quick Camera"] * 4, "Slow Camera", *["Quick Camera"] * 3]
    assert {(trigger.label, trigger.origin) for trigger in triggers} == {("Quick", "schedule"), ("Slow", "schedule")}


def test_a_schedule_that_was_held_up_does_not_catch_up(journal: Journal, clock: Clock) -> None:
    schedule = Schedule(Intake(journal), clock=clock)
    schedule.add("Yard Camera", label="Yard", every=1)
    clock.now += 10
    schedule.tick()
    schedule.tick()
    assert len(journal.accepted(older_than=0)) == 1


def test_of_several_replicas_the_leader_alone_triggers_and_another_goes_on_at_the_same_pace(
    journal: Journal, clock: Clock
) -> None:
    leads = [False]
    schedule = Schedule(Intake(journal), leads=lambda: leads[0], clock=clock)
    schedule.add("Yard Camera", label="Yard", every=10)
    clock.now += 15
    schedule.tick()
    leads[0] = True
    clock.now += 9
    schedule.tick()
    assert journal.accepted(older_than=0) == []
    clock.now += 1
    schedule.tick()
    assert len(journal.accepted(older_than=0)) == 1
