"""The mode of the home and the snoozes, which survive a restart."""

from __future__ import annotations

import pytest

from app.journal import Journal
from app.rules.telling import EVERYWHERE, Snooze, Switch, Telling
from tests.fakes.clock import Clock

DOOR, YARD = "Door Camera", "Yard Camera"


def test_the_mode_is_home_until_it_is_switched_and_stays_so_over_a_restart(journal: Journal) -> None:
    telling = Telling(journal)
    assert telling.mode == "home"
    telling.set_mode("away")
    assert (telling.mode, Telling(journal).mode) == ("away", "away")
    with pytest.raises(ValueError, match="home, away, night"):
        telling.set_mode("holiday")
    assert telling.mode == "away"


def test_a_snooze_is_of_one_camera_or_of_all_and_ends_by_itself(journal: Journal) -> None:
    clock = Clock(1000.0)
    telling = Telling(journal, clock=clock)
    assert telling.snoozed(DOOR) is None
    telling.snooze(DOOR, seconds=60)
    assert telling.snoozed(DOOR) == Snooze(DOOR, 1060.0)
    assert telling.snoozed(YARD) is None
    telling.snooze(seconds=30)
    assert (telling.snoozed(YARD), telling.snoozed(DOOR)) == (Snooze(EVERYWHERE, 1030.0), Snooze(DOOR, 1060.0))
    assert Telling(journal, clock=clock).snoozed(YARD) == Snooze(EVERYWHERE, 1030.0)
    clock.now += 30
    assert (telling.snoozed(YARD), telling.snoozed(DOOR)) == (None, Snooze(DOOR, 1060.0))


def test_a_snooze_without_an_end_lasts_until_somebody_ends_it(journal: Journal) -> None:
    telling = Telling(journal)
    telling.snooze(DOOR)
    telling.snooze(seconds=60)
    assert telling.snoozed(DOOR) == Snooze(DOOR, None)
    telling.wake(DOOR)
    telling.wake()
    assert (telling.snoozed(DOOR), Telling(journal).snoozed(DOOR)) == (None, None)


def test_whoever_listens_hears_of_every_change(journal: Journal) -> None:
    telling, heard = Telling(journal), []
    telling.listen(lambda: heard.append((telling.mode, telling.snoozed(DOOR) is not None)))
    telling.set_mode("night")
    telling.snooze(DOOR)
    telling.wake(DOOR)
    assert heard == [("night", False), ("night", True), ("night", False)]


def test_all_snoozes_that_last_are_listed_each_by_itself(journal: Journal) -> None:
    clock = Clock(1000.0)
    telling = Telling(journal, clock=clock)
    telling.snooze(YARD, seconds=60)
    telling.snooze(DOOR, seconds=120)
    telling.snooze()
    clock.now += 60
    assert telling.snoozes == (Snooze(EVERYWHERE, None), Snooze(DOOR, 1120.0))


def test_what_was_switched_elsewhere_is_taken_over_unless_it_is_older(journal: Journal) -> None:
    clock = Clock(1000.0)
    here = Telling(journal, clock=clock)
    here.set_mode("away")
    here.snooze(DOOR)
    here.adopt([Switch(900.0, mode="night"), Switch(1100.0, camera=DOOR), Switch(1100.0, camera=YARD, until=5000.0)])
    assert (here.mode, here.snoozes) == ("away", (Snooze(YARD, 5000.0),))
    here.adopt([Switch(1100.0, mode="night"), Switch(2000.0, mode="holiday")])
    assert (here.mode, Telling(journal, clock=clock).mode) == ("night", "night")


def test_a_service_that_hears_of_all_switches_is_as_this_one(journal: Journal) -> None:
    clock = Clock(1000.0)
    here = Telling(journal, clock=clock)
    assert here.switches == ()
    here.set_mode("night")
    here.snooze(DOOR, seconds=60)
    here.wake(YARD)
    said = (Switch(1000.0, mode="night"), Switch(1000.0, camera=DOOR, until=1060.0), Switch(1000.0, camera=YARD))
    assert set(here.switches) == set(Telling(journal, clock=clock).switches) == set(said)


def test_a_switch_counts_though_an_earlier_one_came_from_a_clock_that_is_ahead(journal: Journal) -> None:
    here = Telling(journal, clock=Clock(1000.0))
    ahead = Switch(5000.0, mode="night")
    here.adopt([ahead])
    here.set_mode("away")
    here.adopt([ahead])
    assert here.mode == "away"
