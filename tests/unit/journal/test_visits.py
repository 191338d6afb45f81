"""Visits: what one camera saw within a minute is one, whatever comes late, is deleted or is filtered."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.journal import Entry, Filter, Journal, PageCursor, Visit
from app.journal.album_order import MILLISECOND, VISIT_LENGTH, VISIT_MOST
from app.journal.time_of_day import HomeHours
from app.messages import Inspection, Snapshot
from tests.fakes.album import NOW, an_event, hold, ids
from tests.fakes.decisions import told, told_to
from tests.fakes.journal import Opens

LENGTH_S = VISIT_LENGTH / MILLISECOND / 1000
BERLIN = ZoneInfo("Europe/Berlin")


def seen_at(journal: Journal, *seconds: float, camera: str = "Yard Camera") -> None:
    for at in seconds:
        an_event(journal, f"{camera[0]}{at:g}", camera=camera, after=at)


def groups(journal: Journal) -> list[str]:
    """The pictures of each visit, the newest of all first."""
    found: dict[int, list[Entry]] = defaultdict(list)
    for entry in journal.page(Filter(), limit=1000):
        found[entry.visit].append(entry)
    return [ids(group) for group in found.values()]


def numbers(visits: list[Visit]) -> list[int]:
    return [visit.number for visit in visits]


def test_pictures_of_a_camera_with_at_most_a_minute_between_them_are_one_visit(journal: Journal) -> None:
    seen_at(journal, 0, 60, 90, 151)
    seen_at(journal, 95, camera="Gate Camera")
    assert groups(journal) == ["Y151", "G95", "Y90 Y60 Y0"]


def test_what_goes_on_all_day_is_many_visits_of_a_few_minutes(journal: Journal) -> None:
    seen_at(journal, *range(0, 1000, 50))
    lengths = [group.count(" ") + 1 for group in groups(journal)]
    assert lengths == [6, 7, 7]
    for number in range(VISIT_MOST + 2):
        an_event(journal, f"quick {number}", camera="Gate Camera", after=number / 10)
    assert [visit.pictures for visit in journal.visits(Filter(camera="Gate Camera")).visits] == [2, VISIT_MOST]


@pytest.mark.parametrize("order", [(100, 50, 0), (0, 100, 50), (50, 0, 100)])
def test_a_picture_that_comes_late_joins_what_it_belongs_to(journal: Journal, order: tuple[int, ...]) -> None:
    seen_at(journal, *order, 200)
    assert groups(journal) == ["Y200", "Y100 Y50 Y0"]


def test_a_late_picture_makes_no_visit_too_long(journal: Journal) -> None:
    seen_at(journal, *range(0, 241, 60), *range(360, 601, 60), 300)
    assert groups(journal) == ["Y600 Y540 Y480 Y420 Y360", "Y300 Y240 Y180 Y120 Y60 Y0"]


def test_what_is_deleted_leaves_its_visit_whole(journal: Journal) -> None:
    seen_at(journal, 0, 40, 80)
    for first in ("Y0", "Y40"):
        journal.delete(first, archives=[])
    assert groups(journal) == ["Y80"]
    seen_at(journal, 120)
    assert groups(journal) == ["Y120 Y80"]


def test_the_best_of_a_group_is_in_a_visit_and_each_of_the_others_after_it_was_deleted(journal: Journal) -> None:
    hold(journal, "one", "best", "two")
    journal.settle("best", ["one", "two"], told(["rabbitmq"]))
    seen_at(journal, 30)
    assert groups(journal) == ["Y30 best"]
    journal.delete("best", archives=[])
    assert groups(journal) == ["Y30 two one"]


def test_a_person_is_shown_first_and_then_what_is_surest(journal: Journal) -> None:
    for number, label in enumerate(("Dog", "Person", "Cat")):
        an_event(journal, label, label, after=number)
    (visit,) = journal.visits(Filter()).visits
    assert (visit.best.id, visit.pictures) == ("Person", 3)
    assert (visit.last - visit.first, visit.place.seq) == (timedelta(seconds=2), 3)
    (visit,) = journal.visits(Filter(label="cat")).visits
    assert (visit.best.id, visit.pictures) == ("Cat", 1)


def test_a_visit_is_reviewed_when_each_of_its_pictures_is(journal: Journal) -> None:
    seen_at(journal, 0, 30, 400)
    old = journal.visits(Filter()).visits[1]
    journal.change("Y0", reviewed=True)
    assert [visit.reviewed for visit in journal.visits(Filter()).visits] == [False, False]
    assert journal.review(Filter(visit=old.number), reviewed=True) == 2
    assert [visit.reviewed for visit in journal.visits(Filter()).visits] == [False, True]
    assert ids(journal.page(Filter(reviewed=False))) == "Y400"
    assert ids(journal.page(Filter(reviewed=False, q="yard"))) == "Y400"
    assert ids(journal.page(Filter(reviewed=True, q="yard"))) == "Y30 Y0"
    journal.review(Filter(visit=old.number), reviewed=False)
    assert journal.count(Filter(reviewed=False, q="yard")) == 3


def test_the_pictures_of_visits_are_those_that_match(journal: Journal) -> None:
    seen_at(journal, 0, 30, 400)
    seen_at(journal, 30, camera="Gate Camera")
    newest, _, oldest = numbers(journal.visits(Filter()).visits)
    journal.change("Y30", reviewed=True)
    assert journal.ids_of_visits([newest, oldest], Filter(), limit=9) == ["Y400", "Y30", "Y0"]
    assert journal.ids_of_visits([newest, oldest], Filter(reviewed=False), limit=1) == ["Y400"]


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory, opens: Opens) -> Iterator[Journal]:
    """An hour of three cameras that saw much, recorded in no order."""
    dice = random.Random(8)
    with opens(tmp_path_factory.mktemp("visits") / "journal.db") as journal:
        for number in range(240):
            labels = dice.sample(("Person", "Dog", "Car"), dice.randrange(3))
            camera = dice.choice(("Yard Camera", "Yard Camera", "Gate Camera", "Attic Camera"))
            an_event(journal, str(number), *labels, camera=camera, after=dice.randrange(3600), note="x" * (number % 2))
        for number in range(0, 240, 9):
            journal.change(str(number), reviewed=True)
        for number in range(0, 240, 13):
            journal.delete(str(number), archives=[])
        yield journal


def test_visits_are_what_their_description_says(busy: Journal) -> None:
    entries = busy.page(Filter(), limit=1000)
    for camera in {entry.inspection.camera for entry in entries}:
        pictures = [entry for entry in reversed(entries) if entry.inspection.camera == camera]
        for one, other in pairwise(pictures):
            gap = other.place.taken_at - one.place.taken_at
            same = [entry for entry in pictures if entry.visit in (one.visit, other.visit)]
            too_long = same[-1].place.taken_at - same[0].place.taken_at > LENGTH_S
            deleted_between = gap > 60
            assert one.visit != other.visit or not too_long
            assert one.visit == other.visit or too_long or deleted_between


FILTERS = st.builds(
    Filter,
    camera=st.sampled_from(("", "", "Yard Camera", "Gate Camera")),
    label=st.sampled_from(("", "", "Dog", "person")),
    since=st.sampled_from((None, NOW + timedelta(seconds=900))),
    person=st.sampled_from((None, True, False)),
    reviewed=st.sampled_from((None, True, False)),
    q=st.sampled_from(("", "", "x", "yard")),
)


@settings(max_examples=60)
@given(filter=FILTERS, limit=st.integers(1, 40))
def test_pages_of_visits_have_each_one_once_with_all_that_matches(busy: Journal, filter: Filter, limit: int) -> None:
    expected: dict[int, list[Entry]] = defaultdict(list)
    for entry in busy.page(filter, limit=1000):
        expected[entry.visit].append(entry)
    found: list[Visit] = []
    before: PageCursor | None = None
    more = True
    while more:
        page = busy.visits(filter, before=before, limit=limit)
        found, before, more = [*found, *page.visits], page.older, page.older is not None
        assert len(page.visits) == limit or not more
    assert numbers(found) == list(expected)
    for visit, entries in zip(found, expected.values(), strict=True):
        best = max(entry.has_person for entry in entries)
        assert (visit.pictures, visit.best.has_person) == (len(entries), best)
        assert (visit.place, visit.first) == (entries[0].place, datetime.fromtimestamp(entries[-1].place.taken_at, UTC))
        assert visit.reviewed == all(entry.reviewed for entry in entries)
    assert busy.count(filter) == sum(map(len, expected.values()))
    quarters = busy.heat(filter.since or NOW, NOW + timedelta(hours=2), filter)
    assert sum(quarter.snapshots for quarter in quarters) == busy.count(filter)
    people = sum(entry.has_person for entries in expected.values() for entry in entries)
    assert sum(quarter.persons for quarter in quarters) == people


def test_counting_ends_somewhere(busy: Journal) -> None:
    assert busy.count(Filter(), most=9) == 10


def test_labels_are_offered_as_one_types_with_how_many_have_them(journal: Journal) -> None:
    an_event(journal, "a", "Dog", "Door", "Cat")
    an_event(journal, "b", "Door", camera="Gate Camera")
    assert journal.labels_like("D", Filter()) == [("Door", 2), ("Dog", 1)]
    assert journal.labels_like("", Filter()) == [("Door", 2), ("Cat", 1), ("Dog", 1)]
    assert journal.labels_like("d", Filter(camera="Gate Camera")) == [("Door", 1)]
    assert len(journal.labels_like("", Filter(), limit=2)) == 2
    assert journal.labels_like("x", Filter()) == []


def test_cameras_that_saw_something_lately_are_known(journal: Journal) -> None:
    seen_at(journal, 0, 50)
    seen_at(journal, 20, camera="Gate Camera")
    seen_at(journal, 10, camera="Attic Camera")
    assert journal.lately(Filter(), limit=2) == ["Yard Camera", "Gate Camera"]


@pytest.mark.parametrize("day", ["2026-01-05", "2026-07-05", "2025-10-26", "2026-03-29"])
def test_hours_of_the_day_are_those_at_home_in_summer_too(tmp_path: Path, opens: Opens, day: str) -> None:
    begin = datetime.fromisoformat(day).replace(tzinfo=BERLIN).astimezone(UTC)
    night = HomeHours(22, 6, BERLIN)
    with opens(tmp_path / "journal.db") as journal:
        for number in range(50):
            an_event(journal, str(number), after=(begin - NOW).total_seconds() + number * 1799)
        entries = journal.page(Filter(), limit=99)
        assert journal.page(Filter(hours=night), limit=99) == [
            entry for entry in entries if not 6 <= entry.inspection.snapshot.taken_at.astimezone(BERLIN).hour < 22
        ]


def failed_at(journal: Journal, *seconds: float, camera: str = "Yard Camera") -> None:
    for at in seconds:
        taken_at = NOW + timedelta(seconds=at)
        missed = Snapshot(f"{camera[0]}!{at:g}", camera, "", taken_at, taken_at, 0, "http", problem="timeout: silence")
        journal.record(missed)
        journal.inspect(told_to(Inspection(missed, problem=missed.problem), []))


def test_an_outage_is_one_however_long_it_lasts_and_no_visit_of_pictures(journal: Journal) -> None:
    seen_at(journal, 0, 10)
    failed_at(journal, 20, 4000, 90_000)
    failed_at(journal, 5000, camera="Gate Camera")
    seen_at(journal, 90_010)
    failed_at(journal, 90_020)
    assert groups(journal) == ["Y!90020", "Y90010", "Y!90000 Y!4000 Y!20", "G!5000", "Y10 Y0"]


def test_a_failure_that_comes_late_joins_the_outage_beside_it(journal: Journal) -> None:
    seen_at(journal, 0)
    failed_at(journal, 500, 600, 100)
    assert groups(journal) == ["Y!600 Y!500 Y!100", "Y0"]


def test_an_outage_that_never_ends_is_several_cards(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.journal.visits.OUTAGE_MOST", 3)
    failed_at(journal, *range(0, 500, 100))
    assert groups(journal) == ["Y!400 Y!300", "Y!200 Y!100 Y!0"]


def test_an_outage_is_one_card_on_one_page_with_all_of_its_tries(journal: Journal) -> None:
    failed_at(journal, *range(0, 40_000, 4000))
    seen_at(journal, *range(100, 39_000, 4000), camera="Gate Camera")
    found: list[Visit] = []
    before = None
    for _ in range(6):
        page = journal.visits(Filter(), before=before, limit=2)
        found += page.visits
        before = page.visits[-1].place if page.visits else before
    assert [(visit.best.inspection.camera, visit.pictures) for visit in found] == [
        ("Gate Camera", 1),
        ("Yard Camera", 10),
        *[("Gate Camera", 1)] * 9,
    ]
    assert found[1].last - found[1].first == timedelta(seconds=36_000)
    (since,) = journal.visits(Filter(since=NOW + timedelta(seconds=30_000), problem=True)).visits
    assert since.pictures == 2
