"""The journal: one SQLite database that says what was accepted, what became of it, and who must still be told."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from app.journal.album import Album
from app.journal.archives import Archives
from app.journal.deliveries import Deliveries
from app.journal.edits import Edits
from app.journal.entries import Correction, Deleted, Entry, Filter, Heat, Place
from app.journal.pictures import Pictures
from app.journal.records import Backoff, Debt, Filed, Picture, Standing
from app.journal.rows import HANDOVER_S
from app.journal.schema import SCHEMA
from app.journal.snapshots import Snapshots
from app.journal.triggers import Triggers
from pylib.database import Database

__all__ = [
    "HANDOVER_S",
    "Backoff",
    "Correction",
    "Debt",
    "Deleted",
    "Entry",
    "Filed",
    "Filter",
    "Heat",
    "Journal",
    "Picture",
    "Place",
    "Standing",
]


class Journal(Triggers, Snapshots, Deliveries, Pictures, Archives, Album, Edits):
    """The record of all snapshots, in parts by what one wants to know.

    Every method may be called from any thread and returns when the change is on the disk, unless it says
    otherwise. All raise `pylib.database.DatabaseUnavailable`.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__(Database(path, schema=SCHEMA), clock)

    def open(self) -> None:
        """Open or make the database, and let everything owed be tried at once, whatever it waited for before.

        Raises `pylib.database.DatabaseUnusable`.
        """
        self.database.open()
        self.database.submit(lambda db: db.execute("UPDATE deliveries SET next_at = 0 WHERE state = 'owed'"))
