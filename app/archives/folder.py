"""The folder archive: date folders on a local or mounted disk."""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path, PurePath
from typing import TypeVar

from pydantic import Field

from app.archives import (
    ArchiveBlocked,
    ArchiveContext,
    ArchiveError,
    ArchiveRejected,
    ArchiveUnavailable,
    RemoteObject,
    event_id_in,
)
from app.messages import Inspection
from pylib.files import durable
from pylib.runtime.bounded_calls import BoundedCalls
from pylib.settings.fields import Directory, Section

T = TypeVar("T")

MARKER = ".snapshot-archive"
"""A file in the archive itself: where it is missing, the disk is not mounted."""
MARKER_TEXT = "Pictures are archived here. Without this file the folder counts as a disk that is not mounted.\n"

ATTEMPT_S = 60.0
"""Longest time for one picture; a network mount whose server is gone hangs for ever."""

_BLOCKING = {
    errno.ENOSPC: ("disk_full", "the disk is full: free some space"),
    errno.EDQUOT: ("quota_full", "the quota is used up: free some space or raise it"),
    errno.EROFS: ("read_only", "the disk is mounted read-only: look why, and mount it for writing"),
    errno.EACCES: ("access_denied", "this user may not write there: correct the folder's owner or permissions"),
    errno.EPERM: ("access_denied", "this user may not write there: correct the folder's owner or permissions"),
    errno.ENOTDIR: ("not_a_folder", "a file lies where a folder has to be: move it away"),
}
"""Failures that a person has to correct."""

CODES = {
    "not_mounted": (
        "The folder is not the archive it was.",
        "mount the disk, or make the marker file if the archive is meant to begin anew",
    ),
    "disk_unavailable": (
        "The archive's disk is unavailable.",
        "look at the disk; nothing, if it passes: the service tries again",
    ),
    "read_only": ("The archive's disk is mounted read-only.", "look why, and mount it for writing"),
    "not_a_folder": ("A file lies where a folder has to be.", "move it away"),
    "bad_name": ("The disk takes no file of this name.", "rename the camera's location"),
}
"""Code -> what happened, and what to do about it."""


class FolderSettings(Section):
    """Pictures in date folders on a local or mounted disk."""

    dir: Directory = Field(description="Folder for date folders with pictures.")
    concurrency: int = Field(default=2, ge=1, le=32, description="Pictures written to it at once.")


