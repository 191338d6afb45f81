"""Periodic jobs: on time, once a local day whatever the season, stopped at once, not ended by an error."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from pylib.errors import Failure
from pylib.observability.metrics import Metrics
from pylib.runtime.periodic import Daily, Every, Periodic, Timing

BERLIN = ZoneInfo("Europe/Berlin")


class FakeClock:
    """A clock that waiting moves."""

    def __init__(self, start: datetime) -> None:
        self.start = start.astimezone(UTC)
        self.seconds = 0.0
        self.set_by = timedelta()
        """By how much someone set the wall clock."""

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.seconds) + self.set_by

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, event: threading.Event, seconds: float) -> None:
        self.seconds += seconds


def runs(schedule: Timing, clock: FakeClock, until: datetime, *, takes: Sequence[float] = ()) -> list[datetime]:
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


def test_setting_the_wall_clock_does_not_touch_an_interval() -> None:
    clock = FakeClock(in_berlin(2026, 1, 1))
    schedule = Every(60)
    assert schedule.claim(clock) == 0
    clock.set_by = timedelta(days=-400)
    clock.seconds = 59
    assert schedule.claim(clock) == 1


def test_an_interval_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 0"):
        Every(0)


def test_a_daily_job_runs_at_its_local_time() -> None:
    clock = FakeClock(in_berlin(2026, 6, 1, 12))
    ran = runs(Daily(time(3, 30), BERLIN), clock, in_berlin(2026, 6, 4, 12))
    assert [moment.astimezone(BERLIN) for moment in ran] == [in_berlin(2026, 6, day, 3, 30) for day in (2, 3, 4)]


def test_in_spring_a_time_that_does_not_exist_comes_an_hour_later() -> None:
    clock = FakeClock(in_berlin(2026, 3, 28, 12))
    ran = runs(Daily(time(2, 30), BERLIN), clock, in_berlin(2026, 3, 30, 12))
    assert [f"{moment.astimezone(BERLIN):%d. %H:%M}" for moment in ran] == ["29. 03:30", "30. 02:30"]


def test_in_autumn_a_time_that_comes_twice_counts_once() -> None:
    clock = FakeClock(in_berlin(2026, 10, 24, 12))
    ran = runs(Daily(time(2, 30), BERLIN), clock, in_berlin(2026, 10, 26, 12))
    assert ran == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 26, 1, 30, tzinfo=UTC)]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "UTC"])
@pytest.mark.parametrize("at", [time(0), time(0, 30), time(2), time(2, 30), time(3), time(23, 59, 59)])
def test_each_day_of_a_year_has_exactly_one_run_in_every_zone(zone: str, at: time) -> None:
    local = ZoneInfo(zone)
    clock = FakeClock(datetime(2025, 12, 31, 23, 59, 59, 500_000, tzinfo=local))
    schedule, days = Daily(at, local), list[date]()
    while (moment := clock.now().astimezone(local)).year < 2027:
        wait = schedule.claim(clock)
        if wait == 0:
            days.append(moment.date())
        # In steps of many lengths, as a thread that is sometimes late would.
        clock.seconds += min(wait, 3599.0) or 0.25
    assert days == [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]


def test_a_time_that_passed_before_the_start_is_not_made_up() -> None:
    clock = FakeClock(in_berlin(2026, 6, 1, 3, 31))
    assert runs(Daily(time(3, 30), BERLIN), clock, in_berlin(2026, 6, 2, 3)) == []


def test_a_time_that_passed_while_the_machine_slept_is_made_up_the_same_day() -> None:
    clock = FakeClock(in_berlin(2026, 6, 1, 2))
    schedule = Daily(time(3, 30), BERLIN)
    assert schedule.claim(clock) > 0
    clock.set_by = timedelta(hours=8)
    assert schedule.claim(clock) == 0
    assert schedule.claim(clock) > 0


def test_a_clock_that_is_set_back_does_not_repeat_the_day() -> None:
    clock = FakeClock(in_berlin(2026, 6, 1, 3))
    schedule = Daily(time(3, 30), BERLIN)
    schedule.claim(clock)
    clock.seconds = 1800
    assert schedule.claim(clock) == 0
    clock.set_by = timedelta(minutes=-20)
    assert schedule.claim(clock) > 0
    clock.seconds += 1200
    assert schedule.claim(clock) > 0


def test_a_clock_that_was_years_ahead_at_boot_does_not_stop_the_job_for_years() -> None:
    clock = FakeClock(in_berlin(2026, 6, 1, 3))
    clock.set_by = timedelta(days=3650)
    schedule = Daily(time(3, 30), BERLIN)
    schedule.claim(clock)
    clock.seconds = 1800
    assert schedule.claim(clock) == 0
    clock.set_by = timedelta()
    clock.seconds += 24 * 3600
    assert schedule.claim(clock) == 0


def started(action: Callable[[], object], schedule: Timing, metrics: Metrics | None = None) -> Periodic:
    job = Periodic("job", action, schedule, metrics=metrics.stage("job") if metrics else None)
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
    metrics, count, again = Metrics(version="1"), [0], threading.Event()

    def action() -> None:
        count[0] += 1
        if count[0] == 1:
            raise RuntimeError("unexpected")
        if count[0] == 2:
            raise Failure("quota", "no space left on the drive")
        again.set()

    with capture_logs() as lines:
        job = started(action, Every(0.001), metrics)
        assert again.wait(60)
        job.stop()
        assert job.join(60)
    assert job.failures == 0
    told = [(line["log_level"], line["event"]) for line in lines[:3]]
    assert told == [("error", "job failed"), ("warning", "job failed"), ("info", "job works again")]
    assert lines[0]["exc_info"]
    assert lines[1]["reason"] == "quota: no space left on the drive"
    page = metrics.render().decode()
    assert 'stage_messages_total{outcome="error",stage="job"} 1.0' in page
    assert 'stage_messages_total{outcome="quota",stage="job"} 1.0' in page
    assert 'stage_in_hand{stage="job"} 0.0' in page


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


def test_after_a_crash_of_the_thread_the_same_day_is_not_run_again() -> None:
    clock = FakeClock(in_berlin(2026, 6, 1, 3))
    count: list[int] = []

    class Crashes(BaseException):
        """Not an error of the job: it ends the thread."""

    def action() -> None:
        count.append(1)
        raise Crashes

    job = Periodic("job", action, Daily(time(3, 30), BERLIN), clock=clock)
    with pytest.raises(Crashes):
        job.run()
    clock.wait = lambda event, seconds: job.stop()  # type: ignore[method-assign]
    job.run()
    assert count == [1]
