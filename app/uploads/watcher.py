"""Watches the upload area with inotify, for as long as that works."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Container, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.polling import PollingObserverVFS

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver, ObservedWatch

log = structlog.get_logger(__name__)

EVENTS: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileClosedEvent,
    FileMovedEvent,
    DirCreatedEvent,
    DirMovedEvent,
    DirDeletedEvent,
]
"""All others would only fill the kernel's queue. Moving a file away, as taking it does, delays the events after it
for up to half a second: the library waits for the other half of the move."""
MAX_FOLDERS = 64
"""Folders directly in the area that are watched, each by a thread of the library's; scans find files in others."""

Identity = tuple[int, int]


class UploadWatcher(FileSystemEventHandler):
    """Reports files and folders that appear in the area, except in hidden and ignored folders.

    `on_file(path, closed)` and `on_folder(path)` are called in the library's thread: they have to be quick and
    must not raise. The other methods are for one thread.
    """

    def __init__(
        self,
        area: Path,
        *,
        polling_s: float | None,
        on_file: Callable[[str, bool], None],
        on_folder: Callable[[str], None],
        ignored: Container[str] = (),
    ) -> None:
        """`polling_s`: scan every so many seconds, where the system sends no events; None to use its events.
        `ignored`: names of folders that are not looked into."""
        self._area = area
        self._ignored = ignored
        self._polling_s = polling_s
        self._on_file = on_file
        self._on_folder = on_folder
        self._observer: BaseObserver | None = None
        self._identity: Identity | None = None
        self._watches: dict[str, tuple[Identity, ObservedWatch]] = {}
        self._problem = ""
        # The library logs each orderly end of a watch as an error; we detect and log real ones here.
        logging.getLogger("watchdog").setLevel(logging.CRITICAL)

    def keep_up(self) -> bool:
        """Start watching, or restart a watch that ended; True when events may have been missed."""
        if self._observer is not None and not self._is_whole(self._observer):
            self._say("the upload area was deleted or replaced")
            self.stop()
        try:
            started = self._observer is None
            if self._observer is None:
                self._start()
            folders = self._polling_s is None and self._watch_folders()
        except OSError as error:
            # Deleted, or the system's limit for watches is reached. Scans go on in any case.
            self._say(error.strerror or str(error))
            self.stop()
            return False
        if self._problem:
            log.info("upload area is watched again", area=str(self._area))
            self._problem = ""
        return started or folders

    def stop(self) -> None:
        """End watching."""
        observer, self._observer = self._observer, None
        self._watches.clear()
        if observer is not None:
            observer.stop()
            with suppress(RuntimeError):  # it never began
                observer.join(5)

    def dispatch(self, event: FileSystemEvent) -> None:
        """Pass an event on; called by the library."""
        source, target = os.fsdecode(event.src_path), os.fsdecode(event.dest_path)
        if isinstance(event, DirCreatedEvent | DirMovedEvent | DirDeletedEvent):
            self._on_folder(target or source)
        elif isinstance(event, FileMovedEvent):
            self._on_file(target or source, True)
        elif isinstance(event, FileCreatedEvent | FileClosedEvent):
            self._on_file(source, isinstance(event, FileClosedEvent))

    def _start(self) -> None:
        self._identity = _identity(os.lstat(self._area))
        if self._polling_s is None:
            self._observer = Observer()
        else:
            self._observer = PollingObserverVFS(os.lstat, self._visible, polling_interval=self._polling_s)
        self._observer.start()
        # Not recursive: the hidden folders in it see several folders made and removed for each file.
        self._observer.schedule(self, str(self._area), recursive=self._polling_s is not None, event_filter=EVENTS)

    def _watch_folders(self) -> bool:
        """Watch the folders in the area, and stop watching deleted ones; returns whether there are new ones."""
        assert self._observer is not None  # noqa: S101 - started by the caller
        with os.scandir(self._area) as entries:
            present = {
                entry.path: _identity(entry.stat(follow_symlinks=False))
                for entry in entries
                if entry.is_dir(follow_symlinks=False) and not self._is_hidden(entry.name)
            }
        for path, (identity, watch) in list(self._watches.items()):
            if present.get(path) != identity:
                del self._watches[path]
                self._observer.unschedule(watch)
        new = [path for path in present if path not in self._watches][: MAX_FOLDERS - len(self._watches)]
        for path in new:
            with suppress(FileNotFoundError):  # gone again
                watch = self._observer.schedule(self, path, recursive=True, event_filter=EVENTS)
                self._watches[path] = (present[path], watch)
        return bool(new)

    def _is_whole(self, observer: BaseObserver) -> bool:
        """Whether the area is the one that is watched, and every watch is alive: the library does not report that."""
        try:
            same = _identity(os.lstat(self._area)) == self._identity
        except OSError:
            return False
        dead = {emitter.watch.path for emitter in observer.emitters if not emitter.is_alive()}
        for path in dead & self._watches.keys():
            observer.unschedule(self._watches.pop(path)[1])
        return same and observer.is_alive() and str(self._area) not in dead

    def _visible(self, path: str | None) -> Iterator[os.DirEntry[str]]:
        """A folder's entries without hidden and ignored folders."""
        with os.scandir(path) as entries:
            for entry in entries:
                if not (entry.is_dir(follow_symlinks=False) and self._is_hidden(entry.name)):
                    yield entry

    def _is_hidden(self, name: str) -> bool:
        return name.startswith(".") or name in self._ignored

    def _say(self, problem: str) -> None:
        if problem != self._problem:
            log.warning("upload area is not watched", area=str(self._area), reason=problem)
        self._problem = problem


def _identity(status: os.stat_result) -> Identity:
    return status.st_dev, status.st_ino
