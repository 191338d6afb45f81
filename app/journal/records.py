"""The journal's records besides messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

NOTHING_WAITS = "nothing waits"


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

    def age(self, now: float) -> float:
        """Seconds for which the oldest is pending; 0 when nothing is."""
        return max(0.0, now - self.since) if self.since else 0.0

    def told(self, now: float, *, one: str, many: str) -> str:
        """`nothing waits`, `1 event waits, for 8 s`, `4 events wait, the oldest for 8 s`."""
        if not self.count:
            return NOTHING_WAITS
        if self.count == 1:
            return f"1 {one} waits, for {self.age(now):.0f} s"
        return f"{self.count} {many} wait, the oldest for {self.age(now):.0f} s"


class Spent(NamedTuple):
    """What a detector's calls for one camera cost."""

    camera: str
    detector: str
    calls: int
    cost_usd: float


class CameraSpace(NamedTuple):
    """What the pictures of a camera take in the cache."""

    camera: str
    """Device key."""
    pictures: int
    size: int
    """Bytes."""


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


class OutcomeRecord(NamedTuple):
    """How one part did last. All times are Unix seconds."""

    subject: str
    name: str
    tried_at: float
    succeeded_at: float | None
    failures: int
    """In a row, up to now."""
    failing_since: float | None
    problem: str
    """`code: sentence` of the last failure; empty after a success."""


class HourCount(NamedTuple):
    """How often something worked and failed within an hour."""

    worked: int
    failed: int
