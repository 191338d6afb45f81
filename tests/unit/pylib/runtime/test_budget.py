"""What threads share is never given twice, and comes back."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest

from pylib.runtime.budget import Budget


@pytest.mark.parametrize(("amount", "together"), [(40, 2), (60, 1), (1000, 1), (10, 8)])
def test_no_more_is_held_than_there_is(amount: int, together: int) -> None:
    budget, lock, meet = Budget(100), threading.Lock(), threading.Barrier(together)
    inside, most, never = 0, 0, threading.Event()

    def work() -> None:
        nonlocal inside, most
        with budget.take(amount):
            with lock:
                inside += 1
                most = max(most, inside)
            meet.wait(60)
            never.wait(0.02)  # nobody sets it: others have this long to come in
            with lock:
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (inside, most) == (0, together)


def test_it_comes_back_after_an_error() -> None:
    budget = Budget(1)
    with suppress(ValueError), budget.take(1):
        raise ValueError
    with budget.take(1):
        pass
