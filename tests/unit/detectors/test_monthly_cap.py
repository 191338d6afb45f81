"""A month has so many, and no more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from app.detectors.monthly_cap import MonthlyCap


def test_no_cap_is_no_limit_and_asks_nobody() -> None:
    cap = MonthlyCap(0, before=lambda: 1 // 0)
    assert all(cap.take() for _ in range(1000))


def test_what_the_month_had_before_counts() -> None:
    cap = MonthlyCap(10, before=lambda: 8)
    assert [cap.take() for _ in range(4)] == [True, True, False, False]


def test_what_is_given_back_can_be_taken_again() -> None:
    cap = MonthlyCap(1, before=lambda: 0)
    assert cap.take()
    cap.give_back()
    cap.give_back()  # more than was taken is no more to take
    assert [cap.take(), cap.take()] == [True, False]


def test_a_new_month_starts_from_nothing() -> None:
    today = datetime(2026, 12, 31, tzinfo=UTC)
    cap = MonthlyCap(2, before=lambda: 2 if today.year == 2026 else 0, now=lambda: today)
    assert not cap.take()
    today = datetime(2027, 1, 1, tzinfo=UTC)
    assert [cap.take(), cap.take(), cap.take()] == [True, True, False]


def test_a_clock_that_jumps_to_another_month_and_back_begins_none_anew() -> None:
    today, calls = datetime(2026, 11, 3, tzinfo=UTC), [datetime(2026, 11, 1, tzinfo=UTC)]
    cap = MonthlyCap(2, before=lambda: sum(one.month == today.month for one in calls), now=lambda: today)
    assert cap.take()
    calls.append(today)
    today = datetime(1970, 1, 1, tzinfo=UTC)
    cap.take()
    today = datetime(2026, 11, 3, tzinfo=UTC)
    assert not cap.take()


def test_many_threads_take_no_more_than_there_is() -> None:
    cap = MonthlyCap(50, before=lambda: 0)
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: cap.take(), range(400))) == 50
