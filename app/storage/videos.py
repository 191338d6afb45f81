"""Videos that cameras send among their pictures: recognised by their names, and stored apart."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path, PurePath

from app.media.formats import INDEX_SUFFIXES, VIDEO_SUFFIXES
from app.naming import slug
from pylib.errors import Transient
from pylib.files import durable

_MOMENT = "%Y%m%d-%H%M%S"
_NAME = re.compile(r"(\d{8}-\d{6})-[0-9a-f]{32}\.\w+")


@dataclass(frozen=True, slots=True)
class Video:
    """A stored video."""

    path: Path
    taken_at: float
    """Unix seconds."""
    size: int

    @property
    def event_id(self) -> str:
        """Of the event that it became."""
        return self.path.stem[-32:]

    @property
    def camera(self) -> str:
        """The camera's name as its folder has it."""
        return self.path.parent.name


class VideosUnavailable(Transient):
    """A video cannot be stored now: disk full, read-only or gone."""


def is_video(name: PurePath) -> bool:
    """Whether a file's name is a video's."""
    return name.suffix.lower() in VIDEO_SUFFIXES


def is_index(name: PurePath) -> bool:
    """Whether it is what recorders put beside a video, and no video itself."""
    return name.suffix.lower() in INDEX_SUFFIXES


class Videos:
    """The folder of videos: `<camera>/YYYYMMDD-HHMMSS-<id>.mp4`, the time in the home's zone."""

    def __init__(self, folder: Path, *, zone: tzinfo) -> None:
        self.folder = folder
        self._zone = zone

    def keep(self, file: Path, *, event_id: str, camera: str, taken_at: datetime) -> Path:
        """Link a video's file here, or move it where files cannot have two names, and return its path.

        Raises `VideosUnavailable`, FileNotFoundError.
        """
        name = f"{taken_at.astimezone(self._zone).strftime(_MOMENT)}-{event_id}{file.suffix.lower()}"
        path = self.folder / slug(camera) / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not durable.link(file, path):
                durable.move(file, path)
        except FileNotFoundError:
            raise
        except OSError as error:
            reason = error.strerror or os.strerror(error.errno or 0)
            raise VideosUnavailable("videos_unavailable", f"cannot keep {path.name}: {reason}") from error
        return path

    def kept(self) -> list[Video]:
        """The videos that were put here, oldest first; other files here are not ours."""
        return sorted(self._found(), key=lambda video: (video.taken_at, video.path))

    def _found(self) -> Iterator[Video]:
        for path in self.folder.glob("*/*"):
            named = _NAME.fullmatch(path.name)
            with suppress(OSError, ValueError):  # gone meanwhile, or no date
                if named and not path.is_symlink():
                    taken_at = datetime.strptime(named[1], _MOMENT).replace(tzinfo=self._zone)
                    yield Video(path, taken_at.timestamp(), path.stat().st_size)
