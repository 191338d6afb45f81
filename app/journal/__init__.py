"""The journal: one SQLite database of what was accepted, what became of it, and which deliveries are pending."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from app.journal.album import AlbumPart
from app.journal.answers import AnswersPart
from app.journal.archives import ArchivesPart
from app.journal.audit import AuditPart, AuditRow
from app.journal.bursts import BurstsPart
from app.journal.deletion import DeletionPart
from app.journal.deliveries import DeliveriesPart
from app.journal.descriptions import DescriptionsPart
from app.journal.entries import Correction, Deleted, Entry, Filter, HeatCount, PageCursor
from app.journal.jobs import Job, JobsPart
from app.journal.media import EventPicture, MediaPart, Medium, MediumKind
from app.journal.mirror import Change, MirrorPart
from app.journal.objects import ObjectsPart, RecordedObject, RejectedMessages
from app.journal.outcomes import OutcomesPart
from app.journal.paths import path_functions
from app.journal.pictures import PicturesPart
from app.journal.records import (
    NOTHING_WAITS,
    ArchivedPicture,
    ArchiveStats,
    Backoff,
    CachedPicture,
    CameraSpace,
    HourCount,
    OutcomeRecord,
    Spent,
    TargetBacklog,
)
from app.journal.rows import HANDOVER_S
from app.journal.running_films import FilmPicture, FilmRecord, FilmSegment, RunningFilmsPart
from app.journal.schema import SCHEMA
from app.journal.snapshots import SnapshotsPart
from app.journal.telling import TellingPart
from app.journal.timeline import TimelinePart
from app.journal.triggers import TriggersPart
from app.journal.videos import VideoClaim, VideosPart
from app.journal.visit_folds import Visit
from app.journal.visit_pages import VisitsPart
from pylib.sqlite import Database

__all__ = [
    "HANDOVER_S",
    "NOTHING_WAITS",
    "ArchiveStats",
    "ArchivedPicture",
    "AuditRow",
    "Backoff",
    "CachedPicture",
    "CameraSpace",
    "Change",
    "Correction",
    "Deleted",
    "Entry",
    "EventPicture",
    "FilmPicture",
    "FilmRecord",
    "FilmSegment",
    "Filter",
    "HeatCount",
    "HourCount",
    "Job",
    "Journal",
    "Medium",
    "MediumKind",
    "OutcomeRecord",
    "PageCursor",
    "RecordedObject",
    "RejectedMessages",
    "Spent",
    "TargetBacklog",
    "VideoClaim",
    "Visit",
]


class Journal(
    TriggersPart,
    SnapshotsPart,
    BurstsPart,
    ObjectsPart,
    DeliveriesPart,
    PicturesPart,
    VideosPart,
    ArchivesPart,
    AlbumPart,
    DescriptionsPart,
    DeletionPart,
    AnswersPart,
    AuditPart,
    TellingPart,
    MediaPart,
    JobsPart,
    RunningFilmsPart,
    OutcomesPart,
    TimelinePart,
    VisitsPart,
    MirrorPart,
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
