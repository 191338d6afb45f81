"""Archives: where pictures are kept beyond the cache. A new one is one file here and one row in `KINDS`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel

from app.messages import Inspection
from pylib.errors import Failure, Permanent, Transient
from pylib.settings.kinds import Registry

CODES = {
    "timeout": (
        "The archive did not answer in time.",
        "look at the way to it; nothing, if it passes: the service tries again",
    ),
    "unreachable": (
        "The archive could not be reached.",
        "look at the network; nothing, if it passes: the service tries again",
    ),
    "throttled": ("The archive takes fewer calls than are made.", "nothing, if it passes: the service tries again"),
    "wrong_copy": (
        "The archive holds something else than was sent.",
        "nothing, if it passes: the service tries again",
    ),
    "too_large": ("The archive takes no picture that large.", "choose a smaller picture in the camera"),
    "access_denied": ("This account may not write there.", "grant it; the message names what"),
    "quota_full": ("The archive is full.", "free some space, or buy some"),
    "disk_full": ("The archive's disk is full.", "free some space"),
}
"""Code -> what happened, and what to do about it."""


class ArchiveError(Failure):
    """A picture was not archived."""


class ArchiveUnavailable(ArchiveError, Transient):
    """Not now: unreachable, throttled, or a wrong copy, which was deleted."""


class ArchiveRejected(ArchiveError, Permanent):
    """This picture will never be accepted: too large for the target, or refused for itself."""


class ArchiveBlocked(ArchiveError, Transient):
    """Nothing is accepted until a person does something (sign in again, free quota, correct a permission).

    Transient for the pictures, which are kept and retried; an alarm for people.
    """


_EVENT_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?=\.\w+$)")


def event_id_in(name: str) -> str:
    """The event id in a `Snapshot.dated_name`, whatever precedes it; empty for a name of another tool's."""
    found = _EVENT_ID.search(name)
    return found[0] if found else ""


@dataclass(frozen=True, slots=True)
class RemoteObject:
    """One picture on the remote side, as `entries` lists it."""

    event_id: str
    """Empty for a picture of another tool's."""
    name: str
    """Its name for people: a path or key, date folders included."""
    size: int
    md5: str
    """Hexadecimal; empty where the remote side has none."""


@dataclass(frozen=True, slots=True)
class ArchiveContext:
    """What an archive gets beside its settings."""

    name: str = ""
    """Its name as a target in the journal; its kind unless set."""
    data_dir: Path = Path("data")
    """Where it may keep files of its own."""
    zone: tzinfo = UTC
    """The home's, for the names of days."""
    used: Callable[[], bool] = lambda: False
    """Whether it ever took anything: if so, an empty one is one that is not mounted or not reachable."""


class Archive(Protocol):
    """Stores pictures in one place. `store` is called by `concurrency` threads at once."""

    name: str
    """The target's name in the journal's delivery rows; stable across restarts."""
    concurrency: int
    """How many uploads at once make sense."""

    @property
    def url(self) -> str:
        """A link for people to where the pictures are; events carry it as `storage_url`. Empty when there is none."""
        ...

    def open(self) -> None:
        """Check that the target is there; called at start and again after an outage. Raises `ArchiveError`."""
        ...

    def store(self, inspection: Inspection, picture: bytes) -> None:
        """Store a picture and verify the copy (size and checksum compared); doing it twice leaves one.

        In bounded time. Raises `ArchiveUnavailable`, `ArchiveBlocked` or `ArchiveRejected`.
        """
        ...

    def entries(self) -> Iterator[RemoteObject]:
        """Every stored picture, page by page. Raises `ArchiveError`."""
        ...

    def describe(self) -> str:
        """A description for `check`: checks that the target is there and leaves nothing. Raises `ArchiveError`."""
        ...

    def close(self) -> None:
        """Close its connections."""
        ...


@runtime_checkable
class Removing(Protocol):
    """An archive that can delete what it has."""

    def remove(self, inspection: Inspection) -> None:
        """Delete a picture that was stored, and what was stored under its name beside it, as far as it is there.

        Of the picture's path its folders and its stem count. In bounded time. Raises `ArchiveError`.
        """
        ...


@runtime_checkable
class Reading(Protocol):
    """An archive that gives back what it has."""

    name: str

    def read(self, inspection: Inspection) -> bytes:
        """A picture that was stored, by its `Snapshot.dated_name`. In bounded time. Raises `ArchiveError`."""
        ...


class ArchiveKind(Protocol):
    """The class behind a kind."""

    Settings: type[BaseModel]
    title: ClassVar[str]
    """Its name for people."""

    def __call__(self, settings: Any, context: ArchiveContext) -> Archive:
        """An archive of these `Settings`; sends nothing. Raises `ArchiveError` where they make no sense."""
        ...


KINDS: Registry[ArchiveKind] = Registry(
    {
        "google_drive": "app.archives.google_drive:GoogleDrive",
        "s3": "app.archives.s3:S3",
        "folder": "app.archives.folder:Folder",
    }
)
"""Loaded when configured."""
