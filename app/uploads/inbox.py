"""The inbox: complete files from cameras, each under its own id, until the journal has them."""

from __future__ import annotations

import os
import shutil
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from pylib.errors import Permanent, Transient
from pylib.files import beneath, durable

TAKEN = ".taken"
"""Folder inside the upload area (so that taking a file is a rename) with one folder for each file: `<id>.<origin>`."""
FTP, FOLDER, MAIL = ORIGINS = ("ftp", "folder", "mail")
"""Where a file can come from: our own FTP server, the upload area, a mail."""
ARRIVING = ".arriving"
"""Folder inside the upload area for files that are still being written."""
TRYING = "%trying"
"""File beside one in the inbox: a byte for each attempt that has begun and not ended. No upload can be called that."""
MOST_ATTEMPTS = 2
"""Attempts that may end with the process's: it may have been chance, or another file's fault."""
NAME_MAX = 255
"""Longest file name in bytes (Linux, and all file systems in use there)."""

_TEMPORARY = (
    ".tmp",
    ".temp",
    ".part",
    ".partial",
    ".filepart",
    ".upload",
    ".uploading",
    ".writing",
    ".swp",
    "~",
)
"""What senders append to a name until the file is complete; a leading dot means the same."""


class InboxUnavailable(Transient):
    """A file cannot be taken now: disk full, read-only or gone."""


class KilledTwice(Permanent):
    """A file in whose company the process ended twice."""


@dataclass(frozen=True, slots=True)
class InboxFile:
    """A file in the inbox."""

    id: str
    """The id of the event it becomes."""
    path: Path
    name: PurePosixPath
    """Its path below the upload area: `uploads/snapshots/frontdoor/20260304/a.jpg`."""
    origin: str = FOLDER
    """Where it came from, one of `ORIGINS`."""


class Inbox:
    """Takes files out of the upload area, where names are reused and overwritten, and keeps them until they are done.

    Every method may be called from any thread. All raise `InboxUnavailable`.
    """

    def __init__(self, area: Path) -> None:
        self.area = area
        self._suspects = threading.Lock()

    def open(self) -> None:
        """Make the folders, and delete files that were still being written when the process ended."""
        try:
            shutil.rmtree(self.area / ARRIVING, ignore_errors=True)
            for folder in (self.area / ARRIVING, self.area / TAKEN):
                if folder.is_symlink():  # whoever can write into the area may plant one
                    folder.unlink()
                folder.mkdir(parents=True, exist_ok=True)
            durable.sync_folder(self.area)
        except OSError as error:
            raise _unavailable(self.area, error) from error

    def arriving(self) -> Path:
        """A path to write a file to before it has its name."""
        return self.area / ARRIVING / f"{uuid.uuid4().hex}{durable.PARTIAL}"

    def take(self, path: Path) -> InboxFile | None:
        """Take a complete file that lies under its name in the area; None when it is gone, or lies behind a link."""
        name = PurePosixPath(path.relative_to(self.area))
        try:
            with beneath.folder(self.area, name.parent) as folder:
                return self._take(folder / name.name, name, FOLDER)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unavailable(path, error) from error

    def take_as(self, written: Path, name: PurePosixPath, *, origin: str = FTP) -> InboxFile | None:
        """Take a complete file that was written to `arriving()`, under the name it should have had."""
        return self._take(written, name, origin)

    def put(self, data: bytes, name: PurePosixPath, *, origin: str = MAIL) -> InboxFile:
        """Take a file from memory; it is safely on disk when this returns."""
        written = self.arriving()
        try:
            durable.write_new(written, data)
        except OSError as error:
            raise _unavailable(written, error) from error
        taken = self._take(written, name, origin)
        if taken is None:
            raise InboxUnavailable("inbox_unavailable", f"{written} vanished")
        try:
            durable.sync_folder(taken.path.parent)
            durable.sync_folder(self.area / TAKEN)
        except OSError as error:
            raise _unavailable(taken.path, error) from error
        return taken

    def waiting(self) -> Iterator[InboxFile]:
        """Files that the last run left: taken and not done, in no order. Call it before anything is taken."""
        for folder in (self.area / TAKEN).iterdir():
            files = [path for path in folder.rglob("*") if path.is_file() and path.name != TRYING]
            if files:
                taken_id, _, origin = folder.name.partition(".")
                yield InboxFile(taken_id, files[0], unpacked(files[0].relative_to(folder)), origin)
            else:
                shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def attempt(self, taken_id: str, origin: str) -> Iterator[None]:
        """Around the work by which a file can kill the process: the third attempt after two such raises `KilledTwice`.

        Of files that were worked on when the process was killed only one at a time is tried again, so that none is
        blamed for another.
        """
        mark = self._folder(taken_id, origin) / TRYING
        if not (before := _size(mark)):
            with _marked(mark):
                yield
        elif before < MOST_ATTEMPTS:
            with self._suspects, _marked(mark):
                yield
        else:
            raise KilledTwice("killed_twice", "the process ended twice while it worked on this file")

    def done(self, taken_id: str) -> None:
        """The journal has it, or the quarantine: delete the file and its folder."""
        for origin in ORIGINS:
            shutil.rmtree(self._folder(taken_id, origin), ignore_errors=True)

    def _folder(self, taken_id: str, origin: str) -> Path:
        return self.area / TAKEN / f"{taken_id}.{origin}"

    def _take(self, path: Path, name: PurePosixPath, origin: str) -> InboxFile | None:
        taken_id = uuid.uuid4().hex
        folder = self._folder(taken_id, origin)
        target = folder / _packed(name)
        try:
            target.parent.mkdir(parents=True)
            durable.move(path, target, through=self.area / ARRIVING / f"{taken_id}{durable.PARTIAL}")
        except FileNotFoundError:
            shutil.rmtree(folder, ignore_errors=True)
            return None
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise _unavailable(self.area / name, error) from error
        return InboxFile(taken_id, target, name, origin)


@contextmanager
def _marked(mark: Path) -> Iterator[None]:
    """What is done meanwhile leaves a byte more in a file if it is never done."""
    before = _size(mark)
    try:
        with mark.open("ab") as file:
            file.write(b".")
    except OSError as error:
        raise _unavailable(mark, error) from error
    try:
        yield
    finally:
        with suppress(OSError):
            if before:
                os.truncate(mark, before)
            else:
                mark.unlink()


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.lstat().st_size
    return 0


def _packed(name: PurePosixPath) -> str:
    """A name with its folders as one file name: making folders would be the most expensive part of taking a file."""
    escaped = str(name).replace("%", "%25")
    packed = escaped.replace("/", "%2F")
    return packed if len(os.fsencode(packed)) <= NAME_MAX else escaped


def unpacked(path: PurePath) -> PurePosixPath:
    """The name, below the upload area, of a file at this path below its folder in the inbox."""
    return PurePosixPath(str(path).replace("%2F", "/").replace("%25", "%"))


def is_temporary(name: str) -> bool:
    """Whether a file's name is a temporary one, which it loses when it is complete."""
    return name.startswith(".") or name.lower().endswith(_TEMPORARY)


def _unavailable(path: Path, error: OSError) -> InboxUnavailable:
    return InboxUnavailable("inbox_unavailable", f"cannot take {path}: {error.strerror or error}")
