"""Many together, or one alone."""

from __future__ import annotations

import threading
from contextlib import suppress

from pylib.runtime.shared_lock import SharedLock


def test_many_hold_it_together() -> None:
    lock = SharedLock()
    with lock.shared(), lock.shared():
        pass
    with lock.alone():
        pass


def test_one_alone_waits_for_those_inside_and_keeps_others_out() -> None:
    lock, told = SharedLock(), list[str]()
    begun = threading.Event()

    def alone() -> None:
        begun.set()
        with lock.alone():
            told.append("alone")
            later.start()
            later.join(0.05)  # it cannot end before this one does
            told.append("alone no more")

    def with_others() -> None:
        with lock.shared():
            told.append("later")

    one, later = threading.Thread(target=alone), threading.Thread(target=with_others)
    with lock.shared():
        one.start()
        begun.wait(5)
        one.join(0.05)
        told.append("first")
    for thread in (one, later):
        thread.join(5)
    assert told == ["first", "alone", "alone no more", "later"]


def test_it_is_free_after_an_error() -> None:
    lock = SharedLock()
    for hold in (lock.shared, lock.alone):
        with suppress(ValueError), hold():
            raise ValueError
    with lock.alone():
        pass
