"""Where the pictures of a running film come from: cameras, by the journal, or a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Protocol

from app.films.dates import taken_at
from app.journal import FilmPicture, Journal
from app.media.picture import MAX_PIXELS
from app.messages import Inspection
from pylib.errors import Transient
from pylib.files import durable

CODES = {
    "no_folder": (
        "The folder that a running film takes its pictures from cannot be read.",
        "mount it, or mend `folder` of the film",
    ),
}
"""Code -> what happened, and what to do about it."""

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".heic", ".heif")
MOST_BYTES = 100_000_000
"""Of a file that is looked into."""
_DIGEST = 16
"""Bytes of a picture's digest."""


class FolderMissing(Transient):
    """The folder cannot be read; `code` is `no_folder`."""


class PictureSource(Protocol):
    """Has pictures for one film."""

    def new(self, film: str) -> Iterator[FilmPicture]:
        """Those that the film was not offered yet, or in another version. Raises `Transient`."""
        ...

    def read(self, name: str) -> bytes | None:
        """The bytes of a picture; None when it is gone."""
        ...


class CameraPictures:
    """What cameras took, as long as the cache has it."""

    def __init__(
        self,
        cameras: Sequence[str],
        *,
        journal: Journal,
        zone: tzinfo,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`cameras`: device keys."""
        self._cameras = cameras
        self._journal = journal
        self._zone = zone
        self._now = now

    def new(self, film: str) -> Iterator[FilmPicture]:
        today = self._now().astimezone(self._zone).replace(hour=0, minute=0, second=0, microsecond=0)
        until = today.astimezone(UTC)  # the parts of days that are over do not change any more
        while found := self._journal.snapshots_for_film(film, self._cameras, until=until):
            for one in found:
                yield dated(one, self._zone)

    def read(self, name: str) -> bytes | None:
        found = self._journal.find(name)
        snapshot = found.snapshot if isinstance(found, Inspection) else found
        return _read(Path(snapshot.path)) if snapshot is not None and snapshot.path else None


class FolderPictures:
    """Files of a folder, and of those in it; nothing is changed there."""

    def __init__(
        self,
        folder: Path,
        *,
        known: Callable[[str], Mapping[str, str]],
        zone: tzinfo,
        max_pixels: int = MAX_PIXELS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`known`: the versions of the files that a film was offered, by name; `zone`: the one of cameras' clocks."""
        self._folder = folder
        self._known = known
        self._zone = zone
        self._max_pixels = max_pixels
        self._now = now

    def new(self, film: str) -> Iterator[FilmPicture]:
        known = self._known(film)
        for path in self._files():
            name = path.relative_to(self._folder).as_posix()
            try:
                version = _version(path)
            except FileNotFoundError:
                continue
            if known.get(name) != version:
                yield self._looked_at(path, name, version)

    def read(self, name: str) -> bytes | None:
        return _read(self._folder / name)

    def _files(self) -> Iterator[Path]:
        if not self._folder.is_dir():
            raise FolderMissing("no_folder", f"{self._folder} is no folder, or is not mounted")
        for path in sorted(self._folder.rglob("*")):
            hidden = any(part.startswith(".") for part in path.relative_to(self._folder).parts)
            if path.suffix.lower() in SUFFIXES and not hidden and path.is_file() and not path.is_symlink():
                yield path

    def _looked_at(self, path: Path, name: str, version: str) -> FilmPicture:
        try:
            if path.stat().st_size > MOST_BYTES:
                return FilmPicture(name, "broken", version=version, problem=f"It has over {MOST_BYTES // 10**6} MB.")
            data = durable.read(str(path))
        except OSError as error:
            return FilmPicture(name, "broken", version=version, problem=f"It cannot be read: {error.strerror}.")
        now = self._now()
        return looked_at(name, data, version=version, zone=self._zone, now=now, max_pixels=self._max_pixels)


def looked_at(name: str, data: bytes, *, version: str, zone: tzinfo, now: datetime, max_pixels: int) -> FilmPicture:
    """A picture as it is offered: with its date, or without one and the reason."""
    moment, problem = taken_at(name, data, zone=zone, now=now, max_pixels=max_pixels)
    content = hashlib.blake2b(data, digest_size=_DIGEST).digest()
    if moment is None:
        return FilmPicture(name, "undated", version=version, content=content, problem=problem)
    return dated(FilmPicture(name, "waiting", moment, version=version, content=content), zone)


def dated(picture: FilmPicture, zone: tzinfo) -> FilmPicture:
    """The same with its day in this zone."""
    moment = picture.taken_at
    return picture if moment is None else replace(picture, day=moment.astimezone(zone).date().isoformat())


def _version(path: Path) -> str:
    found = path.stat()
    return f"{found.st_size}-{found.st_mtime_ns}"


def _read(path: Path) -> bytes | None:
    try:
        return durable.read(str(path))
    except OSError:
        return None
