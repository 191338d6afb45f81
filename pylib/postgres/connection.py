"""psycopg's connection, with a limit on the time of each statement. Loads psycopg."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict

from pylib.postgres.failures import PostgresFailure

T = TypeVar("T")

Error = psycopg.Error

SCHEMES = ("postgresql://", "postgres://")
"""Anything else would be taken for a list of `name=value`."""
LEAST_CONNECT_S = 2
"""libpq takes no less (its manual, `connect_timeout`)."""


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """One whose statements end within a time, whatever the server does."""

    _until = math.inf

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Raises TimeoutError; the connection is of no use then."""
        self._until = time.monotonic() + seconds
        try:
            yield
        finally:
            self._until = math.inf

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **kwargs: Any) -> T:
        """psycopg's own, which looks about every tenth of a second."""
        return super().wait(self._limited(gen), *args, **kwargs)

    def _limited(self, gen: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() >= self._until:
                    raise TimeoutError
                wanted = gen.send(ready)
        except StopIteration as end:
            result: T = end.value
            return result


def parameters(url: str) -> Mapping[str, Any]:
    """What an address says. Raises `PostgresFailure`, without a part of it: that may be the password."""
    address = url.strip()
    if address.count("@") > 1:  # libpq would take what follows the first one for the host, which is no secret
        raise PostgresFailure("bad_address", "`url` has more than one @: write each but that before the host as %40.")
    with suppress(psycopg.Error):
        if address.startswith(SCHEMES):
            return conninfo_to_dict(address)
    sentence = "`url` cannot be used: it has to look like postgresql://user:password@host:5432/database."
    raise PostgresFailure("bad_address", sentence)


def connect(address: Mapping[str, Any], *, timeout: float, name: str) -> Connection:
    """Connect, within so many seconds for each address of the host. Raises psycopg's `Error`."""
    return Connection.connect(
        **{
            "connect_timeout": max(LEAST_CONNECT_S, round(timeout)),
            "application_name": name,
            **address,
            "client_encoding": "UTF8",
        },
        autocommit=True,
        prepare_threshold=None,
    )
