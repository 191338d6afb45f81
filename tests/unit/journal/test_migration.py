"""Journals of earlier releases: all that is in them is in the album."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.journal import Correction, Filter, Journal
from app.journal.paths import path_functions
from app.journal.schema import SCHEMA
from app.messages import Snapshot
from tests.fakes.journal import opened
from tests.fakes.objects import an_object

START = datetime(2026, 1, 1, tzinfo=UTC)
SNAPSHOTS = (
    "INSERT INTO snapshots (id, state, camera, label, origin, recorded_at, triggered_at, taken_at, delay_s, path, "
    "size, starred, person_count, verdict_problem, settled_into) "
    "VALUES (?, ?, 'Yard Camera', 'Gärten', 'http', 1, 1, ?, 0.2, '/cache/a.jpg', 9, ?, ?, ?, ?)"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of the second version, with a row of each kind."""
    path = tmp_path / "journal.db"
    at = START.timestamp()
    with closing(sqlite3.connect(path)) as db:
        db.executescript(f"{SCHEMA[0]}; {SCHEMA[1]}; PRAGMA user_version = 2;")
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
        db.commit()
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
    with closing(sqlite3.connect(path)) as db:
        db.executescript(f"{SCHEMA[0]}; PRAGMA user_version = 1;")
    with opened(path) as journal:
        assert journal.page(Filter()) == []
        assert journal.camera_keys() == []


@pytest.mark.parametrize("root", ["", "/where/it/was/before/"])
def test_pictures_of_a_journal_with_whole_paths_are_found_where_the_folder_is_now(tmp_path: Path, root: str) -> None:
    path = tmp_path / "data/journal.db"
    path.parent.mkdir()
    file = "cache/2026/03/04/yard-camera/120001-id.jpg"
    stored = f"{root}{file}" if root else str(path.parent / file)
    with closing(sqlite3.connect(path)) as db:
        db.executescript(f"{'; '.join(SCHEMA[:3])}; PRAGMA user_version = 3;")
        db.execute(SNAPSHOTS, ("one", "inspected", START.timestamp(), 0, 0, "", ""))
        db.execute("UPDATE snapshots SET path = ?", (stored,))
        db.commit()
    with opened(path) as journal:
        assert [entry.inspection.snapshot.path for entry in journal.page(Filter())] == [str(path.parent / file)]
        assert [picture.path for picture in journal.pictures(targets=(), archives=(), limit=9)] == [
            str(path.parent / file)
        ]


def test_what_a_journal_of_the_fifth_version_holds_came_from_no_bucket(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path)) as db:
        for name, function in path_functions(tmp_path).items():
            db.create_function(name, 1, function, deterministic=True)
        db.executescript("; ".join(SCHEMA[:5]) + "; PRAGMA user_version = 5;")
        db.execute(SNAPSHOTS, ("old", "taken", START.timestamp(), 0, 0, "", ""))
        db.commit()
    with opened(path) as journal:
        old = journal.find("old")
        assert isinstance(old, Snapshot)
        assert (old.bucket, old.object_key) == ("", "")
        journal.record_object(an_object(), outcome="superseded")
        assert journal.object_found(an_object()) is not None
