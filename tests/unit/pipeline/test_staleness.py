"""How old a trigger is, with sensors whose clocks cannot be trusted."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from app.pipeline.staleness import delay_of, is_stale
from tests.fakes.triggers import a_trigger

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds_ago", "queued", "stale"),
    [
        (5, False, False),
        (5, True, False),
        (500, True, True),
        (500, False, False),  # caught up: its clock is wrong
        (-500, True, False),  # ahead of ours
        (10**9, False, False),
    ],
)
def test_only_what_waited_is_as_old_as_it_says(seconds_ago: float, queued: bool, stale: bool) -> None:
    trigger = a_trigger(timestamp=NOW - timedelta(seconds=seconds_ago), queued=queued)
    assert is_stale(trigger, NOW, max_age=120) is stale


def test_what_waited_in_this_process_is_as_old_as_that_whatever_its_clock_says() -> None:
    trigger = a_trigger(timestamp=NOW + timedelta(days=1), arrived=time.monotonic() - 121)
    assert is_stale(trigger, NOW, max_age=120)


def test_a_maximum_of_zero_means_never() -> None:
    trigger = a_trigger(timestamp=NOW - timedelta(days=30), queued=True)
    assert not is_stale(trigger, NOW, max_age=0)


@pytest.mark.parametrize(
    ("seconds_ago", "waited", "queued", "delay"),
    [
        (3, 1, False, 3),  # two seconds on the way
        (-10, 1, False, 1),  # a clock ahead of ours
        (10**9, 1, False, 1),  # a clock that stands still
        (500, 1, True, 500),  # a backlog
    ],
)
def test_the_delay_believes_a_clock_no_further_than_it_can_be_true(
    seconds_ago: float, waited: float, queued: bool, delay: float
) -> None:
    trigger = a_trigger(timestamp=NOW - timedelta(seconds=seconds_ago), queued=queued)
    assert delay_of(trigger, NOW, waited=waited) == delay
