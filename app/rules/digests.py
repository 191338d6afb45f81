"""When messages of an outlet are many, further ones wait for a digest."""

from __future__ import annotations

import threading
from collections import defaultdict, deque

from app.rules.model import Digest


class Digests:
    """Counts the messages of each outlet. Thread-safe; a restart begins to count anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at_once: defaultdict[str, deque[float]] = defaultdict(deque)
        self._next: dict[str, float] = {}

    def digest_at(self, settings: Digest, outlet: str, now: float) -> float:
        """Counts a message; returns when the digest goes out that it becomes a part of, 0 for at once."""
        if not settings.after:
            return 0.0
        with self._lock:
            if now < self._next.get(outlet, 0.0) <= now + settings.within:
                return self._next[outlet]
            times = self._at_once[outlet]
            while times and not now - settings.within < times[0] <= now:  # the future: the clock was set back
                times.popleft()
            if len(times) < settings.after:
                times.append(now)
                return 0.0
            times.clear()
            self._next[outlet] = now + settings.within
            return self._next[outlet]
