"""One SQLite database: one thread owns the connection, and one commit covers all waiting changes."""

from __future__ import annotations

import queue
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import structlog

from pylib.errors import Permanent, Transient
from pylib.runtime.threads import ManagedThread

log = structlog.get_logger(__name__)

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], Any]
"""Statements and nothing else: it runs a second time when another one of its transaction fails."""
Item = tuple[Work, "Future[Any]", bool]
"""Work, what gets its result, and whether somebody waits for that."""
Answer = tuple[Any, Exception | None]

BATCH = 500
GATHER_S = 0.05
"""Seconds in which work that nobody waits for may wait for company: one commit for all of it."""
ANSWER_WITHIN_S = 60.0


class DatabaseUnavailable(Transient):
    """The database cannot be written or read now: disk full, disk gone, or stopped."""


class DatabaseUnusable(Permanent):
    """The database cannot be opened: damaged, not ours, or of a newer release."""


class Database(ManagedThread):
    """Runs pieces of work on one connection, as many as are waiting in one transaction.

    A burst therefore costs few fsyncs. WAL with `synchronous=FULL`: committed work survives a power cut.
    One connection in one thread, because SQLite before 3.51.3 can lose commits when a writer and another
    connection's checkpoint race. `schema` is one script a version; `PRAGMA user_version` counts those applied.
    """

    def __init__(
        self, path: Path, *, schema: Sequence[str], functions: Mapping[str, Callable[[str], str]] = {}
    ) -> None:
        """`functions`: what SQL may call, by name."""
        super().__init__(f"database {path.stem}")
        self.path = path
        self._schema = schema
        self._functions = functions
        self._queue: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """Open or make the database, before the thread starts, so that a problem shows early.

        Raises `DatabaseUnusable`.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = _connect(self.path, self._schema, self._functions)
            self.path.chmod(0o600)  # its log gets the same mode
        except (sqlite3.Error, OSError) as error:
            raise DatabaseUnusable("database_unusable", f"cannot use {self.path}: {error}") from error

    def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run it and return its result when it is committed. Raises `DatabaseUnavailable`."""
        if self.stopping.is_set() and not self.alive:
            raise DatabaseUnavailable("database_unavailable", f"{self.path.name} is closed")
        try:
            result: T = self.submit(work).result(timeout=ANSWER_WITHIN_S)
        except (TimeoutError, sqlite3.Error) as error:
            reason = str(error) or f"no answer within {ANSWER_WITHIN_S:.0f} s"
            raise DatabaseUnavailable("database_unavailable", f"{self.path.name}: {reason}") from error
        return result

    def submit(self, work: Work) -> Future[Any]:
        """Have it run at once, in the order of the calls, without waiting."""
        return self._put(work, awaited=True)

    def defer(self, work: Work) -> Future[Any]:
        """Have it run within `GATHER_S`, in the order of all calls, without waiting.

        It is committed with what comes next: a kill before that undoes it.
        """
        return self._put(work, awaited=False)

    def run(self) -> None:
        if self._connection is None:
            self.open()
        assert self._connection is not None  # noqa: S101 - opened above
        if self._connection.in_transaction:  # a thread before this one died in it
            self._connection.execute("ROLLBACK")
        while (batch := self._next_batch()) is not None:
            self.beat()
            if batch:
                _commit(self._connection, batch)
        self._connection.close()
        self._connection = None

    def stop(self) -> None:
        """End after everything that was submitted before."""
        super().stop()
        self._queue.put(None)

    def _put(self, work: Work, *, awaited: bool) -> Future[Any]:
        future: Future[Any] = Future()
        self._queue.put((work, future, awaited))
        return future

    def _next_batch(self) -> list[Item] | None:
        """The waiting work, after a wait of a few seconds for the first; None when it is time to end."""
        batch: list[Item] = []
        try:
            item = self._queue.get(timeout=5.0)
            until = time.monotonic() + GATHER_S
            awaited = False
            while item is not None:
                batch.append(item)
                if len(batch) == BATCH:
                    return batch
                awaited = awaited or item[2]
                item = self._queue.get(timeout=0 if awaited else max(0.0, until - time.monotonic()))
        except queue.Empty:
            return batch
        if not batch:
            return None
        self._queue.put(None)  # the end was asked for behind this batch
        return batch


