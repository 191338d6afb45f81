"""A lock for each key: one holder at a time, and no key waits for another."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class KeyedLock:
    """A lock for each key, which exists only as long as a thread holds it or waits for it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[Hashable, tuple[threading.Lock, int]] = {}

    @contextmanager
    def take(self, key: Hashable) -> Iterator[None]:
        """Wait for this key's lock, and hold it for the block."""
        with self._guard:
            lock, others = self._locks.get(key, (threading.Lock(), 0))
            self._locks[key] = (lock, others + 1)
        try:
            with lock:
                yield
        finally:
            self._leave(key)

    def __len__(self) -> int:
        """How many keys are locked or waited for."""
        return len(self._locks)

    def _leave(self, key: Hashable) -> None:
        with self._guard:
            lock, everybody = self._locks[key]
            if everybody == 1:
                del self._locks[key]
            else:
                self._locks[key] = (lock, everybody - 1)
