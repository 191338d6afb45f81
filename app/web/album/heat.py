"""The heat map: how many events each hour of the last weeks had, each hour a link to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from app.journal.entries import HeatCount
from app.web.album.page_query import PageQuery
from app.web.api.param_types import midnight

DAYS = 14
"""Rows of the map."""

HOURS = range(24)

_SHADES = (1.0, 0.5, 0.2)
"""Shares of the busiest hour from which on an hour is shaded darkest, dark, lighter; all others are lightest."""


@dataclass(frozen=True, slots=True)
class Hour:
    """One cell of the map."""

    url: str
    text: str
    """The cell's content in words."""
    shade: int
    """1 to 4."""
    person: bool
    here: bool
    """The page shows this hour."""


@dataclass(frozen=True, slots=True)
class Day:
    """One row of the map."""

    iso: str
    text: str
    """`Sat 21 Nov`"""
    short: str
    """`Sat 21`"""
    url: str
    snapshots: int
    here: bool
    """The page shows this day."""
    hours: tuple[Hour | None, ...]
    """24; None where nothing was taken."""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """The heat map of a page, newest day first."""

    days: tuple[Day, ...]
    title: str
    earlier: str
    later: str
    """Empty when the newest day is today."""


def span(last: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """From the first day's beginning to the last one's end."""
    return midnight(last - timedelta(days=DAYS - 1), zone), midnight(last + timedelta(days=1), zone)


def heat_map(quarters: Iterable[HeatCount], *, last: date, today: date, query: PageQuery) -> HeatMap:
    """The map of the weeks that end with `last`."""
    sums: dict[tuple[date, int], list[int]] = defaultdict(lambda: [0, 0])
    for quarter in quarters:
        moment = datetime.fromtimestamp(quarter.start, query.zone)
        total = sums[moment.date(), moment.hour]
        total[0] += quarter.snapshots
        total[1] += quarter.persons
    busiest = max((snapshots for snapshots, _ in sums.values()), default=0)
    days = []
    link = _Link(query)
    for day in (last - timedelta(days=number) for number in range(DAYS)):
        begin, name = midnight(day, query.zone), f"{day:%a} {_short(day)}"
        hours = tuple(
            _hour(begin.replace(hour=hour), name, *sums[day, hour], busiest=busiest, link=link)
            if (day, hour) in sums
            else None
            for hour in HOURS
        )
        days.append(_day(day, hours, sum(sums[day, hour][0] for hour in HOURS if (day, hour) in sums), query))
    first = days[-1].iso
    later = min(last + timedelta(days=DAYS), today)
    return HeatMap(
        tuple(days),
        title=f"{_short(date.fromisoformat(first))} \N{EN DASH} {_short(last)}",
        earlier=query.address(heat=(date.fromisoformat(first) - timedelta(days=1)).isoformat()),
        later=query.address(heat=later.isoformat() if later != today else None) if last < today else "",
    )


def _day(day: date, hours: tuple[Hour | None, ...], snapshots: int, query: PageQuery) -> Day:
    here = query.values.get("day") == day.isoformat()
    url = query.address(day=None if here else day.isoformat(), since=None, until=None)
    return Day(day.isoformat(), f"{day:%a} {_short(day)}", f"{day:%a} {day.day}", url, snapshots, here, hours)


class _Link:
    """Addresses of hours: a map has hundreds, so their common part is built once."""

    def __init__(self, query: PageQuery) -> None:
        self._shown = query.values.get("since"), query.values.get("until")
        self._without = query.address(since=None, until=None, day=None)
        self._with = self._without + ("&" if "?" in self._without else "?")

    def shows(self, since: str, until: str) -> bool:
        """Whether the page shows this hour."""
        return self._shown == (since, until)

    def address(self, since: str, until: str) -> str:
        """The page of this hour, or the one without it where it is shown."""
        if self.shows(since, until):
            return self._without
        return self._with + f"since={since}&until={until}".replace("+", "%2B")


def _hour(begin: datetime, day: str, snapshots: int, persons: int, *, busiest: int, link: _Link) -> Hour:
    # The hour that a clock change repeats is two hours long, and the cell stands for both.
    end = (begin.replace(tzinfo=None) + timedelta(hours=1)).replace(tzinfo=begin.tzinfo)
    since, until = begin.isoformat(timespec="minutes"), end.isoformat(timespec="minutes")
    words = f"{day}, {begin.hour:02}:00: {snapshots} picture{'s' * (snapshots != 1)}"
    return Hour(
        url=link.address(since, until),
        text=f"{words}, {persons} with people" if persons else words,
        shade=4 - sum(snapshots < share * busiest for share in _SHADES),
        person=persons > 0,
        here=link.shows(since, until),
    )


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"
