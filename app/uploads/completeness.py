"""Which files in the upload area are complete by now."""

from __future__ import annotations

import heapq
import itertools
import os
import re
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.media.completeness import looks_complete
from app.uploads.inbox import is_temporary

MAX_DEPTH = 32
"""Folders below each other that are looked through."""

_DATED = re.compile(r"20\d\d([-_.]?\d\d){0,2}$")
"""A folder that cameras create anew each day, month or year."""


@dataclass(slots=True)
class _TrackedFile:
    state: tuple[int, ...]
    """What changes when the file does."""
    since: float
    """Since when it has been so (monotonic)."""
    closed: bool
    """Whoever wrote it is known to have finished: it was closed after the last change, or renamed."""
    due: float = 0.0
    """When to look at it again."""


class CompletenessTracker:
    """Watches files until they are complete: closed and complete by their format, or unchanged for long enough.

    For one thread. `quiet_s` is long enough for what looks complete or was closed; `patience_s` for the rest: names
    of temporary files, and pictures without an end, whose sender may only have stalled.
    """

    def __init__(self, *, quiet_s: float, patience_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._quiet_s = quiet_s
        self._patience_s = patience_s
        self._clock = clock
        self._files: dict[str, _TrackedFile] = {}
        self._queue: list[tuple[float, int, str]] = []
        self._turn = itertools.count()

    def __len__(self) -> int:
        return len(self._files)

    def seen(self, path: str, *, closed: bool = False) -> None:
        """A file exists, new or known; `closed`: its writer has just finished with it."""
        state = _state(path)
        if state is None:
            self._files.pop(path, None)
            return
        file = self._files.get(path)
        if file is None or file.state != state:
            file = self._files[path] = _TrackedFile(state, self._clock(), closed)
        elif closed and not file.closed:
            file.closed = True
        else:
            return
        soon = file.closed and not is_temporary(os.path.basename(path))  # noqa: PTH119 - thousands of them
        self._look_again(path, file, file.since if soon else file.since + self._quiet_s)

    def complete(self, limit: int) -> list[Path]:
        """Files that are complete now, at most `limit`, the earliest first; they are no longer tracked."""
        found: list[Path] = []
        now = self._clock()
        while self._queue and self._queue[0][0] <= now and len(found) < limit:
            due, _, path = heapq.heappop(self._queue)
            file = self._files.get(path)
            if file is not None and file.due == due and self._is_complete(path, file, now):
                del self._files[path]
                found.append(Path(path))
        return found

    @property
    def next_in(self) -> float:
        """Seconds until a file may be complete."""
        return max(0.0, self._queue[0][0] - self._clock()) if self._queue else float("inf")

    def _is_complete(self, path: str, file: _TrackedFile, now: float) -> bool:
        state = _state(path)
        if state is None:
            del self._files[path]
            return False
        if state != file.state:
            file.state, file.since, file.closed = state, now, False
            self._look_again(path, file, now + self._quiet_s)
            return False
        needed = self._needed(path, file)
        if now - file.since >= needed:
            return True
        self._look_again(path, file, file.since + needed)
        return False

    def _needed(self, path: str, file: _TrackedFile) -> float:
        """Seconds without a change that show that this file is complete."""
        if is_temporary(os.path.basename(path)):  # noqa: PTH119
            return self._patience_s
        if looks_complete(Path(path)):
            return 0.0 if file.closed else self._quiet_s
        return self._quiet_s if file.closed else self._patience_s

    def _look_again(self, path: str, file: _TrackedFile, at: float) -> None:
        file.due = at
        heapq.heappush(self._queue, (at, next(self._turn), path))


def files_below(folder: Path, *, tidy_before: float = 0.0) -> list[str]:
    """Paths of the regular files below a folder, oldest first; hidden folders and links are left out.

    Empty folders named by a date, and those in them, are removed if nothing has happened in them since
    `tidy_before` (Unix seconds).
    """
    found: list[tuple[int, str]] = []
    _look_through(os.fspath(folder), found, tidy_before, _DATED.match(folder.name) is not None)
    return [path for _, path in sorted(found)]


def _look_through(folder: str, found: list[tuple[int, str]], tidy_before: float, dated: bool, depth: int = 0) -> bool:
    """Collect a folder's files; returns whether it is empty."""
    try:
        with os.scandir(folder) as entries:
            inside = list(entries)
    except OSError:
        return False
    left = 0
    for entry in inside:
        left += 1
        with suppress(OSError):  # it is gone again
            if entry.is_file(follow_symlinks=False):
                found.append((entry.stat(follow_symlinks=False).st_mtime_ns, entry.path))
            elif entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".") and depth < MAX_DEPTH:
                old = entry.stat(follow_symlinks=False).st_mtime < tidy_before
                date = dated or _DATED.match(entry.name) is not None
                if _look_through(entry.path, found, tidy_before, date, depth + 1) and old and date:
                    os.rmdir(entry.path)  # noqa: PTH106
                    left -= 1
    return left == 0


def _state(path: str) -> tuple[int, ...] | None:
    """What distinguishes two states of a regular file; None for anything else, and for a missing file."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
