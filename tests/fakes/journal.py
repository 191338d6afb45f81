"""A journal of its own for each test."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.journal import Journal


@contextmanager
def opened(path: Path, *, clock: Callable[[], float] = time.time) -> Iterator[Journal]:
    """An open one, whose thread runs."""
    journal = Journal(path, clock=clock)
    journal.open()
    journal.database.start()
    try:
        yield journal
    finally:
        journal.database.stop()
        assert journal.database.join(5)


@contextmanager
def full_disk(journal: Journal) -> Iterator[None]:
    """For as long as this lasts the journal can be read and not written."""
    journal.database.do(lambda db: db.execute("PRAGMA query_only = ON"))
    try:
        yield
    finally:
        journal.database.do(lambda db: db.execute("PRAGMA query_only = OFF"))
