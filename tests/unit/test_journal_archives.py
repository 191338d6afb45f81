"""The journal's account of archives: who is owed the pictures of one event, and databases of earlier releases."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from app.journal import Journal
from app.journal.schema import SCHEMA
from app.messages import Inspection, Snapshot

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def started(path: Path) -> Journal:
    journal = Journal(path)
    journal.open()
    journal.database.start()
    return journal


def stopped(journal: Journal) -> None:
    journal.database.stop()
    assert journal.database.join(60)


def test_all_pictures_of_a_group_are_archived_and_one_is_told(tmp_path: Path) -> None:
    journal = started(tmp_path / "journal.db")
    for name in ("a", "b", "c"):
        snapshot = Snapshot(name, "Yard Camera", "Yard", NOW, NOW, 0.1, "ftp", f"/cache/{name}.jpg", 9)
        journal.record(snapshot)
        journal.hold(Inspection(snapshot))
    journal.settle("b", ["a", "c"], ["rabbitmq", "s3"], archives=["s3"])
    assert journal.debt("rabbitmq").count == 1
    assert journal.debt("s3").count == 3
    stopped(journal)


def test_a_journal_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    db = sqlite3.connect(path)
    db.executescript(f"{SCHEMA[0]}; PRAGMA user_version = 1;")
    db.execute(
        "INSERT INTO snapshots (id, state, camera, label, origin, recorded_at, triggered_at, taken_at, delay_s, path) "
        "VALUES ('a', 'inspected', 'Yard Camera', 'Yard', 'http', 1, 1, 1, 0, '/cache/a.jpg')"
    )
    db.commit()
    db.close()
    journal = started(path)
    (picture,) = journal.pictures(targets=["rabbitmq"], archives=[], limit=9)
    assert (picture.id, picture.starred, picture.needed) == ("a", False, False)
    stopped(journal)
