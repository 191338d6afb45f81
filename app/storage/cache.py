"""Where pictures lie on disk: written whole or not at all, in day folders per camera."""

from __future__ import annotations

import errno
import os
from datetime import datetime, tzinfo
from pathlib import Path

from app.media.formats import SUFFIXES
from app.naming import slug
from pylib.errors import Transient
from pylib.files.durable import sync_folder

PARTIAL = ".part"

_CANNOT_LINK = (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS)
"""Another device, no such thing on this file system, another owner's file, or too many names already."""


class CacheUnavailable(Transient):
    """A picture cannot be written now: disk full, read-only or gone."""


class Cache:
    """The folder of all pictures: `YYYY/MM/DD/<camera>/HHMMSS-<event id>.jpg`, days in the home's time zone."""

    def __init__(self, root: Path, *, zone: tzinfo) -> None:
        self.root = root
        self._zone = zone

    def open(self) -> None:
        """Make the folder and clear away what a crash left half written. Raises `CacheUnavailable`."""
        try:
            _make_folder(self.root)
            for leftover in self.root.rglob(f"*{PARTIAL}"):
                leftover.unlink(missing_ok=True)
        except OSError as error:
            raise _unavailable(self.root, error) from error

    def store(self, picture: bytes, *, event_id: str, camera: str, taken_at: datetime, format: str) -> Path:
        """Write a picture so that a power cut leaves either all of it or nothing, and return its path.

        `format` is Pillow's name (`JPEG`). Raises `CacheUnavailable`.
        """
        path = self._path(event_id, camera, taken_at, format)
        try:
            _make_folder(path.parent)
            _write(path, picture)
        except OSError as error:
            raise _unavailable(path, error) from error
        return path

    def adopt(self, file: Path, *, event_id: str, camera: str, taken_at: datetime, format: str) -> Path:
        """Make a picture's file, which nobody writes to any more, the cache's too, and return its path there.

        As safe as `store` and without writing the picture again, except where files cannot have two names: on
        another device, or a file system without links. Raises `CacheUnavailable`.
        """
        path = self._path(event_id, camera, taken_at, format)
        try:
            _make_folder(path.parent)
            if not _link(file, path):
                _write(path, file.read_bytes())
        except OSError as error:
            raise _unavailable(path, error) from error
        return path

    def _path(self, event_id: str, camera: str, taken_at: datetime, format: str) -> Path:
        local = taken_at.astimezone(self._zone)
        folder = self.root / local.strftime("%Y/%m/%d") / slug(camera)
        return folder / f"{local:%H%M%S}-{event_id}{SUFFIXES[format]}"


def _make_folder(folder: Path) -> None:
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)


def _write(path: Path, data: bytes) -> None:
    partial = path.with_name(path.name + PARTIAL)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    partial.rename(path)
    sync_folder(path.parent)


def _link(file: Path, path: Path) -> bool:
    """Give a file another name, durably; False where that cannot be."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # the contents before the name
    finally:
        os.close(descriptor)
    path.unlink(missing_ok=True)  # an attempt that was not recorded
    try:
        path.hardlink_to(file)
    except OSError as error:
        if error.errno in _CANNOT_LINK:
            return False
        raise
    sync_folder(path.parent)
    return True


def _unavailable(path: Path, error: OSError) -> CacheUnavailable:
    return CacheUnavailable("cache_unavailable", f"cannot write {path}: {error.strerror or error}")
