"""Hours of the day at home as a condition in SQL: the zone's clock changes as a table of offsets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple

FIRST_YEAR = 2000
"""Before it, the offset of its beginning is taken."""


class HomeHours(NamedTuple):
    """Hours of the day in the home's zone: from the beginning of one to that of another, over midnight too."""

    first: int
    last: int
    zone: tzinfo

    def has(self, moment: datetime) -> bool:
        """Whether a moment is in them."""
        return self._has(moment.astimezone(self.zone).hour)

    @property
    def condition(self) -> str:
        """The same as a condition on `taken_at`, in the journal's SQL."""
        hours = ", ".join(map(str, self.hours))
        return f"CAST(({self.local_seconds}) / 3600 AS INTEGER) % 24 IN ({hours})"

    @property
    def hours(self) -> Sequence[int]:
        """Each of them, 0..23."""
        return [hour for hour in range(24) if self._has(hour)]

    @property
    def local_seconds(self) -> str:
        """Seconds since 1970 by the home's clock, as an expression in SQL of `taken_at`."""
        return f"taken_at + {_offsets(self.zone, datetime.now(UTC).year + 1)}"

    def _has(self, hour: int) -> bool:
        if self.first < self.last:
            return self.first <= hour < self.last
        return hour >= self.first or hour < self.last


@lru_cache(maxsize=4)
def _offsets(zone: tzinfo, last_year: int) -> str:
    """The zone's offset in seconds at `taken_at`."""
    changes = [*_changes(zone, last_year)]
    cases = " ".join(f"WHEN taken_at >= {at.timestamp():.0f} THEN {_offset(zone, at)}" for at in reversed(changes))
    before = _offset(zone, datetime(FIRST_YEAR, 1, 1, tzinfo=UTC))
    return f"CASE {cases} ELSE {before} END" if cases else str(before)


def _changes(zone: tzinfo, last_year: int) -> Iterator[datetime]:
    """When the clocks change, to the minute, oldest first; in a zone that changes them once a week at most."""
    begin, end, week = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(last_year + 1, 1, 1, tzinfo=UTC), timedelta(7)
    while begin < end:
        if _offset(zone, begin) != _offset(zone, begin + week):
            yield _change(zone, begin, begin + week)
        begin += week


def _change(zone: tzinfo, before: datetime, after: datetime) -> datetime:
    offset = _offset(zone, before)
    while after - before > timedelta(minutes=1):
        between = before + (after - before) // timedelta(minutes=2) * timedelta(minutes=1)
        before, after = (between, after) if _offset(zone, between) == offset else (before, between)
    return after


def _offset(zone: tzinfo, moment: datetime) -> int:
    offset = moment.astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0
