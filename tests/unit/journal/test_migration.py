"""Journals of earlier releases: all that is in them is in the album."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.journal import Correction, Filter, Journal, OutcomeRecord
from app.journal.paths import path_functions
from app.journal.schema import SCHEMA
from app.messages import Inspection, Snapshot
from tests.fakes.journal import opened
from tests.fakes.objects import an_object

START = datetime(2026, 1, 1, tzinfo=UTC)
SNAPSHOTS = (
    "INSERT INTO snapshots (id, state, camera, label, origin, recorded_at, triggered_at, taken_at, delay_s, path, "
    "size, starred, person_count, verdict_problem, settled_into) "
    "VALUES (?, ?, 'Yard Camera', 'Gärten', 'http', 1, 1, ?, 0.2, '/cache/a.jpg', 9, ?, ?, ?, ?)"
)


@contextmanager
def of_version(path: Path, version: int) -> Iterator[sqlite3.Connection]:
    """A new journal of this version of the schema; what is written to it is kept."""
    with closing(sqlite3.connect(path)) as db:
        for name, function in path_functions(path.parent).items():
            db.create_function(name, 1, function, deterministic=True)
        db.executescript(f"{'; '.join(SCHEMA[:version])}; PRAGMA user_version = {version};")
        yield db
        db.commit()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of the second version, with a row of each kind."""
    path = tmp_path / "journal.db"
    at = START.timestamp()
    with of_version(path, 2) as db:
        rows = [
            ("person", "inspected", at, 0, 2, "", ""),
            ("starred", "inspected", at + 1000, 1, 0, "", ""),
            ("problem", "inspected", at + 2000, 0, 0, "timeout: x", ""),
            ("settled", "inspected", at + 3000, 0, 0, "", "person"),
            ("held", "held", at + 4000, 0, 1, "", ""),
            ("taken", "taken", at + 5000, 0, 0, "", ""),
            ("accepted", "accepted", None, 0, 0, "", ""),
        ]
        db.executemany(SNAPSHOTS, rows)
        labels = [(1, 0, "Person", 0.9), (1, 1, "Traffic Light", 0.6), (2, 0, "Dog", 0.7), (5, 0, "Person", 0.8)]
        db.executemany("INSERT INTO labels (seq, position, name, confidence) VALUES (?, ?, ?, ?)", labels)
        db.execute(
            "INSERT INTO deliveries (seq, target, state, owed_since, next_at, md5) VALUES (1, 's3', 'done', 1, 1, 'd4')"
        )
    return path


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with opened(path) as journal:
        yield journal


def found(journal: Journal, wanted: Filter) -> list[str]:
    entries = journal.page(wanted)
    assert entries == [entry for entry in journal.page(Filter()) if wanted.matches(entry)]
    return [entry.id for entry in entries]


def test_every_event_is_shown(journal: Journal) -> None:
    assert found(journal, Filter()) == ["problem", "starred", "person"]
    assert journal.page(Filter())[-1].archived_in == ("s3",)
    assert (journal.label_names(), journal.camera_keys()) == (["Dog", "Person", "Traffic Light"], ["Yard Camera"])


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(q="gart light"), ["person"]),
        (Filter(label="traffic light"), ["person"]),
        (Filter(label="traffic light", min_confidence=0.6), ["person"]),
        (Filter(label="person", min_confidence=0.9, camera="Yard Camera"), ["person"]),
        (Filter(label="person", min_confidence=0.91, camera="Yard Camera"), []),
        (Filter(min_confidence=0.7), ["starred", "person"]),
        (Filter(person=True), ["person"]),
        (Filter(person=False), ["problem", "starred"]),
        (Filter(starred=True), ["starred"]),
        (Filter(problem=True), ["problem"]),
        (Filter(problem=False, starred=False), ["person"]),
        (Filter(camera="Yard Camera", since=START + timedelta(seconds=1000)), ["problem", "starred"]),
    ],
)
def test_every_event_is_found(journal: Journal, wanted: Filter, expected: list[str]) -> None:
    assert found(journal, wanted) == expected


