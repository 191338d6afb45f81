"""Runs a job every few seconds, in a thread that can be stopped at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from pylib.errors import Failure
from pylib.runtime.threads import ManagedThread

log = structlog.get_logger(__name__)

_SLICE = 5.0
"""Longest wait in seconds between two beats."""


class Clock(Protocol):
    """Time, and waiting for it; tests bring their own."""

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    def wait(self, event: threading.Event, seconds: float) -> None:
        """Until `seconds` have passed or the event is set."""
        ...


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, event: threading.Event, seconds: float) -> None:
        event.wait(seconds)


class Every:
    """At once and then every `seconds`, without drift; a run that takes longer delays, it never piles up.

    Remembers its last run, so that a restarted thread continues where the dead one stopped.
    """

    def __init__(self, seconds: float) -> None:
        if seconds <= 0:
            raise ValueError("an interval is more than 0 seconds")
        self._seconds = seconds
        self._due: float | None = None

    def claim(self, clock: Clock) -> float:
        """Seconds until the next run; 0 means now, and that run is thereby claimed."""
        now = clock.monotonic()
        if self._due is None:
            self._due = now
        if self._due > now:
            return self._due - now
        missed = (now - self._due) // self._seconds
        self._due += (missed + 1) * self._seconds
        return 0.0


class EveryWhile(Every):
    """The same only while something holds: at once when it begins to, and not at all until then."""

    def __init__(self, seconds: float, holds: Callable[[], bool], *, looks: float = 0.2) -> None:
        """`looks`: seconds between two looks at whether it holds, while it does not."""
        super().__init__(seconds)
        self._holds = holds
        self._looks = looks

    def claim(self, clock: Clock) -> float:
        """As `Every` has it; the seconds until the next look while nothing is due."""
        if self._holds():
            return super().claim(clock)
        self._due = None
        return self._looks


class Periodic(ManagedThread):
    """Runs `action` on a schedule; what it raises is logged and ends only that run."""

    def __init__(
        self,
        name: str,
        action: Callable[[], object],
        schedule: Every,
        *,
        stall_after: float = 60.0,
        clock: Clock | None = None,
    ) -> None:
        """`stall_after`: seconds a run may take, unless it calls `beat`, until the thread counts as stuck."""
        super().__init__(name)
        self.stall_after = stall_after
        self.failures = 0
        """Failed runs in a row."""
        self._action = action
        self._schedule = schedule
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
        try:
            self._action()
        except Failure as failure:
            self._failed(str(failure), unexpected=False)
            return
        except Exception as error:  # noqa: BLE001 - one run is lost, the thread is not
            self._failed(type(error).__name__, unexpected=True)
            return
        if self.failures:
            log.info("job works again", job=self.name, failures=self.failures)
        self.failures = 0

    def _failed(self, reason: str, *, unexpected: bool) -> None:
        self.failures += 1
        # At the 1st, 2nd, 4th, 8th failure in a row: a job of every 5 s must not fill the log.
        if self.failures & (self.failures - 1) == 0:
            write = log.exception if unexpected else log.warning
            write("job failed", job=self.name, reason=reason, failures=self.failures)
