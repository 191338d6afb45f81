"""The journal: one SQLite database of what was accepted, what became of it, and which deliveries are pending."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from app.journal.album import AlbumPart
from app.journal.archives import ArchivesPart
from app.journal.bursts import BurstsPart
from app.journal.deliveries import DeliveriesPart
from app.journal.edits import EditsPart
from app.journal.entries import Correction, Deleted, Entry, Filter, HeatCount, PageCursor
from app.journal.jobs import Job, JobsPart
from app.journal.media import EventPicture, MediaPart, Medium, MediumKind
from app.journal.objects import ObjectsPart, RecordedObject, RejectedMessages
from app.journal.paths import path_functions
from app.journal.pictures import PicturesPart
from app.journal.records import ArchivedPicture, ArchiveStats, Backoff, CachedPicture, TargetBacklog
from app.journal.rows import HANDOVER_S
from app.journal.schema import SCHEMA
from app.journal.snapshots import SnapshotsPart
from app.journal.telling import TellingPart
from app.journal.triggers import TriggersPart
from pylib.sqlite import Database

__all__ = [
    "HANDOVER_S",
    "ArchiveStats",
    "ArchivedPicture",
    "Backoff",
    "CachedPicture",
    "Correction",
    "Deleted",
    "Entry",
    "EventPicture",
    "Filter",
    "HeatCount",
    "Job",
    "Journal",
    "Medium",
    "MediumKind",
    "PageCursor",
    "RecordedObject",
    "RejectedMessages",
    "TargetBacklog",
]


class Journal(
    TriggersPart,
    SnapshotsPart,
    BurstsPart,
    ObjectsPart,
    DeliveriesPart,
    PicturesPart,
    ArchivesPart,
    AlbumPart,
    EditsPart,
    TellingPart,
    MediaPart,
    JobsPart,
):
    """The record of all snapshots, in parts by subject.

    Every method may be called from any thread and returns when the change is on the disk, unless its docstring says
    otherwise. All raise `pylib.sqlite.DatabaseUnavailable`.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__(Database(path, schema=SCHEMA, functions=path_functions(path.parent)), clock)

    def open(self) -> None:
        """Open or make the database, and let every pending delivery be tried at once, whatever it waited for before.

        Raises `pylib.sqlite.DatabaseUnusable`.
        """
        self.database.open()
        now = "UPDATE deliveries SET next_at = 0 WHERE state = 'owed' AND digest = 0"
        self.database.submit(lambda db: db.execute(now))

    def try_again(self, target: str) -> int:
        """Let an archive try its backlog at once, and enqueue what it gave up or never had; returns that number."""
        taken_up = self.enqueue_rest(target)
        self.retry_now(target)
        return taken_up