def test_heat_counts_every_event(journal: Journal) -> None:
    quarters = journal.heat(START, START + timedelta(days=1))
    assert [(quarter.start - START.timestamp(), quarter.snapshots, quarter.persons) for quarter in quarters] == [
        (0, 1, 1),
        (900, 1, 0),
        (1800, 1, 0),
    ]


def test_life_goes_on(journal: Journal) -> None:
    journal.settle("held", [], [])
    journal.change("person", correction=Correction(("Cat",)), note="Tom")
    journal.delete("problem", archives=[])
    assert found(journal, Filter(person=True)) == ["held"]
    assert found(journal, Filter(q="tom c")) == ["person"]
    assert found(journal, Filter(camera="Yard Camera")) == ["held", "starred", "person"]
    assert journal.label_names() == ["Cat", "Dog", "Person"]
    journal.delete("person", archives=[])
    assert found(journal, Filter()) == ["held", "settled", "starred"]


def test_an_empty_journal_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "first.db"
    with of_version(path, 1):
        pass
    with opened(path) as journal:
        assert journal.page(Filter()) == []
        assert journal.camera_keys() == []


@pytest.mark.parametrize("root", ["", "/where/it/was/before/"])
def test_pictures_of_a_journal_with_whole_paths_are_found_where_the_folder_is_now(tmp_path: Path, root: str) -> None:
    path = tmp_path / "data/journal.db"
    path.parent.mkdir()
    file = "cache/2026/03/04/yard-camera/120001-id.jpg"
    stored = f"{root}{file}" if root else str(path.parent / file)
    with of_version(path, 3) as db:
        db.execute(SNAPSHOTS, ("one", "inspected", START.timestamp(), 0, 0, "", ""))
        db.execute("UPDATE snapshots SET path = ?", (stored,))
    with opened(path) as journal:
        assert [entry.inspection.snapshot.path for entry in journal.page(Filter())] == [str(path.parent / file)]
        assert [picture.path for picture in journal.pictures(targets=(), archives=(), limit=9)] == [
            str(path.parent / file)
        ]


