"""The heat map's rows, cells and links."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.journal.entries import Filter, HeatCount
from app.journal.time_of_day import HomeHours
from app.web.album.heat import DAYS, EARLIEST, HeatMap, heat_map, newest_day, span
from app.web.album.page_query import PageQuery

BERLIN = ZoneInfo("Europe/Berlin")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
"""The days on which clocks change in Berlin."""


def heat(
    *quarters: HeatCount, last: date, today: date | None = None, asked: Mapping[str, str] | None = None
) -> HeatMap:
    query = PageQuery(asked or {}, Filter(), BERLIN, "/")
    return heat_map(quarters, last=last, today=today or last, query=query)


def quarter(moment: datetime, snapshots: int = 1, persons: int = 0) -> HeatCount:
    return HeatCount(moment.timestamp(), snapshots, persons)


def links(found: HeatMap) -> list[tuple[str, str]]:
    """The day and the hours that each cell leads to."""
    hours = [hour for day in found.days for hour in day.hours if hour]
    asked = [parse_qs(urlsplit(hour.url).query) for hour in hours]
    return [(query["day"][0], query["hours"][0]) for query in asked]


def test_an_hour_says_in_words_what_its_shade_says() -> None:
    noon = datetime(2026, 11, 21, 12, 15, tzinfo=BERLIN)
    found = heat(quarter(noon, 3, 1), quarter(noon + timedelta(minutes=30), 2), last=date(2026, 11, 21))
    cell = found.days[-1].hours[12]
    assert cell is not None
    assert (cell.text, cell.shade, cell.person) == ("Sat 21 Nov, 12:00: 5 pictures, 1 with people", 4, True)
    assert found.days[-1].snapshots == 5
    assert len(found.days) == DAYS


def test_the_hour_that_is_there_twice_is_one_cell_of_two_hours() -> None:
    twice = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]
    found = heat(*map(quarter, twice), last=AUTUMN)
    assert links(found) == [("2026-10-25", "2-3")]
    assert [cell.text for cell in found.days[-1].hours if cell] == ["Sun 25 Oct, 02:00: 2 pictures"]


def test_the_hour_that_is_left_out_has_no_cell() -> None:
    around = [datetime(2026, 3, 29, hour, tzinfo=UTC) for hour in (0, 1)]
    row = heat(*map(quarter, around), last=SPRING).days[-1]
    assert [hour for hour, cell in enumerate(row.hours) if cell] == [1, 3]


@given(st.integers(0, 365 * 96))
def test_every_quarter_is_within_the_hour_that_it_is_counted_in(number: int) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * number)
    day = moment.astimezone(BERLIN).date()
    ((on, hours),) = links(heat(quarter(moment), last=day))
    first, last = map(int, hours.split("-"))
    assert on == day.isoformat()
    assert HomeHours(first, last % 24, BERLIN).has(moment)
    begin, end = span(day, BERLIN)
    assert begin <= moment < end


def test_one_pages_back_and_forth_to_today() -> None:
    today = date(2026, 11, 21)
    assert heat(last=today).later == ""
    assert heat(last=today).earlier == "/when?last=2026-11-07"
    assert heat(last=today).last == ""
    back = heat(last=date(2026, 11, 7), today=today, asked={"person": "true"})
    assert back.later == "/when?person=true"
    assert back.earlier == "/when?person=true&last=2026-10-24"
    assert back.last == "2026-11-07"


@pytest.mark.parametrize(
    ("asked", "day", "last"),
    [
        ("", "", "2026-11-21"),
        ("2026-11-10", "", "2026-11-10"),
        ("2027-01-01", "", "2026-11-21"),
        ("", "2026-11-08", "2026-11-21"),
        ("", "2026-11-07", "2026-11-07"),
        ("", "2027-01-01", "2026-11-21"),
        ("2026-11-10", "2026-11-10", "2026-11-10"),
        ("2026-11-10", "2026-11-11", "2026-11-21"),
        ("2026-11-10", "2026-10-27", "2026-11-07"),
        ("0001-01-01", "", str(EARLIEST)),
        ("", "0001-01-01", str(EARLIEST)),
    ],
)
def test_weeks_are_those_asked_for_unless_the_day_that_is_looked_at_is_in_others(
    asked: str, day: str, last: str
) -> None:
    query = PageQuery({"day": day} if day else {}, Filter(), BERLIN, "/")
    found = newest_day(query, today=date(2026, 11, 21), asked=date.fromisoformat(asked) if asked else None)
    assert str(found) == last


def test_the_hour_that_is_shown_is_marked_and_leads_out_again() -> None:
    noon = datetime(2026, 11, 21, 12, tzinfo=BERLIN)
    cell = heat(quarter(noon), last=noon.date()).days[-1].hours[12]
    assert cell is not None
    asked = {name: values[0] for name, values in parse_qs(urlsplit(cell.url).query).items()}
    again = heat(quarter(noon), last=noon.date(), asked=asked).days[-1].hours[12]
    assert again is not None
    assert again.here
    assert again.url == "/"


def test_a_cell_keeps_what_was_searched_for() -> None:
    noon = datetime(2026, 11, 21, 12, 15, tzinfo=BERLIN)
    found = heat(quarter(noon), last=date(2026, 11, 21), asked={"q": "garden dog + cat"})
    cell = found.days[-1].hours[12]
    assert cell is not None
    assert parse_qs(urlsplit(cell.url).query)["q"] == ["garden dog + cat"]
