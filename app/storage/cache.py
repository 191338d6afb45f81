"""The picture cache: files written atomically, in day folders per camera."""

from __future__ import annotations

from datetime import datetime, tzinfo
from pathlib import Path

from app.media.formats import SUFFIXES
from app.naming import slug
from pylib.errors import Transient
from pylib.files import durable


class CacheUnavailable(Transient):
    """A picture cannot be written now: disk full, read-only or gone."""


class Cache:
    """The folder of all pictures: `YYYY/MM/DD/<camera>/HHMMSS-<event id>.jpg`, days in the home's time zone."""

    def __init__(self, root: Path, *, zone: tzinfo) -> None:
        self.root = root
        self._zone = zone

    def open(self) -> None:
        """Make the folder and delete half-written files of a crash. Raises `CacheUnavailable`."""
        try:
            durable.make_folder(self.root)
            for leftover in self.root.rglob(f"*{durable.PARTIAL}"):
                leftover.unlink(missing_ok=True)
        except OSError as error:
            raise _unavailable(self.root, error) from error

    def store(self, picture: bytes, *, event_id: str, camera: str, taken_at: datetime, format: str) -> Path:
        """Write a picture so that a power cut leaves either all of it or nothing, and return its path.

        `format` is Pillow's name (`JPEG`). Raises `CacheUnavailable`.
        """
        path = self.path_of(event_id, camera, taken_at, SUFFIXES[format])
        try:
            durable.make_folder(path.parent)
            durable.write(path, picture)
        except OSError as error:
            raise _unavailable(path, error) from error
        return path

    def adopt(self, file: Path, *, event_id: str, camera: str, taken_at: datetime, format: str) -> Path:
        """Link a picture's file, which no program writes to any more, into the cache, and return its path there.

        As safe as `store` and without writing the picture again, except where files cannot have two names: on
        another device, or a file system without links. Raises `CacheUnavailable`.
        """
        path = self.path_of(event_id, camera, taken_at, SUFFIXES[format])
        try:
            durable.make_folder(path.parent)
            if not durable.link(file, path):
                durable.write(path, file.read_bytes())
        except OSError as error:
            raise _unavailable(path, error) from error
        return path

    def path_of(self, event_id: str, camera: str, taken_at: datetime, suffix: str) -> Path:
        """Where a picture with this suffix (`.jpg`) lies, whether it is there or not."""
        local = taken_at.astimezone(self._zone)
        folder = self.root / local.strftime("%Y/%m/%d") / slug(camera)
        return folder / f"{local:%H%M%S}-{event_id}{suffix}"


def replace_picture(path: Path, *, by: Path) -> None:
    """Put another picture of the same format in the place of one in the cache; a crash leaves one of the two.

    Raises `CacheUnavailable`.
    """
    try:
        durable.write(path, by.read_bytes())
    except OSError as error:
        raise _unavailable(path, error) from error


def _unavailable(path: Path, error: OSError) -> CacheUnavailable:
    return CacheUnavailable("cache_unavailable", f"cannot write {path}: {error.strerror or error}")
