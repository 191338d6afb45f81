"""The order of what a target that could not be reached did not get."""

from __future__ import annotations

import time
from collections.abc import Callable

FORGOTTEN_S = 180.0
"""Seconds after which one that was not offered again is not waited for: its row ended otherwise."""


class InOrder:
    """Lets events through in the order in which they first failed to connect, whichever is offered first.

    Only that: what fails after the connection stands may fail for a reason of its own, and holds nobody up.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: dict[str, float] = {}  # id -> when it was offered last, the oldest first

    def is_next(self, event_id: str) -> bool:
        """Whether it is this one's turn; otherwise it waits, too."""
        now = self._clock()
        if event_id in self._waiting:
            self._waiting[event_id] = now
        for first in list(self._waiting):
            if now - self._waiting[first] <= FORGOTTEN_S:
                break
            del self._waiting[first]
        if not self._waiting or next(iter(self._waiting)) == event_id:
            return True
        self.wait(event_id)
        return False

    def wait(self, event_id: str) -> None:
        """It did not reach the target."""
        self._waiting.setdefault(event_id, self._clock())

    def passed(self, event_id: str) -> None:
        """It need not wait any more."""
        self._waiting.pop(event_id, None)
