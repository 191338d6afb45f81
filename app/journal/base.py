"""What all parts of the journal have in common."""

from __future__ import annotations

from collections.abc import Callable

from pylib.sqlite import Database


class JournalPart:
    """What all parts of the journal have: the database, and the time."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self.database = database
        self._clock = clock
