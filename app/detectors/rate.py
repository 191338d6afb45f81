"""How many calls a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PATIENCE_S = 5.0
"""Seconds that a call waits for its turn."""


class Rate:
    """Calls a second on average, a second's worth of them at once. Thread-safe; turns come in the order of asking."""

    def __init__(
        self,
        per_second: float,
        *,
        patience: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """`per_second`: 0 for no limit."""
        self._pause = 1 / per_second if per_second else 0.0
        self._burst = max(1.0, per_second) * self._pause
        self._patience = patience
        self._clock = clock
        self._wait = wait
        self._lock = threading.Lock()
        self._next = float("-inf")
        """When the turn after all that were given is, had they come one after another."""

    def take(self) -> bool:
        """Wait for a turn; False, at once, where it would not come within `patience` seconds."""
        if not self._pause:
            return True
        with self._lock:
            now = self._clock()
            due = max(self._next, now - self._burst + self._pause)
            delay = due - now
            if delay > self._patience:
                return False
            self._next = due + self._pause
        if delay > 0:
            self._wait(delay)
        return True
