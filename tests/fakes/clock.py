"""Time that stands still."""

from __future__ import annotations


class Clock:
    """Seconds, of the day or monotonic, that move when told to: `clock.now += 5`."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
