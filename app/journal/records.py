"""The journal's records besides messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds until the next attempt: `first_s`, doubled with each further one up to `last_s`, give or take a fifth."""

    first_s: float = 1.0
    last_s: float = 60.0


@dataclass(frozen=True, slots=True)
class TargetBacklog:
    """A target's pending deliveries, in numbers."""

    count: int
    since: float | None
    """Since when the oldest is pending (Unix seconds); None when nothing is."""
    given_up: int = 0
    """How many of its deliveries ended with a reason instead."""
    problem: str | None = None
    """The reason of the newest of these."""


@dataclass(frozen=True, slots=True)
class CachedPicture:
    """A picture in the cache, with what decides how long it stays there."""

    seq: int
    id: str
    path: str
    size: int
    """Bytes, with the files beside it: frames and what was made of them."""
    taken_at: float
    """Unix seconds."""
    camera: str
    person: bool
    starred: bool
    needed: bool
    """It is pending for a target, or no archive has it although there is one."""


@dataclass(frozen=True, slots=True)
class ArchivedPicture:
    """The journal's record of a picture in an archive."""

    seq: int
    id: str
    size: int
    md5: str
    """Of the archived file; empty when none was recorded."""
    path: str
    """In the cache; empty when it was evicted."""


@dataclass(frozen=True, slots=True)
class ArchiveStats:
    """An archive's statistics."""

    done: int
    pending: int
    since: float | None
    """Since when the oldest is pending (Unix seconds); None when nothing is."""
    given_up: int
    without: int
    """Pictures in the cache that were never enqueued for it, such as those from before it was configured."""
    problem: str
    """What went wrong last; empty when all is well."""


class DeliveryState(NamedTuple):
    """What became of a delivery."""

    state: str
    """`owed`, `done` or `given_up`."""
    problem: str
    """What went wrong last; empty when nothing did."""
