"""Periodic jobs: on time, stopped at once, not ended by an error."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from pylib.errors import Failure
from pylib.runtime.periodic import Every, EveryWhile, Periodic

BERLIN = ZoneInfo("Europe/Berlin")


class FakeClock:
    """A clock that waiting moves."""

    def __init__(self, start: datetime) -> None:
        self.start = start.astimezone(UTC)
        self.seconds = 0.0

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, event: threading.Event, seconds: float) -> None:
        self.seconds += seconds


def runs(schedule: Every, clock: FakeClock, until: datetime, *, takes: Sequence[float] = ()) -> list[datetime]:
    """When a job of this schedule, whose first runs take so many seconds, runs in the thread's own loop."""
    ran: list[datetime] = []
    durations = iter(takes)

    def action() -> None:
        if clock.now() < until:
            ran.append(clock.now())
            clock.seconds += next(durations, 0.0)
        else:
            job.stop()

    class Until(Periodic):
        def beat(self) -> None:
            if clock.now() >= until:
                self.stop()

    job = Until("job", action, schedule, clock=clock)
    job.run()
    return ran


def seconds_of(ran: list[datetime], clock: FakeClock) -> list[float]:
    return [(moment - clock.start).total_seconds() for moment in ran]


def in_berlin(*when: int) -> datetime:
    return datetime(*when, tzinfo=BERLIN)  # type: ignore[arg-type,misc]


def test_an_interval_begins_at_once_and_does_not_drift() -> None:
    clock = FakeClock(in_berlin(2026, 1, 1))
    ran = runs(Every(5), clock, clock.start + timedelta(seconds=21), takes=[1.5] * 5)
    assert seconds_of(ran, clock) == [0, 5, 10, 15, 20]


def test_what_a_long_run_missed_is_not_made_up_for() -> None:
    clock = FakeClock(in_berlin(2026, 1, 1))
    ran = runs(Every(5), clock, clock.start + timedelta(seconds=26), takes=[17])
    assert seconds_of(ran, clock) == [0, 17, 20, 25]


def test_an_interval_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 0"):
        Every(0)


def started(action: Callable[[], object], schedule: Every) -> Periodic:
    job = Periodic("job", action, schedule)
    job.start()
    return job


def test_stop_ends_the_wait_at_once() -> None:
    ran = threading.Event()
    job = started(ran.set, Every(3600))
    assert ran.wait(60)
    job.stop()
    assert job.join(60)


def test_a_stopped_job_does_not_run_once_more() -> None:
    count: list[int] = []
    job = Periodic("job", lambda: count.append(1), Every(0.001))
    job.stop()
    job.run()
    assert count == []


def test_it_beats_while_it_waits() -> None:
    clock = FakeClock(in_berlin(2026, 1, 1))
    beats: list[float] = []

    class Counted(Periodic):
        def beat(self) -> None:
            beats.append(clock.seconds)
            if clock.seconds >= 60:
                self.stop()

    Counted("job", lambda: None, Every(3600), clock=clock).run()
    assert max(later - earlier for earlier, later in pairwise(beats)) <= 5


def test_an_error_is_logged_and_counted_and_the_next_run_comes() -> None:
    count, again = [0], threading.Event()

    def action() -> None:
        count[0] += 1
        if count[0] == 1:
            raise RuntimeError("unexpected")
        if count[0] == 2:
            raise Failure("quota", "no space left on the drive")
        again.set()

    with capture_logs() as lines:
        job = started(action, Every(0.001))
        assert again.wait(60)
        job.stop()
        assert job.join(60)
    assert job.failures == 0
    told = [(line["log_level"], line["event"]) for line in lines[:3]]
    assert told == [("error", "job failed"), ("warning", "job failed"), ("info", "job works again")]
    assert lines[0]["exc_info"]
    assert lines[1]["reason"] == "quota: no space left on the drive"


def test_a_job_that_always_fails_does_not_fill_the_log() -> None:
    clock = FakeClock(in_berlin(2026, 1, 1))

    def action() -> None:
        if clock.seconds >= 5000:
            job.stop()
        raise RuntimeError("no")

    job = Periodic("job", action, Every(5), clock=clock)
    with capture_logs() as lines:
        job.run()
    assert job.failures > 1000
    assert [line["failures"] for line in lines] == [2**n for n in range(10)]


def test_after_a_crash_of_the_thread_a_run_that_was_taken_is_not_run_again() -> None:
    clock = FakeClock(in_berlin(2026, 6, 1, 3))
    count: list[int] = []

    class Crashes(BaseException):
        """Not an error of the job: it ends the thread."""

    def action() -> None:
        count.append(1)
        raise Crashes

    job = Periodic("job", action, Every(3600), clock=clock)
    with pytest.raises(Crashes):
        job.run()
    clock.wait = lambda event, seconds: job.stop()  # type: ignore[method-assign]
    job.run()
    assert count == [1]


def test_what_runs_while_something_holds_runs_at_once_when_it_begins_to() -> None:
    clock = FakeClock(datetime(2026, 1, 1, tzinfo=UTC))
    schedule = EveryWhile(5.0, lambda: 2.1 <= clock.seconds < 8 or clock.seconds >= 14.5, looks=0.25)
    ran = runs(schedule, clock, clock.start + timedelta(seconds=25))
    assert seconds_of(ran, clock) == pytest.approx([2.25, 7.25, 14.5, 19.5, 24.5])
