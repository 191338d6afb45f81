"""A cap on paid calls in a calendar month."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)


class MonthlyCap:
    """Counts in calendar months (UTC, as bills do). Thread-safe."""

    def __init__(
        self,
        cap: int,
        *,
        before: Callable[[], int],
        now: Callable[[], datetime] = utc_now,
        nearly: tuple[float, Callable[[int], None]] | None = None,
    ) -> None:
        """`cap` is the most a month may have, 0 for no cap.

        `before` returns how many the month has had on record; it is called at the first `take` of a month, and only
        with a cap: a clock that jumps to another month and back begins none anew.
        `nearly`: what is told how many there were when a month's calls reach this share of the cap.
        """
        self.calls = cap
        self._nearly = nearly
        self._before = before
        self._now = now
        self._lock = threading.Lock()
        self._month = ""
        self._used = 0

    def take(self) -> bool:
        """Count one more; returns False, and counts nothing, when the month's cap is reached."""
        if not self.calls:
            return True
        with self._lock:
            month = f"{self._now():%Y-%m}"
            if month != self._month:
                self._used, self._month = self._before(), month
            if self._used >= self.calls:
                return False
            self._used += 1
            if self._nearly and self._used - 1 < self._nearly[0] * self.calls <= self._used:
                self._nearly[1](self._used)
            return True

    def give_back(self) -> None:
        """A call that was counted has cost nothing after all."""
        with self._lock:
            self._used = max(0, self._used - 1)
