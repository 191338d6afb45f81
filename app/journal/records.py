"""The journal's records besides messages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Until the next attempt: `first_s`, doubled with each further one up to `last_s`, give or take a fifth."""

    first_s: float = 1.0
    last_s: float = 60.0


@dataclass(frozen=True, slots=True)
class TargetBacklog:
    """All that a target is still owed, in numbers."""

    count: int
    since: float | None
    """Since when the oldest is owed (Unix seconds); None when nothing is."""


@dataclass(frozen=True, slots=True)
class CachedPicture:
    """A picture in the cache, as far as it matters to how long it stays there."""

    seq: int
    id: str
    path: str
    size: int
    taken_at: float
    """Unix seconds."""
    camera: str
    person: bool
    starred: bool
    needed: bool
    """A target is still owed it, or no archive has it although there is one."""


@dataclass(frozen=True, slots=True)
class ArchivedPicture:
    """What the journal knows of a picture in an archive."""

    seq: int
    id: str
    size: int
    md5: str
    """Of what was archived; empty when it was archived without."""
    path: str
    """In the cache; empty when it is there no more."""


@dataclass(frozen=True, slots=True)
class ArchiveStats:
    """How an archive stands."""

    done: int
    pending: int
    since: float | None
    """Since when the oldest is owed (Unix seconds); None when nothing is."""
    given_up: int
    without: int
    """Pictures in the cache that it was never owed, such as those from before it was configured."""
    problem: str
    """What went wrong last; empty when all is well."""
