"""The objects that a source has passed on and that have no outcome yet."""

from __future__ import annotations

import threading
from dataclasses import replace

from app.messages import ObjectCreated


class Hand:
    """Objects by receipt, a bounded number of them. Every method may be called from any thread."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._held: dict[str, ObjectCreated] = {}
        self._later: dict[str, float] = {}

    def __contains__(self, receipt: str) -> bool:
        with self._lock:
            return receipt in self._held

    @property
    def room(self) -> int:
        """How many more may be passed on. Those that wait to be tried again hold nobody up."""
        with self._lock:
            return self._size - len(self._held) + len(self._later)

    def take(self, found: ObjectCreated) -> None:
        """It is passed on."""
        with self._lock:
            self._held[found.receipt] = found

    def done(self, receipt: str) -> None:
        """It has an outcome."""
        with self._lock:
            self._held.pop(receipt, None)
            self._later.pop(receipt, None)
        self._changed.set()

    def retry(self, receipt: str, *, at: float) -> None:
        """Pass it on once more at this time; where too many wait for that already, it is forgotten."""
        with self._lock:
            if len(self._later) < self._size and receipt in self._held:
                self._later[receipt] = at
            else:
                self._held.pop(receipt, None)
        self._changed.set()

    def due(self, now: float) -> list[ObjectCreated]:
        """Those to pass on once more now."""
        with self._lock:
            due = [receipt for receipt, at in self._later.items() if at <= now]
            for receipt in due:
                del self._later[receipt]
            return [replace(self._held[receipt], redelivered=True) for receipt in due]

    def wait(self, seconds: float) -> None:
        """Until one is settled, or so many seconds are over."""
        self._changed.wait(seconds)
        self._changed.clear()
