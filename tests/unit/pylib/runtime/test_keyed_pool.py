"""The keyed pool: many keys at once, one job at a time for each, in order."""

import threading
import time

import pytest

from pylib.runtime.keyed_pool import KeyedPool


def test_jobs_of_one_key_run_in_order_and_never_together() -> None:
    pool = KeyedPool("pool", workers=8)
    ran: list[int] = []
    at_once = []
    running = threading.Semaphore(1)

    def job(number: int) -> None:
        at_once.append(running.acquire(blocking=False))
        time.sleep(0.001)
        ran.append(number)
        running.release()

    for number in range(50):
        pool.submit("camera", lambda number=number: job(number))  # type: ignore[misc]
    pool.close(abandon=False)
    assert pool.join(60)
    assert ran == list(range(50))
    assert all(at_once)


def test_a_key_that_hangs_costs_only_itself() -> None:
    pool = KeyedPool("pool", workers=2)
    hang, done = threading.Event(), threading.Event()

    def wait() -> None:
        hang.wait(5)

    pool.submit("hanging", wait)
    pool.submit("hanging", lambda: None)
    for _ in range(20):
        pool.submit("healthy", lambda: None)
    pool.submit("healthy", done.set)
    assert done.wait(60)
    assert pool.waiting("hanging") == 1
    hang.set()
    pool.close(abandon=False)
    assert pool.join(60)


@pytest.mark.parametrize("first_dies", [False, True])
def test_the_key_that_has_waited_longest_is_next(monkeypatch: pytest.MonkeyPatch, first_dies: bool) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    pool = KeyedPool("pool", workers=1)
    go_on = threading.Event()
    ran: list[str] = []

    def first() -> None:
        go_on.wait(5)
        if first_dies:
            raise SystemExit

    pool.submit("busy", first)
    for key in ("busy", "busy", "second", "third"):
        pool.submit(key, lambda key=key: ran.append(key))  # type: ignore[misc]
    go_on.set()
    pool.close(abandon=False)
    assert pool.join(5)
    assert ran == ["second", "third", "busy", "busy"]


def test_a_thread_that_fell_idle_is_used_again() -> None:
    pool = KeyedPool("pool", workers=1)
    for _ in range(3):
        done = threading.Event()
        pool.submit("a", done.set)
        assert done.wait(5)
        while pool.busy:
            time.sleep(0.001)
    pool.close(abandon=False)
    assert pool.join(5)


def test_all_threads_work_when_as_many_keys_have_jobs() -> None:
    pool = KeyedPool("pool", workers=10)
    together = threading.Barrier(10)

    def meet() -> None:
        together.wait(5)

    for key in range(10):
        pool.submit(str(key), meet)
    pool.close(abandon=False)
    assert pool.join(60)
    assert not together.broken


def test_abandoning_finishes_what_runs_and_drops_what_waits() -> None:
    pool = KeyedPool("pool", workers=1)
    begun, go_on = threading.Event(), threading.Event()
    ran: list[str] = []

    def first() -> None:
        begun.set()
        go_on.wait(5)
        ran.append("first")

    pool.submit("a", first)
    pool.submit("a", lambda: ran.append("same key"))
    pool.submit("b", lambda: ran.append("other key"))
    assert begun.wait(60)
    pool.close(abandon=True)
    go_on.set()
    assert pool.join(60)
    assert ran == ["first"]


def test_a_job_that_kills_its_thread_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)  # the test runner's would call it a warning
    pool = KeyedPool("pool", workers=1)
    done = threading.Event()

    def die() -> None:
        raise SystemExit

    pool.submit("a", die)
    pool.submit("a", lambda: None)
    pool.submit("b", done.set)
    assert done.wait(60)
    pool.close(abandon=False)
    assert pool.join(60)


def test_without_workers_a_job_is_done_when_submit_returns() -> None:
    pool = KeyedPool("pool", workers=0)
    ran_in: list[threading.Thread] = []
    pool.submit("a", lambda: ran_in.append(threading.current_thread()))
    assert ran_in == [threading.current_thread()]
    assert not pool.busy
    pool.close(abandon=False)
    assert pool.join(0)
