"""The heat map: how many events each hour of the last weeks had, each hour a link to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple

from markupsafe import Markup, escape

from app.journal.entries import HeatCount
from app.web.album.languages import counted, tr
from app.web.album.page_query import PageQuery
from app.web.album.texts import short_date, short_day, short_weekday
from app.web.api.param_types import midnight

DAYS = 14
"""Rows of the map."""

LAST = "last"
"""The parameter with the last day of the map; without it that is today, or as the query's day has it."""

EARLIEST = date(1970, 1, 31)
"""Of all last days."""

HOURS = range(24)

_SHADES = (1.0, 0.5, 0.2)
"""Shares of the busiest hour from which on an hour is shaded darkest, dark, lighter; all others are lightest."""


class Hour(NamedTuple):
    """One cell of the map. There are hundreds: made and written one by one, they would take half of a page's time."""

    url: str
    text: str
    """The cell's content in words."""
    shade: int
    """1 to 4."""
    person: bool
    here: bool
    """The page shows this hour."""

    def __html__(self) -> str:
        marks = f"shade-{self.shade} has-person" if self.person else f"shade-{self.shade}"
        here = ' aria-current="true"' if self.here else ""
        return f'<a class="{marks}" href="{escape(self.url)}" title="{escape(self.text)}"{here}></a>'


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

    @property
    def cells(self) -> Markup:
        """The hours as HTML."""
        return Markup("".join(hour.__html__() if hour else "<i></i>" for hour in self.hours))  # noqa: S704 - escaped


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Two weeks, newest day last."""

    days: tuple[Day, ...]
    title: str
    earlier: str
    """Address of the map of the weeks before."""
    later: str
    """Empty when the newest day is today."""

    @property
    def last(self) -> str:
        """The newest day, where that is not today."""
        return self.days[-1].iso if self.later else ""


def newest_day(query: PageQuery, *, today: date, asked: date | None) -> date:
    """The last day of a map: that which is asked for, unless the query's own day would not be on it."""
    last = asked or today
    day = date.fromisoformat(query.values["day"]) if "day" in query.values else last
    if not 0 <= (last - day).days < DAYS:
        last = today - timedelta(days=(today - day).days // DAYS * DAYS)
    return max(EARLIEST, min(last, today))


def span(last: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """From the first day's beginning to the last one's end."""
    return midnight(last - timedelta(days=DAYS - 1), zone), midnight(last + timedelta(days=1), zone)


def heat_map(quarters: Iterable[HeatCount], *, last: date, today: date, query: PageQuery) -> HeatMap:
    """The map of the weeks that end with `last`."""
    sums: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    for start, snapshots, persons in quarters:
        moment = datetime.fromtimestamp(start, query.zone)
        total = sums[moment.toordinal(), moment.hour]
        total[0] += snapshots
        total[1] += persons
    busiest = max((snapshots for snapshots, _ in sums.values()), default=0)
    days = []
    link = _Link(query)
    for day in (last - timedelta(days=number) for number in reversed(range(DAYS))):
        named, counts = short_day(day), [sums.get((day.toordinal(), hour)) for hour in HOURS]
        hours = tuple(
            _hour(day.isoformat(), named, hour, *count, busiest=busiest, link=link) if count else None
            for hour, count in enumerate(counts)
        )
        days.append(_day(day, named, hours, sum(count[0] for count in counts if count), query))
    weeks = timedelta(days=DAYS)
    later = min(last + weeks, today)
    return HeatMap(
        tuple(days),
        title=f"{short_date(last - weeks + timedelta(days=1))} \N{EN DASH} {short_date(last)}",
        earlier=_ending(last - weeks, query),
        later=_ending(later if later != today else None, query) if last < today else "",
    )


def _ending(last: date | None, query: PageQuery) -> str:
    """Address of the map that ends then; None for today."""
    return f"{query.home}when{query.string(**{LAST: last.isoformat() if last else None})}"


def _day(day: date, named: str, hours: tuple[Hour | None, ...], snapshots: int, query: PageQuery) -> Day:
    here = query.values.get("day") == day.isoformat() and "hours" not in query.values
    url = query.address(day=None if here else day.isoformat(), since=None, until=None, hours=None, visit=None)
    return Day(day.isoformat(), named, f"{short_weekday(day)} {day.day}", url, snapshots, here, hours)


class _Link:
    """Addresses of hours: a map has hundreds, so their common part is built once, and they are short."""

    def __init__(self, query: PageQuery) -> None:
        self._shown = f"day={query.values.get('day')}&hours={query.values.get('hours')}"
        self._without = query.address(since=None, until=None, day=None, hours=None, visit=None)
        self._with = self._without + ("&" if "?" in self._without else "?")

    def address(self, day: str, hour: int) -> tuple[str, bool]:
        """The page of this hour, or the one without it where it is shown; and whether it is."""
        wanted = f"day={day}&hours={hour}-{hour + 1}"
        return (self._without, True) if wanted == self._shown else (self._with + wanted, False)


def _hour(iso: str, named: str, hour: int, snapshots: int, persons: int, *, busiest: int, link: _Link) -> Hour:
    # The hour that a clock change repeats is two hours long, and the cell stands for both.
    words = f"{named}, {hour:02}:00: {counted(snapshots, 'picture', 'pictures')}"
    url, here = link.address(iso, hour)
    text = tr("{words}, {number} with people", words=words, number=persons) if persons else words
    shade = 1
    while shade < len(_SHADES) + 1 and snapshots >= _SHADES[-shade] * busiest:
        shade += 1
    return Hour(url, text, shade, persons > 0, here)
