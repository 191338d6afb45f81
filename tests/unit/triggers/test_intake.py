"""Triggers of our own making: recorded first, then taken up; and the clock that makes them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.journal import Journal
from app.triggers.intake import Intake, new_trigger
from app.triggers.schedule import Schedule
from pylib.database import DatabaseUnavailable


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.db")
    journal.open()
    journal.database.start()
    yield journal
    journal.database.stop()
    assert journal.database.join(5)


def test_what_is_submitted_is_recorded_and_then_handed_out_in_order(journal: Journal) -> None:
    intake = Intake(journal)
    submitted = [new_trigger("Yard Camera", label="Yard", origin="http") for _ in range(3)]
    for trigger in submitted:
        intake.submit(trigger)
    assert [trigger.id for trigger in journal.accepted(older_than=0)] == [trigger.id for trigger in submitted]
    assert [list(intake.poll(1)) for _ in range(3)] == [[trigger] for trigger in submitted]
    assert list(intake.poll(0.01)) == []


def test_what_cannot_be_recorded_is_not_accepted(journal: Journal) -> None:
    intake = Intake(journal)
    journal.database.stop()
    assert journal.database.join(5)
    with pytest.raises(DatabaseUnavailable):
        intake.submit(new_trigger("Yard Camera", label="Yard", origin="http"))
    assert list(intake.poll(0.01)) == []


def test_a_schedule_triggers_each_camera_at_its_own_pace(journal: Journal) -> None:
    intake = Intake(journal)
    schedule = Schedule(intake)
    schedule.add("Quick Camera", label="Quick", every=0.05)
    schedule.add("Slow Camera", label="Slow", every=0.4)
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        schedule.tick()
        time.sleep(0.005)
    cameras = [trigger.camera for trigger in journal.accepted(older_than=0)]
    assert cameras.count("Quick Camera") > 3 * cameras.count("Slow Camera")
    assert cameras.count("Slow Camera") >= 1


def test_a_schedule_that_was_held_up_does_not_catch_up(journal: Journal) -> None:
    intake = Intake(journal)
    schedule = Schedule(intake)
    schedule.add("Yard Camera", label="Yard", every=0.01)
    time.sleep(0.1)
    schedule.tick()
    schedule.tick()
    assert len(journal.accepted(older_than=0)) == 1
