"""Which pictures go into a film."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.films.selection import Chosen, Selection, SelectionError, Wanted
from app.journal import Journal
from app.journal.entries import Filter, PageCursor
from tests.fakes.archives import event_id
from tests.fakes.detectors import PERSON
from tests.fakes.films import NOON, taken, wanted

LONDON = (51.5, -0.1)


def chosen_by(journal: Journal, what: Wanted, **home: Any) -> list[int]:
    selection = Selection(journal.oldest, **{"zone": UTC, **home})
    return [int(entry.id, 16) for entry in selection.pictures(what, Chosen())]


@pytest.fixture
def day(journal: Journal, tmp_path: Path) -> Journal:
    """A picture each 20 minutes of two cameras, from 12:00 to 13:40, the third one with a person."""
    for number in range(6):
        detection = PERSON if number == 2 else None
        taken(journal, tmp_path, number, after=number * 1200, detection=detection)
        taken(journal, tmp_path, 10 + number, after=number * 1200 + 1, camera="Garden Camera")
    return journal


def test_all_come_in_the_order_of_their_time(day: Journal) -> None:
    assert chosen_by(day, wanted()) == [0, 10, 1, 11, 2, 12, 3, 13, 4, 14, 5, 15]


@pytest.mark.parametrize(
    ("recipe", "numbers"),
    [
        ({"cameras": ["Garden Camera"]}, [10, 11, 12, 13, 14, 15]),
        ({"cameras": ["Garden Camera", "Front Door Camera"], "every": 2400}, [0, 10, 2, 12, 4, 14]),
        ({"filter": "hourly"}, [0, 10, 3, 13]),
        ({"filter": "persons"}, [2]),
        ({"starred": True}, []),
    ],
)
def test_a_recipe_chooses(day: Journal, recipe: dict[str, Any], numbers: list[int]) -> None:
    assert chosen_by(day, wanted(**recipe)) == numbers


def test_a_search_and_a_span_choose_too(day: Journal) -> None:
    day.change(event_id(4), starred=True)
    recipe = wanted().recipe
    assert chosen_by(day, Wanted(recipe, Filter(starred=True))) == [4]
    since = NOON.replace(hour=13)
    assert chosen_by(day, Wanted(recipe, Filter(since=since, until=since.replace(minute=20)))) == [3, 13]
    kept = Wanted(recipe, Filter(since=since, q="garden", person=False))
    assert Wanted.of(kept.as_map()) == kept


def test_an_hour_that_is_there_twice_counts_twice(journal: Journal, tmp_path: Path) -> None:
    zone = ZoneInfo("Europe/Berlin")
    night = NOON.replace(month=10, day=25, hour=0)  # clocks go back at 01:00 UTC
    for number in range(4):
        taken(journal, tmp_path, number, after=(night - NOON).total_seconds() + number * 1800)
    assert chosen_by(journal, wanted(filter="hourly"), zone=zone) == [0, 2]


def test_daylight_is_from_sunrise_to_sunset_where_the_home_is(journal: Journal, tmp_path: Path) -> None:
    # On 4 March the sun is over London from 06:38 to 17:46.
    for number, hour in enumerate((-5.5, -5.25, 0, 5.7, 5.9)):
        taken(journal, tmp_path, number, after=hour * 3600)
    assert chosen_by(journal, wanted(filter="daylight"), place=LONDON) == [1, 2, 3]
    with pytest.raises(SelectionError, match=r"no_place: daylight needs home\.latitude"):
        chosen_by(journal, wanted(filter="daylight"))


def test_the_pole_has_days_without_a_night_and_without_a_day(journal: Journal, tmp_path: Path) -> None:
    summer = (NOON.replace(month=6) - NOON).total_seconds()
    taken(journal, tmp_path, 0, after=summer + 12 * 3600)
    taken(journal, tmp_path, 1, after=(NOON.replace(month=12) - NOON).total_seconds())
    assert chosen_by(journal, wanted(filter="daylight"), place=(78.2, 15.6)) == [0]


def test_it_goes_on_where_it_was_and_counts_what_left_the_cache(day: Journal) -> None:
    selection, chosen = Selection(day.oldest, zone=UTC), Chosen()
    pictures = selection.pictures(wanted(every=2400), chosen)
    assert [int(next(pictures).id, 16) for _ in range(3)] == [0, 10, 2]
    gone = [each for each in day.pictures(targets=(), archives=(), limit=100) if each.id == event_id(4)]
    day.evict(gone, targets=(), archives=())
    again = Chosen.of(chosen.as_map())
    assert isinstance(again.cursor, PageCursor)
    assert [int(entry.id, 16) for entry in selection.pictures(wanted(every=2400), again)] == [12, 14, 5]
    assert again.evicted == 1
