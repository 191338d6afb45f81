"""The database thread: what is answered is on the disk, and one bad statement costs only itself."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pylib.sqlite import Database, DatabaseUnavailable, DatabaseUnusable, Work

SCHEMA = (
    "CREATE TABLE t (x INTEGER UNIQUE);"
    "CREATE TABLE child (x INTEGER REFERENCES t (x) DEFERRABLE INITIALLY DEFERRED)",  # looked at by the commit
)


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


def rows(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        return [x for (x,) in connection.execute("SELECT x FROM t ORDER BY x")]


def count(path: Path) -> int:
    return len(rows(path))


def test_what_is_answered_is_seen_by_another_connection(database: Database) -> None:
    database.do(lambda db: db.execute("INSERT INTO t VALUES (1)"))
    assert count(database.path) == 1


def in_one_batch(database: Database, works: list[Work]) -> list[BaseException | None]:
    """Have them done in one transaction; what became of each."""
    begun, hold = threading.Event(), threading.Event()

    def wait(_: sqlite3.Connection) -> None:
        begun.set()
        hold.wait(5)

    database.submit(wait)
    assert begun.wait(5)
    futures = [database.submit(work) for work in works]
    hold.set()
    return [future.exception(5) for future in futures]


def traced(database: Database) -> list[str]:
    """Every statement from now on."""
    statements: list[str] = []
    database.submit(lambda db: db.set_trace_callback(statements.append))
    return statements


def test_what_waits_together_costs_one_commit(database: Database) -> None:
    statements = traced(database)
    in_one_batch(database, [insert(number) for number in range(20)])
    assert statements.count("COMMIT") <= 3  # of the trace, of what held the others up, and of all those
    assert count(database.path) == 20


def test_what_nobody_waits_for_shares_the_commit_of_what_comes_next(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pylib.sqlite.GATHER_S", 30.0)
    began = threading.Event()
    database.defer(lambda _: began.set())
    assert not began.wait(0.1)
    statements = traced(database)
    for number in range(20):
        database.defer(insert(number))
    assert database.do(lambda db: db.execute("SELECT count(*) FROM t").fetchone()) == (20,)  # in the order of the calls
    assert statements.count("COMMIT") <= 2  # of the trace, and of all those
    assert count(database.path) == 20


def test_what_nobody_waits_for_does_not_wait_for_company_for_ever(database: Database) -> None:
    database.defer(lambda db: db.execute("INSERT INTO nowhere VALUES (1)"))  # fails, and spares the next
    database.defer(insert(1))
    deadline = time.monotonic() + 60
    while rows(database.path) != [1]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_nobody_waits_for_is_done_before_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pylib.sqlite.GATHER_S", 30.0)
    database = Database(tmp_path / "test.db", schema=SCHEMA)
    database.open()
    database.start()
    database.defer(insert(1))
    database.stop()
    assert database.join(20)
    assert count(database.path) == 1


def test_a_piece_of_work_that_fails_leaves_nothing_and_spares_those_that_share_its_commit(database: Database) -> None:
    def half(db: sqlite3.Connection) -> None:
        insert(7)(db)
        insert(1)(db)  # stands already

    problems = in_one_batch(database, [insert(1), half, insert(2)])
    assert [problem is None for problem in problems] == [True, False, True]
    assert rows(database.path) == [1, 2]


def test_a_commit_that_fails_fails_all_of_it_and_nothing_after_it(database: Database) -> None:
    problems = in_one_batch(database, [insert(1), lambda db: db.execute("INSERT INTO child VALUES (99)")])
    assert [isinstance(problem, sqlite3.IntegrityError) for problem in problems] == [True, True]
    assert rows(database.path) == []
    database.do(insert(1))
    assert rows(database.path) == [1]


def test_what_is_answered_survives_a_power_cut_and_readers_wait_for_nobody(database: Database) -> None:
    def setting(name: str) -> object:
        return database.do(lambda db: db.execute(f"PRAGMA {name}").fetchone()[0])

    assert (setting("journal_mode"), setting("synchronous")) == ("wal", 2)


def test_a_database_that_does_not_answer_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pylib.sqlite.ANSWER_WITHIN_S", 0.01)
    told: list[str] = []

    def ask() -> None:
        try:
            Database(tmp_path / "test.db", schema=SCHEMA).do(insert(1))
        except DatabaseUnavailable as error:
            told.append(error.detail)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(10)
    assert told == ["test.db: no answer within 0 s"]


def test_the_thread_is_seen_to_get_on_with_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    beats: list[int] = []
    monkeypatch.setattr(database, "beat", lambda: beats.append(1))
    for number in range(3):
        database.do(insert(number))
    assert len(beats) >= 3


def test_a_refused_statement_reaches_its_caller_as_unavailable(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match="no such table"):
        database.do(lambda db: db.execute("INSERT INTO nowhere VALUES (1)"))


def test_everything_submitted_before_the_stop_is_done(tmp_path: Path) -> None:
    database = Database(tmp_path / "test.db", schema=SCHEMA)
    database.open()
    statements = traced(database)
    for number in range(1200):
        database.submit(insert(number))
    database.stop()
    database.start()
    assert database.join(60)
    assert count(database.path) == 1200
    assert statements.count("COMMIT") == 3  # so many pieces of work never hold up one answer
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


def test_a_step_to_a_newer_version_that_fails_leaves_the_older_one(tmp_path: Path) -> None:
    path = tmp_path / "test.db"
    Database(path, schema=SCHEMA).open()
    with pytest.raises(DatabaseUnusable, match="already exists"):
        Database(path, schema=(*SCHEMA, "CREATE TABLE u (y INTEGER); CREATE TABLE t (y INTEGER)")).open()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert connection.execute("SELECT name FROM sqlite_schema WHERE name = 'u'").fetchall() == []


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


class Ended(BaseException):
    """Ends a thread."""


def test_a_thread_that_dies_owes_nobody_an_answer_and_what_it_had_begun_is_in_nobodys_way(database: Database) -> None:
    def ends(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO t VALUES (1)")
        raise Ended

    future = database.submit(ends)
    with pytest.raises(sqlite3.Error, match="ended"):
        future.result(timeout=60)
    assert database.join(60)
    database.start()
    database.do(insert(2))
    assert rows(database.path) == [2]
