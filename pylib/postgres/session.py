"""A session with a PostgreSQL server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from pylib.observability.printable import printable
from pylib.postgres.failures import PostgresFailure, no_session, refusal

if TYPE_CHECKING:
    from pylib.postgres.connection import Connection

CANCEL_S = 2.0
"""Seconds for asking a silent server to give a statement up."""

T = TypeVar("T")
Values = Sequence[object]
Rows = list[tuple[Any, ...]]
Run = Callable[[str, Values | None], Rows]
"""Runs a statement with its values, and returns its rows."""


class Session:
    """One connection, made when it is needed and anew when it broke. Each statement is a transaction of its own.

    Nothing is prepared or set in it, so that it may lead through PgBouncer in any mode. Every method may be called
    from any thread; statements run one at a time.
    """

    def __init__(self, url: str, *, timeout: float, name: str) -> None:
        """Load psycopg and read the address; connects to nothing. Raises `PostgresFailure`.

        `url`: as libpq has it, with the login; `timeout`: seconds for a connection, and for a statement;
        `name`: what the server's administrator sees.
        """
        try:
            from pylib.postgres import connection
        except ImportError:
            sentence = "A table in PostgreSQL needs psycopg: install snapshot-processor[postgres]."
            raise PostgresFailure("not_installed", sentence) from None
        self._library = connection
        self._address = connection.parameters(url)
        self.host = printable(str(self._address.get("host") or self._address.get("hostaddr") or "this machine"))
        self._timeout = timeout
        self._name = name
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    def run(self, statement: str, values: Values | None = None) -> Rows:
        """Run a statement, and return its rows. Raises `PostgresFailure`, within a few `timeout`s.

        A statement that broke with the connection may or may not have been carried out. `statement` may be
        several, with semicolons between them, where it has no `values`: all of them are carried out or none.
        """
        return self._tried(lambda connection: _executed(connection, statement, values))

    def transact(self, work: Callable[[Run], T]) -> T:
        """What `work` returns, which runs its statements as one transaction; it may be called a second time.

        Raises `PostgresFailure` as `run` does, and what `work` raises, with nothing carried out.
        """

        def carried_out(connection: Connection) -> T:
            with connection.transaction():
                return work(lambda statement, values: _executed(connection, statement, values))

        return self._tried(carried_out)

    def close(self) -> None:
        """End the connection; the next statement makes another."""
        with self._lock:
            self._drop()

    def _tried(self, work: Callable[[Connection], T]) -> T:
        with self._lock:
            kept = self._connection is not None
            try:
                return self._done(work)
            except PostgresFailure as failure:
                # The server may have ended it hours ago, when it was restarted: that is no outage.
                if not (kept and failure.code == "unreachable"):
                    raise
            return self._done(work)

    def _done(self, work: Callable[[Connection], T]) -> T:
        connection = self._connected()
        try:
            with connection.within(self._timeout):
                return work(connection)
        except TimeoutError:
            with suppress(self._library.Error):
                connection.cancel_safe(timeout=CANCEL_S)  # or it would wait for its lock for ever
            self._drop()
            raise PostgresFailure("timeout", f"PostgreSQL at {self.host} did not answer in time.") from None
        except self._library.Error as error:
            failure = refusal(error)
            # After a failover the connection may still lead to what is a standby now.
            if connection.broken or failure.code == "read_only":
                self._drop()
            raise failure from None

    def _connected(self) -> Connection:
        if self._connection is None:
            try:
                self._connection = self._library.connect(self._address, timeout=self._timeout, name=self._name)
            except (self._library.Error, UnicodeError) as error:  # the latter for a name that cannot be looked up
                raise no_session(error, host=self.host) from None
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(self._library.Error):
                self._connection.close()
            self._connection = None


def _executed(connection: Connection, statement: str, values: Values | None) -> Rows:
    cursor = connection.execute(statement.encode(), values)
    return cursor.fetchall() if cursor.description else []
