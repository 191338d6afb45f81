"""Bounded calls: an answer or a timeout, and never more hanging threads than allowed."""

from __future__ import annotations

import threading

import pytest

from pylib.runtime.bounded_calls import BoundedCalls


def test_what_the_call_returns_or_raises_is_the_callers() -> None:
    bounded = BoundedCalls("test", seconds=5, hanging=1)
    assert bounded.call(lambda: 42) == 42
    assert bounded.call(lambda: threading.current_thread().daemon)  # one that hangs must not keep the process
    with pytest.raises(ZeroDivisionError):
        bounded.call(lambda: 1 // 0)
    assert bounded.call(lambda: "again") == "again"


def test_calls_that_hang_are_left_behind_and_further_ones_refused_until_one_ends() -> None:
    bounded = BoundedCalls("test", seconds=0.1, hanging=1)
    end = threading.Event()
    begun: list[int] = []

    def hang() -> None:
        begun.append(1)
        end.wait(10)

    for _ in range(3):
        with pytest.raises(TimeoutError):
            bounded.call(hang)
    assert begun == [1]
    end.set()
    assert BoundedCalls("test", seconds=5, hanging=1).call(lambda: True)
    assert bounded.call(lambda: True)
