"""Records of a file that commands change while a service reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from app.web.access import key_files

log = structlog.get_logger(__name__)

T = TypeVar("T")


class FollowedFile(Generic[T]):
    """What a file holds now; nothing while it cannot be read."""

    def __init__(self, path: Path, read: Callable[[], list[T]], *, broken: str) -> None:
        """`read`: reads it anew, and raises `BrokenFile`; `broken`: what the log says then."""
        self._path = path
        self._read = read
        self._broken = broken
        self._seen: tuple[int, ...] | None = None
        self._is_broken = False
        self._known: tuple[T, ...] = ()

    def now(self) -> tuple[T, ...]:
        """The records, read again if the file has changed."""
        seen, before = self._state(), self._seen
        if seen != before or self._is_broken:
            try:
                self._known, self._is_broken = tuple(self._read()), False
            except key_files.BrokenFile as error:
                self._known, self._is_broken = (), True
                if seen != before:
                    log.error(self._broken, reason=error.detail)
            self._seen = seen
        return self._known

    def _state(self) -> tuple[int, ...]:
        try:
            found = self._path.stat()
        except OSError as error:
            return (error.errno or 0,)
        return (found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size)
