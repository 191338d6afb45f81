"""A cap on paid calls in a calendar month."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)


class MonthlyCap:
    """Counts in calendar months (UTC, as bills do). Thread-safe."""

    def __init__(self, cap: int, *, before: Callable[[], int], now: Callable[[], datetime] = utc_now) -> None:
        """`cap` is the most a month may have, 0 for no cap.

        `before` returns how many the month had already; it is called once, on the first `take`, and only with a cap.
        """
        self._cap = cap
        self._before = before
        self._now = now
        self._lock = threading.Lock()
        self._month = ""
        self._used = 0

    def take(self) -> bool:
        """Count one more; returns False, and counts nothing, when the month's cap is reached."""
        if not self._cap:
            return True
        with self._lock:
            month = f"{self._now():%Y-%m}"
            if month != self._month:
                self._used = 0 if self._month else self._before()
                self._month = month
            if self._used >= self._cap:
                return False
            self._used += 1
            return True

    def give_back(self) -> None:
        """A call that was counted has cost nothing after all."""
        with self._lock:
            self._used = max(0, self._used - 1)
