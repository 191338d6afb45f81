"""Files that belong to events beside their one picture: the frames of bursts, and what is made of them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from pylib.errors import Transient
from pylib.files import durable

log = structlog.get_logger(__name__)

BATCH = 200
"""Ids in one query of those that still have a picture."""
ORPHAN_S = 86_400.0
"""Age of a folder from which on no event can still be about to be recorded for it."""


class MediaUnavailable(Transient):
    """A file cannot be written now: disk full, read-only or gone."""


class EventMedia:
    """The folder of them: `<first two digits of the event id>/<event id>/<name>`. From any thread."""

    def __init__(self, root: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.root = root
        self._clock = clock

    def path(self, event_id: str, name: str) -> Path:
        """Where an event's file of this name lies, whether it is there or not."""
        return self.root / event_id[:2] / event_id / name

    def store(self, data: bytes, *, event_id: str, name: str) -> Path:
        """Write a file so that a power cut leaves either all of it or nothing. Raises `MediaUnavailable`."""
        path = self.path(event_id, name)
        try:
            durable.make_folder(path.parent)
            durable.write(path, data)
        except OSError as error:
            raise _unavailable(path, error) from error
        return path

    def adopt(self, file: Path, *, event_id: str, name: str) -> Path:
        """Link a file that no program writes to any more, or copy it where files cannot have two names.

        Raises `MediaUnavailable`.
        """
        path = self.path(event_id, name)
        try:
            durable.make_folder(path.parent)
            if not durable.link(file, path):
                durable.write(path, file.read_bytes())
        except OSError as error:
            raise _unavailable(path, error) from error
        return path

    def drop(self, event_id: str) -> None:
        """Delete all files of an event that is gone."""
        folder = self.root / event_id[:2] / event_id
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            return
        except OSError as error:  # found again by `sweep`
            log.warning("cannot delete", path=str(folder), reason=error.strerror)
        with suppress(OSError):  # not empty
            folder.parent.rmdir()

    def sweep(self, known: Callable[[Sequence[str]], Collection[str]], *, beat: Callable[[], None]) -> int:
        """Delete the files of events that are gone, or were never recorded; returns of how many events.

        `known`: those of some ids that still have a picture; `beat`: called between two queries.
        """
        dropped = 0
        old = list(self._old())
        for start in range(0, len(old), BATCH):
            beat()
            some = old[start : start + BATCH]
            for event_id in set(some) - set(known(some)):
                self.drop(event_id)
                dropped += 1
        return dropped

    def _old(self) -> Iterator[str]:
        before = self._clock() - ORPHAN_S
        for folder in self.root.glob("*/*/"):
            with suppress(OSError):  # gone meanwhile
                if folder.stat().st_mtime < before:
                    yield folder.name


def _unavailable(path: Path, error: OSError) -> MediaUnavailable:
    return MediaUnavailable("media_unavailable", f"cannot write {path}: {error.strerror or error}")
