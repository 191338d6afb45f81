"""Pictures of other replicas: read from an archive that both have, and kept here for a while."""

from __future__ import annotations

import os
import re
import stat
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import structlog

from app.archives import ArchiveError, Reading
from app.journal.entries import Entry
from pylib.errors import Transient
from pylib.files import durable
from pylib.runtime.key_locks import KeyedLock

log = structlog.get_logger(__name__)

MOST_BYTES = 500_000_000
"""Of such pictures on this machine's disk; the ones that were looked at longest ago go first."""
LOOK_EVERY = 50
"""Pictures after which their size is added up."""
BATCH = 200
"""Ids in one question."""

_NAME = re.compile(r"\d{4}/\d\d/\d\d/[^/.][^/]*/[^/.][^/]*")
"""A `Snapshot.dated_name`: other machines wrote it, and it becomes a path."""
_ID = re.compile(r"-([^-.]+)\.")
"""The event's id in the name of a file, of one that is half written too."""

CODES = {
    "picture_elsewhere": (
        "A picture of another replica cannot be read from the archive now.",
        "look at the archive; until then it is shown on its own machine",
    ),
}
"""Code -> what happened, and what to do about it."""


class PictureElsewhere(Transient):
    """The picture is not here, and the archive does not give it now."""


class ElsewherePictures:
    """The folder of other replicas' pictures, under the names that archives have for them. From any thread."""

    def __init__(self, root: Path, archives: Sequence[object], *, dropped: Callable[[str], None]) -> None:
        """`archives`: this machine's; those that can be read count. `dropped`: told the id of each that goes."""
        self._root = root
        self._dropped = dropped
        self._archives = {one.name: one for one in archives if isinstance(one, Reading)}
        self._turns = KeyedLock()
        self._count = 0
        self._counting = threading.Lock()

    def of(self, entry: Entry) -> Entry:
        """The entry as it can be shown here: with its picture where an archive of ours has it, and nothing else."""
        found = _NAME.fullmatch(entry.dated_name) and any(name in self._archives for name in entry.archived_in)
        path = str(self._root / entry.dated_name) if found else ""
        snapshot = replace(entry.inspection.snapshot, path=path, video="", frames=0)
        return replace(entry, inspection=replace(entry.inspection, snapshot=snapshot))

    def fetch(self, entry: Entry) -> None:
        """Have its picture lie at its path, if it is another replica's. Raises `PictureElsewhere`."""
        path = Path(entry.inspection.snapshot.path)
        if not entry.owner or not entry.inspection.snapshot.path or self._is_there(path):
            return
        with self._turns.take(entry.id):
            if not self._is_there(path):
                self._keep(path, self._read(entry))

    def sweep(self, known: Callable[[Sequence[str]], Collection[str]]) -> None:
        """Delete those of events that are there no more. `known`: those of some ids that are."""
        paths = [path for path, _ in self._files()]
        for start in range(0, len(paths), BATCH):
            some = paths[start : start + BATCH]
            there = known([_id(path) for path in some])
            for path in some:
                if _id(path) not in there:
                    self._delete(path)

    def _read(self, entry: Entry) -> bytes:
        reasons = []
        for archive in (self._archives[name] for name in entry.archived_in if name in self._archives):
            try:
                return archive.read(entry.inspection)
            except ArchiveError as error:
                reasons.append(error.detail)
        raise PictureElsewhere("picture_elsewhere", f"the picture is not here, and {' '.join(reasons)}")

    def _keep(self, path: Path, picture: bytes) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            durable.write(path, picture, sync=False)  # it can be read again
        except OSError as error:
            raise PictureElsewhere("picture_elsewhere", f"the picture cannot be kept: {error.strerror}") from None
        with self._counting:
            self._count += 1
            if self._count % LOOK_EVERY == 1:
                self._make_room()

    def _make_room(self) -> None:
        """Delete those that were looked at longest ago, until the rest fits."""
        files = list(self._files())
        size = sum(found.st_size for _, found in files)
        for path, found in sorted(files, key=lambda one: one[1].st_mtime):
            if size <= MOST_BYTES:
                break
            self._delete(path)
            size -= found.st_size

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for path in self._root.rglob("*"):
            with suppress(FileNotFoundError):  # another thread was quicker
                found = path.lstat()
                if not stat.S_ISDIR(found.st_mode):
                    yield path, found

    def _delete(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("cannot delete", path=str(path), reason=error.strerror)
        self._dropped(_id(path))

    @staticmethod
    def _is_there(path: Path) -> bool:
        """Whether it is; it counts as looked at."""
        try:
            os.utime(path)
        except OSError:
            return False
        return True


def _id(path: Path) -> str:
    """The id of its event; empty for no file of ours."""
    found = _ID.search(path.name)
    return found[1] if found else ""
