"""One process at a time in a folder: the system releases the lock when its holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from pylib.errors import Permanent

LOCK = ".lock"
"""Name of the file that is locked."""


class FolderInUse(Permanent):
    """Another process holds the lock."""


class FolderUnusable(Permanent):
    """The folder cannot be made or written in."""


class FolderLock:
    """The lock of one folder, held until the process ends or `release`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock, or raise `FolderInUse` or `FolderUnusable` at once."""
        folder = self._path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise FolderUnusable("folder_unusable", f"cannot write in {folder}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise FolderInUse("in_use", f"another process works in {folder}") from None
        self._descriptor = descriptor

    def release(self) -> None:
        """Release the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
