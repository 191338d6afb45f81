"""Turns: one at a time for each key, and no key waits for another."""

from __future__ import annotations

import threading
import time

import pytest

from pylib.runtime.key_locks import KeyedLock


def test_one_at_a_time_is_at_a_key() -> None:
    turns = KeyedLock()
    inside, most = 0, 0

    def take() -> None:
        nonlocal inside, most
        for _ in range(5):
            with turns.take("key"):
                inside += 1
                most = max(most, inside)
                time.sleep(0.001)
                inside -= 1

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most == 1
    assert len(turns) == 0


def test_no_key_waits_for_another() -> None:
    turns = KeyedLock()
    with turns.take("one"):
        other = threading.Thread(target=lambda: turns.take("two").__enter__())
        other.start()
        other.join(5)
        assert not other.is_alive()


def test_a_turn_ends_with_an_error_too() -> None:
    turns = KeyedLock()
    with pytest.raises(ZeroDivisionError), turns.take("key"):
        _ = 1 / 0
    with turns.take("key"):
        assert len(turns) == 1