def copy(path: Path, target: Path) -> None:
    """Copy a database as it is at one moment, also while a `Database` of another process writes to it.

    Raises `DatabaseUnusable`.
    """
    with reading(path) as source, closing(sqlite3.connect(target)) as copied:
        source.backup(copied)
        # One file without a log beside it.
        copied.execute("PRAGMA journal_mode = DELETE")


def verify(path: Path) -> None:
    """Raise `DatabaseUnusable` if a file is no database, or a damaged one."""
    with reading(path) as database:
        problem = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    if problem != "ok":
        raise DatabaseUnusable("database_unusable", f"{path.name} is damaged: {problem}")


@contextmanager
def reading(path: Path, *, functions: Mapping[str, Callable[[str], str]] = {}) -> Iterator[sqlite3.Connection]:
    """A connection that only reads, and leaves what another process writes alone. Raises `DatabaseUnusable`.

    It never checkpoints: see `Database`, as for `functions`.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)) as connection:
            _add(functions, connection)
            yield connection
    except sqlite3.Error as error:
        raise DatabaseUnusable("database_unusable", f"cannot read {path}: {error}") from error


def _connect(path: Path, schema: Sequence[str], functions: Mapping[str, Callable[[str], str]]) -> sqlite3.Connection:
    # Used by the opening thread first and then by the owner alone.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    _add(functions, connection)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(schema):
        raise sqlite3.DatabaseError(f"it is of version {version}, and this release knows up to {len(schema)}")
    for number, script in enumerate(schema[version:], start=version + 1):
        connection.executescript(f"BEGIN; {script}; PRAGMA user_version = {number}; COMMIT;")
    return connection


def _add(functions: Mapping[str, Callable[[str], str]], connection: sqlite3.Connection) -> None:
    for name, function in functions.items():
        connection.create_function(name, 1, function, deterministic=True)


def _commit(connection: sqlite3.Connection, batch: Sequence[Item]) -> None:
    """Run the batch in one transaction, and return results only when it is on the disk.

    A piece of work that fails is rolled back alone; a commit that fails fails all, and so does the end of the thread.
    """
    answers: list[Answer] = [(None, sqlite3.OperationalError("its thread has ended"))] * len(batch)
    try:
        answers = _in_one_transaction(connection, [work for work, _, _ in batch])
    except sqlite3.Error as error:
        log.error("database not written", reason=str(error))
        answers = [(None, error)] * len(batch)
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    finally:
        for (_, future, _), (result, problem) in zip(batch, answers, strict=True):
            if problem is not None:
                future.set_exception(problem)
            else:
                future.set_result(result)


def _in_one_transaction(connection: sqlite3.Connection, works: Sequence[Work]) -> list[Answer]:
    connection.execute("BEGIN")
    try:
        # Without savepoints, which take two statements more for each: nearly always all goes well.
        answers: list[Answer] = [(work(connection), None) for work in works]
    except Exception:  # noqa: BLE001 - which work failed is found out by running each for itself
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute("BEGIN")
        answers = [_attempt(connection, work) for work in works]
    connection.execute("COMMIT")
    return answers


def _attempt(connection: sqlite3.Connection, work: Work) -> Answer:
    connection.execute("SAVEPOINT work")
    try:
        result = work(connection)
    except Exception as error:  # noqa: BLE001 - the caller gets it from the future
        connection.execute("ROLLBACK TO work")
        connection.execute("RELEASE work")
        return None, error
    connection.execute("RELEASE work")
    return result, None
