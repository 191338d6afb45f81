"""A camera whose pictures another program writes: one file, or the newest in a folder."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from heapq import nlargest
from pathlib import Path
from typing import Literal

from pydantic import Field

from app.cameras import CameraRejected, CameraSettings, CameraUnavailable, Frame
from app.cameras.address import Networks
from app.media.completeness import looks_complete
from app.media.formats import OTHER_SUFFIXES, SUFFIXES
from pylib.runtime.bounded_calls import BoundedCalls

CODES = {
    "no_file": (
        "The file with the camera's picture is missing, or the folder has no picture.",
        "start the program that writes it, or correct this camera's `path`",
    ),
    "unreadable": (
        "The file with the camera's picture cannot be read.",
        "let the service's user read the file and its folder; in a container, mount it",
    ),
    "too_old": (
        "The picture in the file is older than this camera's `max_age`.",
        "see whether the program that writes it still runs and its camera answers, or raise `max_age`",
    ),
}
"""Code -> what happened, and what to do about it; those of every camera stand in `app/cameras/http`."""

NEWEST = 3
"""Pictures of a folder that are looked at: the newest may still be written."""
PICTURES = (*SUFFIXES.values(), *OTHER_SUFFIXES)


class FileSettings(CameraSettings):
    """A picture in a file, or the newest in a folder."""

    kind: Literal["file"] = "file"
    path: Path = Field(
        description="The file with the picture, or a folder, whose newest picture counts; folders in it do not."
    )
    max_age: float = Field(default=0, ge=0, description="Seconds; an older picture is a failure. 0 for any age.")


class File:
    """One file or folder."""

    Settings = FileSettings

    def __init__(self, settings: FileSettings, *, networks: Networks, now: Callable[[], float] = time.time) -> None:
        """`now`: Unix seconds, as files have them."""
        del networks  # only for cameras that have an address
        self._settings = settings
        self._now = now
        # A network mount that is gone blocks for ever.
        self._calls = BoundedCalls(f"file {settings.device_key}", seconds=settings.timeout, hanging=1)

    def snapshot(self, device_params: str | None = None) -> Frame:
        del device_params
        try:
            return Frame(self._calls.call(self._read))
        except TimeoutError:
            text = f"{self._settings.path} could not be read within {self._settings.timeout:g} s: is its disk there?"
            raise CameraUnavailable("timeout", text) from None

    def close(self) -> None:
        """Nothing is held."""

    def _read(self) -> bytes:
        path, limit = self._settings.path, self._settings.max_bytes
        try:
            if path.is_dir():
                path = _newest(path)
            with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise CameraRejected("unreadable", f"{path} is no file")
                self._require_young(path, status.st_mtime)
                data = file.read(limit + 1)
        except FileNotFoundError:
            raise CameraUnavailable("no_file", f"there is no {path}: is the program that writes it running?") from None
        except OSError as error:
            raise CameraUnavailable("unreadable", f"cannot read {path}: {error.strerror}") from None
        if len(data) > limit:
            raise CameraUnavailable("too_large", f"{path} has more than the {limit} bytes allowed")
        return data

    def _require_young(self, path: Path, written: float) -> None:
        age = self._now() - written
        if self._settings.max_age and age > self._settings.max_age:
            text = f"{path} was written {age:.0f} s ago, more than max_age ({self._settings.max_age:g} s)"
            raise CameraUnavailable("too_old", text)


def _newest(folder: Path) -> Path:
    """The newest picture in a folder that looks complete, else the newest. Raises OSError, `CameraUnavailable`."""
    with os.scandir(folder) as entries:
        pictures = [entry for entry in entries if not entry.name.startswith(".") and _is_picture(entry)]
        found = [Path(entry.path) for entry in nlargest(NEWEST, pictures, key=lambda entry: entry.stat().st_mtime_ns)]
    if not found:
        raise CameraUnavailable("no_file", f"{folder} has no picture in it")
    return next((path for path in found if looks_complete(path)), found[0])


def _is_picture(entry: os.DirEntry[str]) -> bool:
    return entry.name.lower().endswith(PICTURES) and entry.is_file()
