"""The database thread: what is answered is on the disk, and one bad statement costs only itself."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pylib.database import Database, DatabaseUnavailable, DatabaseUnusable, Work

SCHEMA = ("CREATE TABLE t (x INTEGER UNIQUE)",)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "test.db", schema=SCHEMA)
    database.open()
    database.start()
    yield database
    database.stop()
    assert database.join(60)


def insert(value: int) -> Work:
    return lambda db: db.execute("INSERT INTO t VALUES (?)", (value,))


def count(path: Path) -> int:
    return int(sqlite3.connect(path).execute("SELECT count(*) FROM t").fetchone()[0])


def test_what_is_answered_is_seen_by_another_connection(database: Database) -> None:
    database.do(lambda db: db.execute("INSERT INTO t VALUES (1)"))
    assert count(database.path) == 1


def test_a_failing_statement_fails_alone_though_others_share_its_commit(database: Database) -> None:
    hold = threading.Event()
    database.submit(lambda _: hold.wait(5))  # so that the rest meets in one batch
    futures = [database.submit(insert(number)) for number in (1, 2, 2, 3)]
    hold.set()
    problems = [future.exception(5) for future in futures]
    assert [problem is None for problem in problems] == [True, True, False, True]
    assert count(database.path) == 3


def test_a_refused_statement_reaches_its_caller_as_unavailable(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match="no such table"):
        database.do(lambda db: db.execute("INSERT INTO nowhere VALUES (1)"))


def test_everything_submitted_before_the_stop_is_done(tmp_path: Path) -> None:
    database = Database(tmp_path / "test.db", schema=SCHEMA)
    database.open()
    for number in range(1200):
        database.submit(insert(number))
    database.stop()
    database.start()
    assert database.join(60)
    assert count(database.path) == 1200
    with pytest.raises(DatabaseUnavailable, match="closed"):
        database.do(lambda db: db.execute("SELECT 1"))


def test_a_newer_database_is_refused_with_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "test.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(DatabaseUnusable, match="version 99"):
        Database(path, schema=SCHEMA).open()


def test_a_file_that_is_no_database_is_refused_with_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "test.db"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(DatabaseUnusable, match="not a database"):
        Database(path, schema=SCHEMA).open()


def test_an_older_database_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "test.db"
    Database(path, schema=SCHEMA).open()
    newer = Database(path, schema=(*SCHEMA, "ALTER TABLE t ADD COLUMN y INTEGER DEFAULT 7"))
    newer.open()
    newer.start()
    newer.do(lambda db: db.execute("INSERT INTO t (x) VALUES (1)"))
    assert newer.do(lambda db: db.execute("SELECT y FROM t").fetchone()) == (7,)
    newer.stop()
    assert newer.join(60)
