"""The bytes of each camera's uploads that wait to be processed, and whether there is room for more."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from pathlib import Path, PurePosixPath

from app.uploads.inbox import ARRIVING, TAKEN, name_in

BLOCK = 4096
"""Least that a file or folder counts for: many empty ones fill a disk, too."""
AGAIN_S = 2.0
"""Seconds between two measurements."""


class Quota:
    """An estimate that errs on the high side: the last measurement, and the bytes since.

    A measurement runs in a thread of its own, and only when a camera seems to be past half of its quota: files leave
    without notice, and a walk through thousands of them would block the FTP server's loop.
    """

    def __init__(self, area: Path, *, limit: int, upload_dir: PurePosixPath) -> None:
        """`limit` in bytes for each camera's folder below `upload_dir`, and once for all the rest; 0 for none."""
        self._area = area
        self._limit = limit
        self._parts = upload_dir.parts
        self._measured: Counter[str] = Counter()
        self._since: Counter[str] = Counter()
        self._arriving: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._measuring = threading.Lock()
        self._at = -AGAIN_S

    def add(self, name: PurePosixPath, size: int) -> bool:
        """Count bytes that came of a file of this name below the area; False when they are too many."""
        if not self._limit:
            return True
        camera = self._camera(name.parts)
        with self._lock:
            self._arriving[camera] += size
            used = self._measured[camera] + self._since[camera] + self._arriving[camera]
        if used > self._limit // 2 and time.monotonic() - self._at > AGAIN_S and not self._measuring.locked():
            threading.Thread(target=self.measure, name="ftp-quota", daemon=True).start()
        return used <= self._limit

    def arrived(self, name: PurePosixPath, size: int, *, kept: bool) -> None:
        """The file is where a measurement finds it, or gone; `size` is the sum that `add` got for it."""
        camera = self._camera(name.parts)
        with self._lock:
            self._arriving[camera] -= size
            self._since[camera] += max(BLOCK, size) if kept else 0

    def measure(self) -> None:
        """Measure the folders; takes milliseconds for each thousand of files."""
        with self._measuring:
            with self._lock:
                before = self._since.copy()
            measured = self._walk()
            with self._lock:
                self._measured = measured
                self._since -= before
                self._at = time.monotonic()

    def _walk(self) -> Counter[str]:
        used: Counter[str] = Counter()
        for folder, folders, files in os.walk(self._area):
            parts = Path(folder).relative_to(self._area).parts
            if parts[:1] == (ARRIVING,):
                folders.clear()
                continue
            taken = parts[:1] == (TAKEN,)
            for name in files:
                whole = name_in(PurePosixPath(*parts[1:], name)).parts if taken else (*parts, name)
                used[self._camera(whole)] += _size(os.path.join(folder, name))  # noqa: PTH118
            if not taken:  # a folder in a camera's is the camera's, as a file there is
                used[self._camera((*parts, ""))] += BLOCK * len(folders)
        return used

    def _camera(self, parts: tuple[str, ...]) -> str:
        depth = len(self._parts)
        return parts[depth] if parts[:depth] == self._parts and len(parts) > depth + 1 else ""


def _size(path: str) -> int:
    try:
        return max(BLOCK, os.lstat(path).st_size)
    except OSError:
        return 0
