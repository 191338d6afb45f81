"""The supervisor: order, restarts, and an end by the deadline."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from pylib.runtime import supervisor as module
from pylib.runtime.supervisor import EXIT_FAULT, Supervisor
from pylib.runtime.threads import ManagedThread


@pytest.fixture(autouse=True)
def _signal_handlers() -> Iterator[None]:
    """The supervisor takes the signals of its process over: give the test runner's back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Worker(ManagedThread):
    """Notes what happens to it."""

    def __init__(self, name: str, diary: list[str], *, dies: int = 0, ignores_stop: float = 0) -> None:
        super().__init__(name)
        self.diary = diary
        self.dies = dies
        self.ignores_stop = ignores_stop
        self.abandoned = threading.Event()

    def run(self) -> None:
        self.diary.append(f"start {self.name}")
        if self.dies:
            self.dies -= 1
            raise RuntimeError("as the test wants it")
        while not self.stopping.wait(0.005):
            self.beat()
        self.abandoned.wait(self.ignores_stop)
        self.diary.append(f"stop {self.name}")

    def pause(self) -> None:
        self.diary.append(f"pause {self.name}")

    def abandon(self) -> None:
        self.abandoned.set()


def run(supervisor: Supervisor, *, until: Callable[[], bool]) -> int:
    """Run it until it ends by itself, something has come true, or a few seconds are over."""
    ended = threading.Event()

    def ask() -> None:
        deadline = time.monotonic() + 10
        while not until() and time.monotonic() < deadline and not ended.wait(0.005):
            pass
        supervisor.request_stop()

    asking = threading.Thread(target=ask)
    asking.start()
    status = supervisor.run()
    ended.set()
    asking.join()
    return status


def test_a_signal_before_it_runs_lets_it_end_before_it_begins() -> None:
    diary: list[str] = []
    supervisor = Supervisor([Worker("only", diary)], grace=1)
    supervisor.take_signals()
    os.kill(os.getpid(), signal.SIGTERM)
    assert supervisor.run() == 0
    assert diary == []


class Clock:
    """Time as the supervisor sees it: `step` seconds pass whenever it looks."""

    def __init__(self, step: float) -> None:
        self.now = 1000.0
        self.step = step

    def monotonic(self) -> float:
        self.now += self.step
        return self.now


def test_threads_start_downstream_first_and_stop_upstream_first_after_all_were_paused() -> None:
    diary: list[str] = []
    threads = [Worker(name, diary) for name in ("source", "stage", "sink")]
    supervisor = Supervisor(threads, grace=20)
    assert run(supervisor, until=lambda: len(diary) == 3) == 0
    starts = ["start sink", "start stage", "start source"]
    pauses = ["pause source", "pause stage", "pause sink"]
    assert sorted(diary[:3]) == sorted(starts)
    assert diary[3:] == [*pauses, "stop source", "stop stage", "stop sink"]


def test_a_dead_thread_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WATCH_EVERY_S", 0.01)
    monkeypatch.setattr(module, "BACKOFF_FIRST_S", 0.001)
    diary: list[str] = []
    restarted: list[str] = []
    worker = Worker("stage", diary, dies=2)
    supervisor = Supervisor([worker], grace=20, on_restart=restarted.append)
    assert run(supervisor, until=lambda: diary.count("start stage") == 3) == 0
    assert diary.count("start stage") == 3
    assert restarted == ["stage", "stage"]
    assert diary[-1] == "stop stage"


def test_a_thread_that_dies_again_and_again_ends_the_process_with_a_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "WATCH_EVERY_S", 0.01)
    monkeypatch.setattr(module, "BACKOFF_FIRST_S", 0.0001)
    diary: list[str] = []
    healthy = Worker("healthy", diary)
    stage = Worker("stage", diary, dies=20)
    assert run(Supervisor([stage, healthy], grace=20), until=lambda: not stage.dies) == EXIT_FAULT
    assert diary.count("start stage") == module.RESTARTS + 1
    assert "stop healthy" in diary


def test_each_restart_waits_twice_as_long_as_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, restarts = Clock(0.5), list[float]()
    monkeypatch.setattr(module, "WATCH_EVERY_S", 0.001)
    monkeypatch.setattr(module, "time", clock)
    stage = Worker("stage", [], dies=20)
    supervisor = Supervisor([stage], grace=20, on_restart=lambda _: restarts.append(clock.now))
    assert run(supervisor, until=lambda: not stage.dies) == EXIT_FAULT
    deaths = [1000.5, *(moment + 0.5 for moment in restarts)]
    assert [restart - death for death, restart in zip(deaths, restarts, strict=False)] == [0.5, 1, 2, 4, 8]
    assert isinstance(stage.error, RuntimeError)


