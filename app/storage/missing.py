"""Looks now and then whether the pictures of the record are on the disk."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import structlog

from app.journal import CachedPicture, Journal
from pylib.observability.health import Status

log = structlog.get_logger(__name__)

EVERY_S = 3600.0
BATCH = 1000
REST = 4
"""Between two batches it rests so many times as long as one took: pages and events are more urgent."""


class MissingFiles:
    """Counts pictures that the journal has and the disk has not: deleted by hand, or lost with a disk."""

    def __init__(
        self,
        journal: Journal,
        *,
        beat: Callable[[], None] = lambda: None,
        rest: Callable[[float], object] = lambda _seconds: None,
        clock: Callable[[], float] = time.monotonic,
        batch: int = BATCH,
    ) -> None:
        """`beat`: called between two batches of so many pictures; `rest`: waits so many seconds there."""
        self._journal = journal
        self._beat = beat
        self._rest = rest
        self._clock = clock
        self._batch = batch
        self._due = 0.0
        self._looked_at = 0.0
        self._found: tuple[int, int] | None = None

    def look(self) -> None:
        """Look at all pictures, at most once an hour; again at once where there was none to look at.

        Raises `pylib.sqlite.DatabaseUnavailable`.
        """
        if self._clock() < self._due:
            return
        missing, seen, began = 0, 0, self._clock()
        after: CachedPicture | None = None
        while batch := self._journal.pictures(after, targets=(), archives=(), limit=self._batch):
            after = batch[-1]
            seen += len(batch)
            gone = [picture.id for picture in batch if not Path(picture.path).exists()]
            missing += len(self._journal.with_picture(gone)) if gone else 0  # else it was evicted meanwhile
            self._beat()
            self._rest(REST * (self._clock() - began))
            began = self._clock()
        if missing and (self._found or (0, 0))[0] != missing:
            log.error("pictures are missing from the disk", pictures=missing, of=seen)
        if not seen:
            self._found = None
            return
        self._found, self._looked_at = (missing, seen), self._clock()
        self._due = self._looked_at + EVERY_S

    def status(self) -> Status:
        """What was found, for health."""
        if self._found is None:
            return Status(ok=True, detail="not looked yet", state="untried")
        missing, seen = self._found
        looked = f"looked {(self._clock() - self._looked_at) / 60:.0f} min ago"
        if not missing:
            all_of_them = "the only picture is" if seen == 1 else f"all {seen:,} pictures are"
            return Status(ok=True, detail=f"{all_of_them} on the disk, {looked}")
        detail = (
            f"{missing:,} of {seen:,} pictures are missing from the disk, {looked} -> bring them back from a backup"
        )
        return Status(ok=True, detail=detail, state="degraded")