class Folder:
    """Stores pictures as `YYYY/MM/DD/<camera>/<file>` below one folder."""

    title = "the archive folder"
    Settings = FolderSettings

    def __init__(
        self,
        settings: FolderSettings,
        context: ArchiveContext = ArchiveContext(),  # noqa: B008 - frozen
        *,
        attempt: float = ATTEMPT_S,
    ) -> None:
        """`attempt`: seconds that one picture may take."""
        self.name = context.name or "folder"
        self.concurrency = settings.concurrency
        self._folder = settings.dir
        self._used = context.used
        self._bounded = BoundedCalls(self.name, seconds=attempt, hanging=2 * self.concurrency)

    @property
    def url(self) -> str:
        """Empty: a path on this machine is no link for others."""
        return ""

    def open(self) -> None:
        """Look for the marker, or write it when this archive is new.

        Raises `ArchiveBlocked` (`not_mounted`, a full disk, permissions) or `ArchiveUnavailable`.
        """
        used = self._used()
        self._attempt(lambda: self._claim(used=used))

    def store(self, inspection: Inspection, picture: bytes) -> None:
        """Write a picture, unless the same is there already, so that a power cut leaves all of it or nothing.

        Whoever may read the archive's folder may read it.

        Raises `ArchiveBlocked` or `ArchiveUnavailable`.
        """
        target = self._folder / inspection.snapshot.dated_name
        taken = inspection.snapshot.taken_at.timestamp()
        self._attempt(lambda: self._write(target, picture, taken))

    def read(self, inspection: Inspection) -> bytes:
        """The picture, which another replica may have stored in the same folder. Raises `ArchiveError`."""
        return self._attempt(lambda: durable.read(str(self._folder / inspection.snapshot.dated_name)))

    def remove(self, inspection: Inspection) -> None:
        """Delete a picture's files, and folders that are empty then. Raises `ArchiveError`."""
        name = PurePath(inspection.snapshot.dated_name)
        self._attempt(lambda: self._unlink(self._folder / name.parent, name.stem))

    def entries(self) -> Iterator[RemoteObject]:
        """Every file, day by day; each is read for its MD5."""
        self._attempt(self._look)
        # Walked by hand: to `rglob` an unreadable folder is an empty one.
        waiting = [self._folder]
        while waiting:
            folder = waiting.pop()
            paths = self._attempt(lambda folder=folder: sorted(folder.iterdir(), reverse=True))  # type: ignore[misc]
            for path in reversed(paths):
                if path.is_file() and not path.name.startswith("."):
                    yield self._attempt(lambda path=path: self._kept(path))  # type: ignore[misc]
            waiting += [path for path in paths if path.is_dir() and not path.is_symlink()]

    def describe(self) -> str:
        """The folder; one without the marker is not claimed by a check."""
        if not self._attempt((self._folder / MARKER).exists):
            return f"{self._folder}, nothing was archived there yet"
        self.open()
        return str(self._folder)

    def close(self) -> None:
        """Nothing to close."""

    def _attempt(self, work: Callable[[], T]) -> T:
        try:
            return self._bounded.call(work)
        except TimeoutError:
            raise ArchiveUnavailable("timeout", f"{self._folder} does not answer: is its server there?") from None
        except OSError as error:
            raise self._failure(error) from None

    def _failure(self, error: OSError) -> ArchiveError:
        if error.errno in _BLOCKING:
            code, sentence = _BLOCKING[error.errno]
            return ArchiveBlocked(code, f"{self._folder}: {sentence}.")
        if error.errno in (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ):
            return ArchiveRejected("bad_name", f"{self._folder}: the disk takes no file of this name.")
        return ArchiveUnavailable("disk_unavailable", f"{self._folder}: {error.strerror or type(error).__name__}.")

    def _claim(self, *, used: bool) -> None:
        marker = self._folder / MARKER
        if marker.exists():
            return
        if used:
            raise self._not_mounted()
        durable.make_folder(self._folder, mode=0o755)
        durable.write(marker, MARKER_TEXT.encode())

    def _look(self) -> None:
        if not (self._folder / MARKER).exists():
            raise self._not_mounted()

    def _not_mounted(self) -> ArchiveBlocked:
        return ArchiveBlocked(
            "not_mounted",
            f"{self._folder} is not the archive it was: mount its disk, or make the file {MARKER} in it if it is"
            " meant to begin anew.",
        )

    def _write(self, target: Path, picture: bytes, taken: float) -> None:
        self._look()  # before every write: else pictures would fill the disk below the mount point
        if _same(target, picture):
            durable.sync_folder(target.parent)  # an earlier attempt may have ended before it did so
            return
        mode = stat.S_IMODE(self._folder.stat().st_mode)
        durable.make_folder(target.parent, mode=mode)
        durable.write(target, picture, check=lambda partial: self._check(partial, picture, taken, mode))

    def _unlink(self, folder: Path, stem: str) -> None:
        self._look()
        for path in folder.glob(f"{glob.escape(stem)}[.-]*") if stem else ():
            path.unlink(missing_ok=True)
        with suppress(OSError):  # not empty, or not there
            for empty in (folder, *folder.relative_to(self._folder).parents[:-1]):
                (self._folder / empty).rmdir()

    def _check(self, partial: Path, picture: bytes, taken: float, mode: int) -> None:
        # Some network mounts keep their own modes, and some their own time.
        with suppress(OSError):
            partial.chmod(mode & 0o666)
        with suppress(OSError):
            os.utime(partial, (taken, taken))
        if not _same(partial, picture):
            raise ArchiveUnavailable("wrong_copy", f"{self._folder}: what was written reads differently.")

    def _kept(self, path: Path) -> RemoteObject:
        data = path.read_bytes()
        name = path.relative_to(self._folder).as_posix()
        return RemoteObject(event_id_in(name), name, len(data), _md5(data))


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _same(path: Path, picture: bytes) -> bool:
    try:
        return path.stat().st_size == len(picture) and _md5(path.read_bytes()) == _md5(picture)
    except FileNotFoundError:
        return False
