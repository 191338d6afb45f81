"""The album: what it shows, in which order, and that every filter leaves exactly what it says."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.journal import Correction, Entry, Filter, Journal, PageCursor
from app.journal.album_order import LAST_MILLISECOND, PLACE_SQL, QUARTER_S, QUARTER_SQL
from app.journal.time_of_day import HomeHours
from app.messages import Detection, Inspection, Label, Snapshot
from tests.fakes.album import NOW, an_event, hold, ids
from tests.fakes.decisions import told, told_to
from tests.fakes.journal import Opens

CAMERAS = {"Yard Camera": "Garden", "Gate Camera": "Gate", "Café Camera": "Café"}
BERLIN = ZoneInfo("Europe/Berlin")
LABELS = ("Person", "Dog", "Traffic Light", "Light", "Car")
WORDS = ("dog", "LIGHT", "gard", "café", "cafe", "ga", "Nobody's", "parcel traffic", "postman", "?", 'a"b', "ca dog")


@given(st.floats(-1e13, 1e13), st.integers(0, 2**40))
def test_python_and_sql_agree_on_the_order(taken_at: float, seq: int) -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        (counted,) = db.execute(f"SELECT {PLACE_SQL} FROM (SELECT ? AS taken_at, ? AS seq)", (taken_at, seq)).fetchone()
        (quarter,) = db.execute(f"SELECT ? / {QUARTER_SQL}", (counted,)).fetchone()
    assert counted == PageCursor(taken_at, seq).number
    if 0 <= taken_at < LAST_MILLISECOND / 1000 - 1:
        assert quarter == int(taken_at * 1000 + 0.5) // 1000 // QUARTER_S


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory, opens: Opens) -> Iterator[Journal]:
    """An album with all sorts of entries, many of them taken in the same moment as others."""
    with opens(tmp_path_factory.mktemp("album") / "journal.db") as journal:
        dice = random.Random(5)
        snapshots = [snapshot(number, dice) for number in range(300)]
        for taken in snapshots:
            journal.record(taken, note=dice.choice(("", "", "a parcel", "Nobody's cat, an été")))
        for taken in dice.sample(snapshots, 300):
            journal.inspect(seen(taken, dice))
        for number in range(0, 300, 7):
            labels = tuple(dice.sample((*LABELS, "Postman", "dog"), dice.randrange(3)))
            journal.change(str(number), starred=dice.random() < 0.5, correction=Correction(labels))
        for number in range(0, 300, 5):
            journal.change(str(number), reviewed=dice.random() < 0.7)
        for number in range(0, 300, 11):
            journal.delete(str(number), archives=[])
        yield journal


def snapshot(number: int, dice: random.Random) -> Snapshot:
    camera = dice.choice(list(CAMERAS))
    taken_at = NOW + timedelta(seconds=dice.randrange(100), milliseconds=dice.choice((0, 0, 1, 500)))
    problem = "" if dice.random() < 0.9 else "timeout: no answer"
    path = "" if problem else f"/cache/{number}.jpg"
    return Snapshot(str(number), camera, CAMERAS[camera], NOW, taken_at, 0.25, "http", path, 9, problem=problem)


def seen(snapshot: Snapshot, dice: random.Random) -> Inspection:
    labels = tuple(Label(name, dice.choice((0.5, 0.75, 0.9))) for name in dice.sample(LABELS, dice.randrange(4)))
    persons = sum(label.name == "Person" for label in labels)
    return Inspection(snapshot, "hog", Detection(labels, persons), problem=snapshot.problem)


@pytest.fixture(scope="module")
def entries(crowded: Journal) -> list[Entry]:
    """All that the crowded album shows, newest first."""
    return sorted(crowded.page(Filter(), limit=1000), key=lambda entry: entry.place, reverse=True)


def test_the_newest_picture_comes_first_whenever_it_arrived(journal: Journal) -> None:
    an_event(journal, "noon", after=10)
    an_event(journal, "night", after=20)
    an_event(journal, "morning", after=0)
    assert ids(journal.page(Filter())) == "night noon morning"


def test_an_entry_has_all_that_is_known(journal: Journal) -> None:
    inspection = an_event(journal, "a", "Dog", note="Rex")
    journal.delivered("a", "s3", md5="d41d8")
    journal.delivered("a", "rabbitmq")
    entry = journal.entry("a")
    (visit,) = journal.visits(Filter()).visits
    assert entry == Entry(inspection, 1, note="Rex", archived_in=("s3",), visit=visit.number)
    assert journal.page(Filter()) == [entry]


def test_only_what_became_an_event_is_shown(journal: Journal) -> None:
    an_event(journal, "event")
    for name in ("taken", "held"):
        taken = Snapshot(name, "Yard Camera", "Yard", NOW, NOW, 0.25, "ftp", f"/cache/{name}.jpg", 9)
        journal.record(taken)
    journal.hold(Inspection(taken))
    assert ids(journal.page(Filter())) == "event"
    assert (journal.entry("taken"), journal.entry("held"), journal.entry("nothing")) == (None, None, None)


def test_what_settled_into_an_event_is_found_by_its_id_only(journal: Journal) -> None:
    hold(journal, "one", "best", "two")
    journal.settle("best", ["one", "two"], told(["rabbitmq"]))
    assert ids(journal.page(Filter())) == "best"
    assert journal.entry("one") is not None


def test_pages_follow_each_other_without_gap_or_repetition(crowded: Journal, entries: list[Entry]) -> None:
    found: list[Entry] = []
    before: PageCursor | None = None
    while page := crowded.page(Filter(), before=before, limit=17):
        found += page
        before = page[-1].place
    assert found == entries
    assert len(found) > 200


def test_what_arrives_meanwhile_does_not_move_the_next_page(journal: Journal) -> None:
    for number in range(4):
        an_event(journal, str(number), after=number)
    first = journal.page(Filter(), limit=2)
    an_event(journal, "new", after=9)
    assert ids(journal.page(Filter(), before=first[-1].place, limit=2)) == "1 0"


NONE: frozenset[str] = frozenset()
FILTERS = st.builds(
    Filter,
    camera=st.sampled_from(("", "", *CAMERAS, "Other Camera")),
    cameras=st.sampled_from((NONE, NONE, frozenset(list(CAMERAS)[:1]), frozenset(list(CAMERAS)[1:]), frozenset({"x"}))),
    label=st.sampled_from(("", "", *LABELS, "light", "DOG", "postman", "Cat")),
    min_confidence=st.sampled_from((0.0, 0.0, 0.6, 0.9, 1.0)),
    since=st.sampled_from((None, None, NOW + timedelta(seconds=20), NOW + timedelta(seconds=30, microseconds=1))),
    until=st.sampled_from((None, None, NOW + timedelta(seconds=80), NOW + timedelta(seconds=70, microseconds=1))),
    person=st.sampled_from((None, None, True, False)),
    starred=st.sampled_from((None, None, True, False)),
    problem=st.sampled_from((None, None, True, False)),
    reviewed=st.sampled_from((None, None, True, False)),
    visit=st.sampled_from((0, 0, 0, 1, 40)),
    hours=st.sampled_from((None, None, HomeHours(6, 7, BERLIN), HomeHours(7, 6, BERLIN), HomeHours(22, 6, UTC))),
    q=st.sampled_from(("", "", *WORDS)),
)


@given(filter=FILTERS)
def test_a_filter_leaves_what_it_says_and_in_the_same_order(
    crowded: Journal, entries: list[Entry], filter: Filter
) -> None:
    assert crowded.page(filter, limit=1000) == [entry for entry in entries if filter.matches(entry)]


def test_a_time_begins_with_its_first_moment_and_ends_before_its_last(journal: Journal) -> None:
    for name, after in (("early", 4.9999), ("first", 5), ("last", 9.9999), ("late", 10)):
        an_event(journal, name, after=after)
    wanted = Filter(since=NOW + timedelta(seconds=5), until=NOW + timedelta(seconds=10))
    assert ids(journal.page(wanted)) == "last first"


@pytest.mark.parametrize("person", [None, False])
def test_a_label_is_as_certain_as_its_surest_one_and_no_other(journal: Journal, person: bool | None) -> None:
    taken = snapshot(1, random.Random(5))
    journal.record(taken)
    labels = (Label("Dog", 0.82), Label("dog", 0.5), Label("Cat", 0.95))
    journal.inspect(Inspection(taken, "hog", Detection(labels)))

    def found(label: str, min_confidence: float) -> bool:
        return bool(journal.page(Filter(label=label, min_confidence=min_confidence, person=person)))

    assert [found("Dog", 0.81), found("Dog", 0.83), found("", 0.94), found("", 0.96)] == [True, False, True, False]


@given(filter=FILTERS, number=st.integers(0, 200))
def test_neighbours_are_the_next_ones_that_are_wanted(
    crowded: Journal, entries: list[Entry], filter: Filter, number: int
) -> None:
    place = entries[number].place
    newer = [entry for entry in entries if entry.place > place and filter.matches(entry)]
    older = [entry for entry in entries if entry.place < place and filter.matches(entry)]
    assert crowded.around(place, filter, reach=3) == (newer[::-1][:3], older[:3])
    total = len(newer) + len(older) + filter.matches(entries[number])
    assert crowded.standing(place, filter, most=50) == (min(len(newer) + 1, 51), min(total, 51))


@given(
    typed=st.text() | st.sampled_from(('"', "AND", "a AND", "NEAR(", "marks:person", "-x", "*", "^a", "{a}:b", "\0"))
)
def test_nothing_that_is_typed_is_an_error(crowded: Journal, typed: str) -> None:
    crowded.page(Filter(q=typed))
    crowded.page(Filter(q=typed, camera=typed.encode(errors="replace").decode(), label="Dog"))


def test_words_are_found_by_their_beginning_without_case_and_accents(journal: Journal) -> None:
    an_event(journal, "a", "Traffic Light", note="Die Öffnung am Tor, été")
    an_event(journal, "b", "Dog", camera="Café Camera")
    for typed in ("traf", "LIGHT traffic", "offn", "öffnung", "ete tor", "ÉTÉ", "lig, été!"):
        assert ids(journal.page(Filter(q=typed))) == "a", typed
    assert ids(journal.page(Filter(q="cafe"))) == "b"
    assert ids(journal.page(Filter(q="yard"))) == "b a"  # what people call the place counts too
    for typed in ("ight", "traffic dog", "person", "nobody", "fine"):
        assert journal.page(Filter(q=typed)) == [], typed


def test_what_is_no_word_leaves_nothing_out(journal: Journal) -> None:
    an_event(journal, "a")
    assert ids(journal.page(Filter(q=" - ?"))) == "a"


def test_other_cameras_pictures_of_the_same_moment_are_the_nearest_ones(journal: Journal) -> None:
    an_event(journal, "this", after=0)
    an_event(journal, "same camera", after=1)
    an_event(journal, "gate", camera="Gate Camera", after=-3)
    an_event(journal, "gate later", camera="Gate Camera", after=4)
    an_event(journal, "café", camera="Café Camera", after=2)
    an_event(journal, "too late", camera="Till Camera", after=31)
    entry = journal.entry("this")
    assert entry is not None
    assert ids(journal.same_moment(entry)) == "café gate"
    assert ids(journal.same_moment(entry, limit=1)) == "café"
    assert ids(journal.same_moment(entry, within_s=40)) == "café gate too late"


def test_what_settled_into_one_event_belongs_to_the_same_moment(journal: Journal) -> None:
    hold(journal, "one", "best", "two", "gone")
    journal.settle("best", ["one", "two", "gone"], [])
    journal.delete("gone", archives=[])
    best, two = journal.entry("best"), journal.entry("two")
    assert best is not None
    assert two is not None
    assert ids(journal.same_moment(best)) == "one two"
    assert ids(journal.same_moment(two)) == "best one"


def test_events_missed_are_told_in_the_order_in_which_they_became_ones(journal: Journal) -> None:
    hold(journal, "held", "with it")
    an_event(journal, "first", after=50)
    an_event(journal, "second", after=20)
    journal.settle("held", ["with it"], [])
    an_event(journal, "deleted")
    journal.delete("deleted", archives=[])
    an_event(journal, "last", after=-50)
    assert ids(journal.inspected_after("first", limit=9)) == "second held last"
    assert ids(journal.inspected_after("first", limit=2)) == "second held"
    assert ids(journal.inspected_after("deleted", limit=9)) == "last"
    assert journal.inspected_after("unknown", limit=9) == []
    assert journal.inspected_after("with it", limit=9) == []


def test_pictures_taken_up_from_a_folder_are_shown_and_nobody_s_news(journal: Journal) -> None:
    inspection = an_event(journal, "event")
    journal.import_picture(replace(inspection, snapshot=replace(inspection.snapshot, id="old")), [])
    assert ids(journal.page(Filter())) == "old event"
    assert journal.inspected_after("event", limit=9) == []


def test_heat_counts_what_is_shown_in_each_quarter_of_an_hour(journal: Journal) -> None:
    an_event(journal, "a", "Person")
    an_event(journal, "b")
    an_event(journal, "c", "Person", after=900)
    an_event(journal, "d", after=86_400)
    start = NOW.timestamp() // 900 * 900
    found = [(heat.start - start, heat.snapshots, heat.persons) for heat in journal.heat(NOW, NOW + timedelta(days=1))]
    assert found == [(0, 2, 1), (900, 1, 1), (86_400, 1, 0)]
    assert len(journal.heat(NOW, NOW + timedelta(seconds=1))) == 1
    assert journal.heat(NOW + timedelta(days=2), NOW + timedelta(days=9)) == []
    journal.delete("c", archives=[])
    assert [heat.snapshots for heat in journal.heat(NOW, NOW + timedelta(days=1))] == [2, 1]


def test_heat_is_what_is_shown_also_after_changes(crowded: Journal, entries: list[Entry]) -> None:
    heat = crowded.heat(NOW - timedelta(days=1), NOW + timedelta(days=1))
    assert sum(quarter.snapshots for quarter in heat) == len(entries)
    assert sum(quarter.persons for quarter in heat) == sum(entry.has_person for entry in entries)


def test_heat_and_labels_may_be_those_of_some_cameras(crowded: Journal, entries: list[Entry]) -> None:
    for chosen in (frozenset(list(CAMERAS)[:1]), frozenset(list(CAMERAS)[1:]), frozenset({"x"})):
        own = [entry for entry in entries if entry.inspection.camera in chosen]
        heat = crowded.heat(NOW - timedelta(days=1), NOW + timedelta(days=1), Filter(cameras=chosen))
        assert sum(quarter.snapshots for quarter in heat) == len(own)
        assert sum(quarter.persons for quarter in heat) == sum(entry.has_person for entry in own)
        seen = {label.casefold() for entry in own for label in entry.labels}
        assert {name.casefold() for name in crowded.label_names(chosen)} == seen
    assert not Filter(cameras=frozenset({"x"}))  # it is nothing that was searched for


def test_the_album_knows_its_labels_and_cameras(journal: Journal) -> None:
    assert (journal.label_names(), journal.camera_keys()) == ([], [])
    an_event(journal, "a", "Person", "dog")
    an_event(journal, "b", "Dog", camera="Gate Camera")
    an_event(journal, "c", "Zebra", camera="Attic Camera")
    journal.delete("c", archives=[])
    journal.change("a", correction=Correction(("Cat", "dog")))
    assert [name.casefold() for name in journal.label_names()] == ["cat", "dog"]
    assert journal.camera_keys() == ["Gate Camera", "Yard Camera"]


def test_when_a_camera_s_newest_picture_was_taken(journal: Journal) -> None:
    an_event(journal, "a", after=60)
    an_event(journal, "b", after=5)  # arrived later
    an_event(journal, "c", camera="Gate Camera")
    an_event(journal, "d", camera="Gate Camera", after=60)
    journal.delete("d", archives=[])
    failed = Snapshot(
        "e", "Gate Camera", "Gate", NOW, NOW + timedelta(seconds=90), 0.25, "http", problem="timeout: 9 s"
    )
    journal.record(failed)
    journal.inspect(told_to(Inspection(failed), []))
    assert journal.last_taken(["Yard Camera", "Gate Camera", "Attic Camera"]) == {
        "Yard Camera": NOW.timestamp() + 60,
        "Gate Camera": NOW.timestamp(),
    }
