"""Triggers of our own making: recorded first, then taken up; and the clock that makes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.journal import Journal
from app.triggers import schedule as module
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
    assert journal.database.join(60)


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
    assert journal.database.join(60)
    with pytest.raises(DatabaseUnavailable):
        intake.submit(new_trigger("Yard Camera", label="Yard", origin="http"))
    assert list(intake.poll(0.01)) == []


def test_a_schedule_triggers_each_camera_at_its_own_pace(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    intake = Intake(journal)
    schedule = Schedule(intake)
    now = [1000.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    schedule.add("Quick Camera", label="Quick", every=1)
    schedule.add("Slow Camera", label="Slow", every=8)
    for _ in range(24):
        now[0] += 1
        schedule.tick()
    cameras = [trigger.camera for trigger in journal.accepted(older_than=0)]
    assert (cameras.count("Quick Camera"), cameras.count("Slow Camera")) == (24, 3)


def test_a_schedule_that_was_held_up_does_not_catch_up(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    intake = Intake(journal)
    schedule = Schedule(intake)
    now = [1000.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    schedule.add("Yard Camera", label="Yard", every=1)
    now[0] += 10
    schedule.tick()
    schedule.tick()
    assert len(journal.accepted(older_than=0)) == 1
