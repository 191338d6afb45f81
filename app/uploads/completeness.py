"""Which files in the upload area are complete by now."""

from __future__ import annotations

import heapq
import itertools
import os
import re
import stat
import time
from collections.abc import Callable, Container
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath

from app.media.completeness import looks_complete
from app.uploads.inbox import is_temporary
from pylib.files import beneath

AREA = PurePath()
"""The area itself, as a folder of it."""
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


def files_below(
    area: Path, below: PurePath = AREA, *, ignored: Container[str] = (), tidy_before: float = 0.0
) -> list[str]:
    """Paths of the regular files in a folder of the area, or below it, oldest first.

    Hidden and ignored folders are left out, and links are not followed, though one be put into a folder's place just
    now. Empty folders named by a date, and those in them, are removed if nothing has happened in them since
    `tidy_before` (Unix seconds).
    """
    scan = _Scan(ignored, tidy_before)
    with suppress(OSError), beneath.descriptor(area, below) as folder:
        scan.look_through(folder, os.fspath(area / below), _DATED.match(below.name) is not None)
    return [path for _, path in sorted(scan.found)]


class _Scan:
    def __init__(self, ignored: Container[str], tidy_before: float) -> None:
        self.found: list[tuple[int, str]] = []
        """Time and path of each file."""
        self._ignored = ignored
        self._tidy_before = tidy_before

    def look_through(self, folder: int, path: str, dated: bool, depth: int = 0) -> bool:
        """Collect a folder's files; returns whether it is empty."""
        with os.scandir(folder) as entries:
            inside = list(entries)
        left = len(inside)
        for entry in inside:
            with suppress(OSError):  # it is gone again
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    self.found.append((status.st_mtime_ns, f"{path}/{entry.name}"))
                elif stat.S_ISDIR(status.st_mode) and depth < MAX_DEPTH and self._is_looked_through(entry.name):
                    date = dated or _DATED.match(entry.name) is not None
                    old = status.st_mtime < self._tidy_before
                    with beneath.inner(entry.name, folder) as inner:
                        empty = self.look_through(inner, f"{path}/{entry.name}", date, depth + 1)
                    if empty and old and date:
                        os.rmdir(entry.name, dir_fd=folder)
                        left -= 1
        return left == 0

    def _is_looked_through(self, name: str) -> bool:
        return not name.startswith(".") and name not in self._ignored


def _state(path: str) -> tuple[int, ...] | None:
    """What distinguishes two states of a regular file; None for anything else, and for a missing file."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
