"""Triggers that are requested inside this process: by the HTTP API, the album or a schedule."""

from __future__ import annotations

import queue
from collections.abc import Iterable

from app.journal import Journal
from app.messages import Trigger


class Intake:
    """A source that records each trigger before it is accepted: no broker would deliver it again.

    `submit` may be called from any thread; `poll` belongs to the feeder's.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._queue: queue.SimpleQueue[Trigger] = queue.SimpleQueue()

    def submit(self, trigger: Trigger) -> None:
        """Accept a trigger: it is on the disk when this returns. Raises `DatabaseUnavailable`."""
        self._journal.accept(trigger)
        self._queue.put(trigger)

    def poll(self, timeout: float) -> Iterable[Trigger]:
        try:
            return [self._queue.get(timeout=timeout)]
        except queue.Empty:
            return ()

    def close(self) -> None:
        """Nothing to do: what is still queued is in the journal."""
