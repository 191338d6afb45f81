"""The supervisor: order, restarts, and an end by the deadline."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from pylib import supervisor as module
from pylib.supervisor import EXIT_FAULT, Supervisor
from pylib.threads import Loop


@pytest.fixture(autouse=True)
def _signal_handlers() -> Iterator[None]:
    """The supervisor takes the signals of its process over: give the test runner's back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Worker(Loop):
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


def run(supervisor: Supervisor, *, until: float) -> int:
    threading.Timer(until, supervisor.request_stop).start()
    return supervisor.run()


def test_threads_start_downstream_first_and_stop_upstream_first_after_all_were_paused() -> None:
    diary: list[str] = []
    threads = [Worker(name, diary) for name in ("source", "stage", "sink")]
    assert run(Supervisor(threads, grace=5), until=0.1) == 0
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

    def note(name: str) -> None:
        restarted.append(name)
        if len(restarted) == 2:
            supervisor.request_stop()

    supervisor = Supervisor([worker], grace=60, on_restart=note)
    assert supervisor.run() == 0
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
    assert Supervisor([Worker("stage", diary, dies=100), healthy], grace=5).run() == EXIT_FAULT
    assert diary.count("start stage") == module.RESTARTS + 1
    assert "stop healthy" in diary


def test_a_thread_without_progress_ends_the_process_with_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WATCH_EVERY_S", 0.01)
    release = threading.Event()

    class Stuck(Loop):
        stall_after = 0.05

        def run(self) -> None:
            release.wait(10)

        def stop(self) -> None:
            release.set()

    assert Supervisor([Stuck("stuck")], grace=5).run() == EXIT_FAULT


@pytest.mark.timeout(45)
def test_a_thread_that_does_not_finish_leaves_time_for_those_after_it() -> None:
    diary: list[str] = []
    slow = Worker("slow", diary, ignores_stop=60)
    supervisor = Supervisor([slow, Worker("next", diary)], grace=1.0)
    assert run(supervisor, until=0.05) == 0
    assert slow.abandoned.is_set()
    assert "stop next" in diary
    assert supervisor.stopped_cleanly


def test_a_termination_signal_ends_the_run_with_success() -> None:
    diary: list[str] = []
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
    assert Supervisor([Worker("stage", diary)], grace=5).run() == 0
    assert diary[-1] == "stop stage"


SIGNALLED = """
import signal, time
from pylib.supervisor import Supervisor

def interrupted(*_):
    supervisor.request_stop()

signal.signal(signal.SIGALRM, interrupted)
end = time.monotonic() + 2
while time.monotonic() < end:
    supervisor = Supervisor([], grace=1)
    signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
    assert supervisor.run() == 0
signal.setitimer(signal.ITIMER_REAL, 0)
"""


def test_a_signal_at_any_moment_ends_the_wait_and_hangs_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", SIGNALLED], timeout=60, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
