"""Tells deliveries that had been waiting in the queue from those that came as they happened."""

from __future__ import annotations

import time

QUIET = 1.0
"""Seconds without a delivery after which none can still be on its way to us."""


class Backlog:
    """Counts down the messages that were ready in the queue when it was last asked: a queue sends the oldest first."""

    def __init__(self, ready: int = 0) -> None:
        self._ready = ready
        self._last = time.monotonic()

    def delivered(self) -> bool:
        """Count one delivery; returns whether it had been waiting."""
        self._last = time.monotonic()
        waited = self._ready > 0
        self._ready -= waited
        return waited

    @property
    def doubtful(self) -> bool:
        """Whether an expected message does not come: purged, expired, or given to another consumer."""
        return self._ready > 0 and self._quiet

    def verify(self, ready: int) -> None:
        """Correct the count to the number that is ready now, unless deliveries may be on their way."""
        if self._quiet:
            self._ready = ready

    @property
    def _quiet(self) -> bool:
        return time.monotonic() - self._last > QUIET