def test_deaths_that_lie_far_apart_are_no_reason_to_give_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WATCH_EVERY_S", 0.001)
    monkeypatch.setattr(module, "time", Clock(200))
    diary: list[str] = []
    worker = Worker("stage", diary, dies=8)
    assert run(Supervisor([worker], grace=10_000), until=lambda: diary.count("start stage") == 9) == 0
    assert diary[-1] == "stop stage"
    assert worker.error is None


def test_a_thread_without_progress_ends_the_process_with_a_fault_and_says_where_it_stands(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "WATCH_EVERY_S", 0.01)
    release = threading.Event()

    class Stuck(ManagedThread):
        stall_after = 0.05

        def run(self) -> None:
            release.wait(10)

        def stop(self) -> None:
            release.set()

    assert Supervisor([Stuck("stuck")], grace=5).run() == EXIT_FAULT
    assert "most recent call first" in capfd.readouterr().err


def test_a_thread_that_was_dead_for_long_is_not_stuck_when_it_starts_again() -> None:
    worker = Worker("stage", [])
    worker.stall_after = 5.0
    worker._beat -= 3600
    worker.start()
    assert not worker.stuck
    worker.stop()
    assert worker.join(5)


def test_a_thread_that_does_not_finish_leaves_time_for_those_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, allowed = Clock(0), list[float]()
    monkeypatch.setattr(module, "time", clock)

    class Hangs(ManagedThread):
        """Takes all the time that it gets, and does not end."""

        alive = True

        def run(self) -> None:
            """Never called here."""

        def join(self, timeout: float) -> bool:
            allowed.append(timeout)
            clock.now += timeout
            return False

    supervisor = Supervisor([Hangs("one"), Hangs("two"), Hangs("three")], grace=20)
    supervisor.stop()
    assert allowed == [10, 1, 4.5, 1, 1.75, 1]
    assert not supervisor.stopped_cleanly


def test_a_thread_that_does_not_finish_is_abandoned() -> None:
    diary: list[str] = []
    slow = Worker("slow", diary, ignores_stop=60)
    supervisor = Supervisor([slow, Worker("next", diary)], grace=1.0)
    assert run(supervisor, until=lambda: len(diary) == 2) == 0
    assert slow.abandoned.is_set()
    assert "stop next" in diary
    assert supervisor.stopped_cleanly


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_with_success(number: signal.Signals) -> None:
    diary: list[str] = []

    class Signals(Worker):
        def run(self) -> None:
            os.kill(os.getpid(), number)
            if not self.stopping.wait(10):
                diary.append("nobody heard it")
                supervisor.request_stop()

    supervisor = Supervisor([Signals("stage", diary)], grace=20)
    assert supervisor.run() == 0
    assert diary == ["pause stage"]


def test_a_signal_while_it_ends_for_another_reason_is_the_first_one_and_is_remembered() -> None:
    class Signals(Worker):
        def pause(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)

    supervisor = Supervisor([Signals("stage", [])], grace=20)
    assert run(supervisor, until=lambda: supervisor.threads[0].alive) == 0
    assert supervisor.signalled


@pytest.mark.parametrize(("grace", "asked", "left"), [(60, 0, True), (0, 60, True), (60, 60, False)])
def test_a_stop_may_be_in_more_of_a_hurry_than_others_and_never_in_less(grace: float, asked: float, left: bool) -> None:
    class Asks(Worker):
        def run(self) -> None:
            supervisor.request_stop(grace=asked)
            self.abandoned.wait(0 if not left else 60)

    asks = Asks("asks", [])
    supervisor = Supervisor([asks], grace=grace)
    assert supervisor.run() == 0
    assert asks.abandoned.is_set() is left


IN_A_HURRY = """
import os, signal
from pylib.runtime.supervisor import Supervisor
from pylib.runtime.threads import ManagedThread

class Hangs(ManagedThread):
    def run(self):
        os.kill(os.getpid(), signal.SIGTERM)
        self.stopping.wait()

    def stop(self):
        super().stop()
        os.kill(os.getpid(), signal.SIGTERM)

Supervisor([Hangs("stage")], grace=0).run()
"""


def test_a_second_signal_exits_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", IN_A_HURRY], timeout=60, check=False, capture_output=True)
    assert done.returncode == 128 + signal.SIGTERM


SIGNALLED = """
import signal, time
from pylib.runtime.supervisor import Supervisor

def interrupted(*_):
    supervisor.request_stop()

signal.signal(signal.SIGALRM, interrupted)
end = time.monotonic() + 0.5
while time.monotonic() < end:
    supervisor = Supervisor([], grace=1)
    signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
    assert supervisor.run() == 0
signal.setitimer(signal.ITIMER_REAL, 0)
"""


def test_a_signal_at_any_moment_ends_the_wait_and_hangs_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", SIGNALLED], timeout=60, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
