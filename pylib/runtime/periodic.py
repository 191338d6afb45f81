"""A job run every few seconds or once a day, in a thread that can be stopped at once."""

from __future__ import annotations

import threading
import time as timing
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Protocol

import structlog

from pylib.errors import Failure
from pylib.observability.metrics import StageMetrics
from pylib.runtime.threads import ManagedThread

log = structlog.get_logger(__name__)

_SLICE = 5.0
"""Longest wait in seconds between two beats, and until a wall clock that was set is noticed."""


class Clock(Protocol):
    """Time, and waiting for it; tests bring their own."""

    def now(self) -> datetime:
        """The wall clock, timezone-aware."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    def wait(self, event: threading.Event, seconds: float) -> None:
        """Until `seconds` have passed or the event is set."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return timing.monotonic()

    def wait(self, event: threading.Event, seconds: float) -> None:
        event.wait(seconds)


class Timing(Protocol):
    """When to run. Keeps what it has run, so that a restarted thread goes on where the dead one stopped."""

    def claim(self, clock: Clock) -> float:
        """Seconds until the next run; 0 means now, and that run is thereby taken."""
        ...


class Every:
    """At once and then every `seconds`, without drift; a run that takes longer delays, it never piles up."""

    def __init__(self, seconds: float) -> None:
        if seconds <= 0:
            raise ValueError("an interval is more than 0 seconds")
        self._seconds = seconds
        self._due: float | None = None

    def claim(self, clock: Clock) -> float:
        now = clock.monotonic()
        if self._due is None:
            self._due = now
        if self._due > now:
            return self._due - now
        missed = (now - self._due) // self._seconds
        self._due += (missed + 1) * self._seconds
        return 0.0


class Daily:
    """Once each local day, at a local time.

    A time that the spring change skips comes an hour later on the clock, one that the autumn change repeats
    counts the first time. One that passes before the process starts is not made up; one that passes while it
    runs (asleep, or busy with the last run) is, until midnight.
    """

    def __init__(self, at: time, zone: tzinfo) -> None:
        self._at = at
        self._zone = zone
        self._done: date | None = None
        self._begun = False

    def claim(self, clock: Clock) -> float:
        now = clock.now().astimezone(UTC)
        today = now.astimezone(self._zone).date()
        if not self._begun:
            self._begun = True
            self._done = today if self._instant(today) < now else None
        # Not «later than»: a clock that was years ahead at boot must not stop the job for years.
        if self._done == today:
            return max(0.001, (self._instant(today + timedelta(days=1)) - now).total_seconds())
        wait = (self._instant(today) - now).total_seconds()
        if wait > 0:
            return wait
        self._done = today
        return 0.0

    def _instant(self, day: date) -> datetime:
        # To UTC first: two datetimes of one zone are compared by their clock faces, whatever the season.
        return datetime.combine(day, self._at, self._zone).astimezone(UTC)


class Periodic(ManagedThread):
    """Runs `action` on a schedule; what it raises is logged and counted and ends only that run."""

    def __init__(
        self,
        name: str,
        action: Callable[[], object],
        schedule: Timing,
        *,
        stall_after: float = 60.0,
        metrics: StageMetrics | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`stall_after`: seconds a run may take, unless it calls `beat`, until the thread counts as stuck."""
        super().__init__(name)
        self.stall_after = stall_after
        self.failures = 0
        """Failed runs in a row."""
        self._action = action
        self._schedule = schedule
        self._metrics = metrics
        self._clock = clock or SystemClock()

    def run(self) -> None:
        while not self.stopping.is_set():
            self.beat()
            wait = self._schedule.claim(self._clock)
            if wait > 0:
                self._clock.wait(self.stopping, min(wait, _SLICE))
            else:
                self._run_once()

    def _run_once(self) -> None:
        began = self._clock.monotonic()
        if self._metrics:
            self._metrics.started()
        outcome = "interrupted"
        try:
            outcome = self._outcome()
        finally:
            if self._metrics:
                self._metrics.finished(outcome, self._clock.monotonic() - began)

    def _outcome(self) -> str:
        try:
            self._action()
        except Failure as failure:
            self._failed(str(failure), unexpected=False)
            return failure.code
        except Exception as error:  # noqa: BLE001 - one run is lost, the thread is not
            self._failed(type(error).__name__, unexpected=True)
            return "error"
        if self.failures:
            log.info("job works again", job=self.name, failures=self.failures)
        self.failures = 0
        return "ok"

    def _failed(self, reason: str, *, unexpected: bool) -> None:
        self.failures += 1
        # At the 1st, 2nd, 4th, 8th failure in a row: a job of every 5 s must not fill the log.
        if self.failures & (self.failures - 1) == 0:
            write = log.exception if unexpected else log.warning
            write("job failed", job=self.name, reason=reason, failures=self.failures)