def test_what_a_journal_of_the_seventh_version_holds_can_be_described(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with of_version(path, 7) as db:
        db.execute(SNAPSHOTS, ("old", "taken", START.timestamp(), 0, 0, "", ""))
    with opened(path) as journal:
        old = journal.find("old")
        assert isinstance(old, Snapshot)
        journal.inspect(Inspection(old))
        assert journal.page(Filter())[0].description == ""
        assert journal.describe("old", "A cat.")
        assert found(journal, Filter(q="cat")) == ["old"]


def test_failed_tries_in_a_journal_of_the_seventh_version_are_outages(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with of_version(path, 7) as db:
        for number, after in enumerate((0, 10, 5000, 90_000, 90_010)):
            db.execute(SNAPSHOTS, (str(number), "inspected", START.timestamp() + after, 0, 0, "", ""))
        db.execute("UPDATE snapshots SET problem = 'timeout: silence' WHERE id IN ('1', '2', '3')")
    with opened(path) as journal:
        visits = {entry.id: entry.visit for entry in journal.page(Filter(), limit=10)}
    assert visits["1"] == visits["2"] == visits["3"]
    assert len({visits["0"], visits["1"], visits["4"]}) == 3


def test_what_a_journal_of_the_seventh_version_holds_is_cut_into_visits(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    seconds = (0, 50, 110, 171, *range(400, 761, 55), *(2000 + number / 10 for number in range(52)))
    with of_version(path, 7) as db:
        for number, after in enumerate(seconds):
            db.execute(SNAPSHOTS, (str(number), "inspected", START.timestamp() + after, 0, 0, "", ""))
    with opened(path) as journal:
        visits = journal.visits(Filter()).visits
        assert [visit.pictures for visit in visits] == [2, 50, 1, 6, 1, 3]
        assert journal.visits(Filter(reviewed=False)).visits == visits


def test_what_a_journal_of_the_eighth_version_holds_goes_to_the_shared_index(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with of_version(path, 8) as db:
        db.execute(SNAPSHOTS, ("old", "inspected", START.timestamp(), 0, 0, "", ""))
    with opened(path) as journal:
        journal.mirror(wanted=True)
        assert [change.entry.id for change in journal.changes()] == ["old"]


def test_what_a_journal_of_the_fifth_version_holds_came_from_no_bucket(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with of_version(path, 5) as db:
        db.execute(SNAPSHOTS, ("old", "taken", START.timestamp(), 0, 0, "", ""))
    with opened(path) as journal:
        old = journal.find("old")
        assert isinstance(old, Snapshot)
        assert (old.bucket, old.object_key) == ("", "")
        journal.record_object(an_object(), outcome="superseded")
        assert journal.object_found(an_object()) is not None


def test_what_a_journal_of_the_seventh_version_paid_this_month_counts(tmp_path: Path) -> None:
    path, now = tmp_path / "journal.db", datetime.now(UTC)
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    with of_version(path, 7) as db:
        for name, detector, looks, at in (
            ("one", "rekognition", 1, now),
            ("burst", "rekognition", 4, month),
            ("free", "hog", 1, now),
            ("before", "rekognition", 9, month - timedelta(seconds=1)),
        ):
            db.execute(SNAPSHOTS, (name, "inspected", START.timestamp(), 0, 0, "", ""))
            values = (detector, looks, at.timestamp(), name)
            db.execute("UPDATE snapshots SET detector = ?, looks = ?, inspected_at = ? WHERE id = ?", values)
    with opened(path) as journal:
        (spent,) = journal.spent_since(month)
        assert (spent.camera, spent.detector, spent.calls) == ("Yard Camera", "rekognition", 5)
        assert spent.cost_usd == pytest.approx(0.005)
        old = journal.find("one")
        assert isinstance(old, Inspection)
        assert (old.cost_usd, old.detector_note) == (0.0, "")


def test_how_cameras_detectors_and_outlets_did_last_is_known_from_what_was_recorded(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    taken: list[OutcomeRecord] = []
    with of_version(path, 7) as db:
        for at, camera, problem, size, detector in (
            (10, "Shed", "timeout: x", 0, ""),
            (20, "Shed", "", 9, "hog"),
            (30, "Shed", "timeout: y", 0, ""),
            (40, "Shed", "login_refused: z", 0, ""),
            (50, "Shed", "stale: too old", 0, ""),
            (60, "Yard", "", 9, "hog"),
            (70, "Gate", "circuit_open: paused", 0, ""),
        ):
            db.execute(
                "INSERT INTO snapshots (id, state, camera, label, origin, recorded_at, triggered_at, taken_at, "
                "inspected_at, problem, size, detector) "
                "VALUES (?1, 'inspected', ?2, '', 'http', 1, 1, ?1, ?1, ?3, ?4, ?5)",
                (at, camera, problem, size, detector),
            )
        db.execute(
            "INSERT INTO deliveries (seq, target, state, owed_since, next_at, done_at) "
            "VALUES (2, 's3', 'done', 1, 1, 21)"
        )
    with opened(path) as journal:
        journal.hand_over_outcomes(taken.extend)
        journal.began()
    assert set(taken) == {
        ("camera", "Shed", 40, 20, 2, 30, "login_refused: z"),
        ("camera", "Yard", 60, 60, 0, None, ""),
        ("detector", "hog", 60, 60, 0, None, ""),
        ("publisher", "s3", 21, 21, 0, None, ""),
        ("archive", "s3", 21, 21, 0, None, ""),
    }
