"""The inbox: files that came from cameras, each whole, under an id of its own, until the journal has it."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from app.cache import PARTIAL
from pylib.errors import Transient

TAKEN = ".taken"
"""Folder inside the upload area (so that taking a file is a rename) with one folder for each file: its id."""
ARRIVING = ".arriving"
"""Folder inside the upload area for what is still being written."""


class InboxUnavailable(Transient):
    """A file cannot be taken now: disk full, read-only or gone."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A file in the inbox."""

    id: str
    """The id of the event it becomes."""
    path: Path
    name: PurePosixPath
    """What it was called below the upload area: `uploads/snapshots/frontdoor/20260304/a.jpg`."""


class Inbox:
    """Takes files out of the upload area, where names are reused and overwritten, and keeps them until they are done.

    Every method may be called from any thread. All raise `InboxUnavailable`.
    """

    def __init__(self, area: Path) -> None:
        self.area = area

    def open(self) -> None:
        """Make the folders, and clear away what was still being written when the process ended."""
        try:
            shutil.rmtree(self.area / ARRIVING, ignore_errors=True)
            for folder in (self.area / ARRIVING, self.area / TAKEN):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unavailable(self.area, error) from error

    def arriving(self) -> Path:
        """A path to write a file to before it has its name."""
        return self.area / ARRIVING / f"{uuid.uuid4().hex}{PARTIAL}"

    def take(self, path: Path) -> Taken | None:
        """Take a whole file that lies under its name in the area; None when it is gone."""
        return self._take(path, path.relative_to(self.area))

    def take_as(self, written: Path, name: PurePosixPath) -> Taken | None:
        """Take a whole file that was written to `arriving()`, under the name it should have had."""
        return self._take(written, name)

    def put(self, data: bytes, name: PurePosixPath) -> Taken:
        """Take what is in memory, safely on disk when this returns."""
        written = self.arriving()
        try:
            with written.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            written.unlink(missing_ok=True)
            raise _unavailable(written, error) from error
        taken = self._take(written, name)
        if taken is None:
            raise InboxUnavailable("inbox_unavailable", f"{written} vanished")
        return taken

    def waiting(self) -> Iterator[Taken]:
        """What was taken and is not done, in no order: after a start, what the last run left."""
        for folder in (self.area / TAKEN).iterdir():
            files = [path for path in folder.rglob("*") if path.is_file()]
            if files:
                yield Taken(folder.name, files[0], PurePosixPath(files[0].relative_to(folder)))
            else:
                shutil.rmtree(folder, ignore_errors=True)

    def done(self, taken_id: str) -> None:
        """The journal has it, or the quarantine: let go of the file and its folder."""
        shutil.rmtree(self.area / TAKEN / taken_id, ignore_errors=True)

    def _take(self, path: Path, name: Path | PurePosixPath) -> Taken | None:
        taken_id = uuid.uuid4().hex
        target = self.area / TAKEN / taken_id / name
        try:
            target.parent.mkdir(parents=True)
            path.rename(target)
        except FileNotFoundError:
            shutil.rmtree(self.area / TAKEN / taken_id, ignore_errors=True)
            return None
        except OSError as error:
            shutil.rmtree(self.area / TAKEN / taken_id, ignore_errors=True)
            raise _unavailable(path, error) from error
        return Taken(taken_id, target, PurePosixPath(name))


def _unavailable(path: Path, error: OSError) -> InboxUnavailable:
    return InboxUnavailable("inbox_unavailable", f"cannot take {path}: {error.strerror or error}")
