"""So many calls a second, and no more."""

from __future__ import annotations

import pytest

from app.detectors.rate import Rate


class Clock:
    """Time passes while somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waited: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds


def rate(clock: Clock, per_second: float) -> Rate:
    return Rate(per_second, patience=5.0, clock=clock, wait=clock.wait)


def test_without_a_limit_nobody_waits() -> None:
    clock = Clock()
    assert all(rate(clock, 0).take() for _ in range(1000))
    assert clock.waited == []


def test_a_second_s_worth_comes_at_once_and_then_one_after_the_other() -> None:
    clock = Clock()
    turns = rate(clock, 4)
    assert all(turns.take() for _ in range(8))
    assert clock.waited == pytest.approx([0.25] * 4)


def test_less_than_one_a_second_is_one_at_a_time() -> None:
    clock = Clock()
    turns = rate(clock, 0.5)
    assert [turns.take(), turns.take()] == [True, True]
    assert clock.waited == pytest.approx([2.0])


def test_a_turn_that_is_too_far_away_is_refused_at_once_and_takes_no_turn() -> None:
    clock = Clock()
    turns = rate(clock, 0.1)
    assert [turns.take(), turns.take(), turns.take()] == [True, False, False]
    assert clock.waited == []
    clock.now += 10
    assert turns.take()


def test_what_was_not_used_does_not_pile_up() -> None:
    clock = Clock()
    turns = rate(clock, 2)
    turns.take()
    clock.now += 3600
    assert all(turns.take() for _ in range(3))
    assert clock.waited == pytest.approx([0.5])
