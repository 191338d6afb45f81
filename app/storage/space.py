"""How much room pictures take, by camera, and for how long there is room at the present pace."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.journal import CameraSpace, Journal
from app.storage.settings import RetentionSettings

FRESH_S = 300.0
"""Seconds for which the numbers are kept: a query reads the sizes of all pictures."""
PACE_DAYS = 7.0
GB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Space:
    """The room that there is, and what takes it. Sizes are bytes."""

    free: int
    cameras: tuple[CameraSpace, ...]
    """The largest first."""
    per_day: float
    """What came on a day of the last week, on average."""
    days_left: float | None
    """Days until the oldest pictures have to go for want of room; None when nothing came."""

    @property
    def used(self) -> int:
        """By the pictures of all cameras."""
        return sum(camera.size for camera in self.cameras)


class SpaceReport:
    """Asks the journal now and then. Thread-safe: at worst it is asked twice."""

    def __init__(
        self,
        settings: RetentionSettings,
        *,
        journal: Journal,
        folder: Path,
        clock: Callable[[], float] = time.time,
        free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._folder = folder
        self._clock = clock
        self._free = free
        self._known: tuple[float, Space] | None = None

    def __call__(self) -> Space:
        """The numbers of the last minutes. Raises `pylib.sqlite.DatabaseUnavailable`."""
        if self._known is None or not 0 <= self._clock() - self._known[0] < FRESH_S:
            self._known = (self._clock(), self._ask())
        return self._known[1]

    def _ask(self) -> Space:
        now = self._clock()
        cameras = tuple(sorted(self._journal.space(), key=lambda camera: camera.size, reverse=True))
        began = self._journal.began() or now
        days = min(PACE_DAYS, max(1.0, (now - began) / 86_400))
        per_day = self._journal.size_since(now - days * 86_400) / days
        free = self._free(self._folder)
        room = free - self._settings.min_free_gb * GB
        if self._settings.max_gb:
            room = min(room, self._settings.max_gb * GB - sum(camera.size for camera in cameras))
        return Space(free, cameras, per_day, max(0.0, room) / per_day if per_day else None)
