"""The inbox: complete files from cameras, each under its own id, until the journal has them."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from pylib.errors import Permanent, Transient
from pylib.files import beneath, durable
from pylib.runtime.shared_lock import SharedLock

TAKEN = ".taken"
"""Folder inside the upload area, so that taking a file is a rename: `<id>.<origin>.<name>`.

A name that is too long for that has a folder `<id>.<origin>` of its own, as every file had up to version 0.1.
"""
FTP, FOLDER, MAIL = ORIGINS = ("ftp", "folder", "mail")
"""Where a file can come from: our own FTP server, the upload area, a mail."""
ARRIVING = ".arriving"
"""Folder inside the upload area for files that are still being written."""
TRYING = "%trying"
"""Ends the name of a file beside one in the inbox, `<id>%trying`: a byte for each attempt that has begun and not
ended."""
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
    sender: str = ""
    """The address that sent it; known until the process ends."""


class Inbox:
    """Takes files out of the upload area, where names are reused and overwritten, and keeps them until they are done.

    Every method may be called from any thread. All raise `InboxUnavailable`.
    """

    def __init__(self, area: Path, *, attempts: SharedLock | None = None) -> None:
        """`attempts`: held by all that decode what comes from outside."""
        self.area = area
        self._attempts = attempts or SharedLock()
        self._marked: set[str] = set()
        """Ids of files with marks that the last run left."""

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

    def take_as(self, written: Path, name: PurePosixPath, *, origin: str = FTP, sender: str = "") -> InboxFile | None:
        """Take a complete file that lies in no camera's reach, under the name it should have had; None: it is gone."""
        return self._take(written, name, origin, sender)

    def put(self, data: bytes, name: PurePosixPath, *, origin: str = MAIL, sender: str = "") -> InboxFile:
        """Take a file from memory; it is safely on disk when this returns."""
        written = self.arriving()
        try:
            durable.write_new(written, data)
        except OSError as error:
            raise _unavailable(written, error) from error
        taken = self._take(written, name, origin, sender)
        if taken is None:
            raise InboxUnavailable("inbox_unavailable", f"{written} vanished")
        try:
            durable.sync_folder(taken.path.parent)
        except OSError as error:
            raise _unavailable(taken.path, error) from error
        return taken

    def waiting(self) -> Iterator[InboxFile]:
        """Files that the last run left: taken and not done, in no order. Call it before anything is taken."""
        taken, marks = set[str](), list[Path]()
        for path in (self.area / TAKEN).iterdir():
            if path.name.endswith(TRYING):
                marks.append(path)
            elif file := _file_in(path):
                taken_id, origin = path.name.split(".")[:2]
                taken.add(taken_id)
                yield InboxFile(taken_id, file, name_in(file.relative_to(self.area / TAKEN)), origin)
            else:
                shutil.rmtree(path, ignore_errors=True)
        for mark in marks:
            if (taken_id := mark.name.removesuffix(TRYING)) in taken:
                self._marked.add(taken_id)
            else:
                mark.unlink(missing_ok=True)

    @contextmanager
    def attempt(self, taken_id: str) -> Iterator[None]:
        """Around the work by which a file can kill the process: the third attempt after two such raises `KilledTwice`.

        A file that was worked on when the process was killed is tried again alone, so that none is blamed for another.
        """
        mark = self._mark(taken_id)
        if not (before := _size(mark)):
            with self._attempts.shared(), _marked(mark):
                yield
        elif before < MOST_ATTEMPTS:
            with self._attempts.alone(), _marked(mark):
                yield
        else:
            raise KilledTwice("killed_twice", "the process ended twice while it worked on this file")

    def done(self, path: Path) -> None:
        """The journal has the file at this path, or the quarantine: delete it, its mark, and a folder of its own."""
        own = self.area / TAKEN / path.relative_to(self.area / TAKEN).parts[0]
        with suppress(OSError):
            if own == path:
                path.unlink()
            else:
                shutil.rmtree(own)
        if (taken_id := own.name.partition(".")[0]) in self._marked:
            self._marked.discard(taken_id)
            with suppress(OSError):
                self._mark(taken_id).unlink()

    def _mark(self, taken_id: str) -> Path:
        return self.area / TAKEN / f"{taken_id}{TRYING}"

    def _take(self, path: Path, name: PurePosixPath, origin: str, sender: str = "") -> InboxFile | None:
        taken_id = uuid.uuid4().hex
        target = self.area / TAKEN / _packed(f"{taken_id}.{origin}", name)
        through = self.area / ARRIVING / f"{taken_id}{durable.PARTIAL}"
        try:
            try:
                durable.move(path, target, through=through)
            except FileNotFoundError:  # the file, or where it goes
                durable.make_folder(target.parent)
                durable.move(path, target, through=through)
        except FileNotFoundError:
            self.done(target)
            return None
        except OSError as error:
            self.done(target)
            raise _unavailable(self.area / name, error) from error
        return InboxFile(taken_id, target, name, origin, sender)


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


def _packed(start: str, name: PurePosixPath) -> str:
    """A name with its folders as one file name: making folders would be the most expensive part of taking a file."""
    escaped = str(name).replace("%", "%25")
    packed = f"{start}.{escaped.replace('/', '%2F')}"
    return packed if len(os.fsencode(packed)) <= NAME_MAX else f"{start}/{escaped}"


def name_in(path: PurePath) -> PurePosixPath:
    """The name, below the upload area, of a file at this path below `TAKEN`."""
    first, *rest = path.parts
    packed = "/".join(rest) if rest else ".".join(first.split(".")[2:])
    return PurePosixPath(packed.replace("%2F", "/").replace("%25", "%"))


def _file_in(path: Path) -> Path | None:
    """The file that was taken: this one, or the one in its own folder; None where a crash came before it."""
    if not path.is_dir():
        return path
    return next((file for file in path.rglob("*") if file.is_file() and file.name != TRYING), None)


def is_temporary(name: str) -> bool:
    """Whether a file's name is a temporary one, which it loses when it is complete."""
    return name.startswith(".") or name.lower().endswith(_TEMPORARY)


def _unavailable(path: Path, error: OSError) -> InboxUnavailable:
    return InboxUnavailable("inbox_unavailable", f"cannot take {path}: {error.strerror or error}")
