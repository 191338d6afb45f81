"""A journal of its own for each test."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path

from app.journal import Journal

Opens = Callable[..., AbstractContextManager[Journal]]
"""`opened`, or what opens another record that answers as the journal does."""


def begin(path: Path, *, clock: Callable[[], float] = time.time) -> Journal:
    """One that is open, and whose thread runs; end it with `end`."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_empty())
    journal = Journal(path, clock=clock)
    journal.open()
    journal.database.start()
    return journal


def end(journal: Journal) -> None:
    journal.database.stop()
    assert journal.database.join(60)


@contextmanager
def opened(path: Path, *, clock: Callable[[], float] = time.time) -> Iterator[Journal]:
    """An open one, whose thread runs."""
    journal = begin(path, clock=clock)
    try:
        yield journal
    finally:
        end(journal)


@cache
def _empty() -> bytes:
    """What a first start makes: its tables are written one after the other, which takes ten times as long as a copy."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        journal = Journal(path)
        journal.open()
        journal.database.start()
        end(journal)
        return path.read_bytes()


@contextmanager
def full_disk(journal: Journal) -> Iterator[None]:
    """For as long as this lasts the journal can be read and not written."""
    journal.database.do(lambda db: db.execute("PRAGMA query_only = ON"))
    try:
        yield
    finally:
        journal.database.do(lambda db: db.execute("PRAGMA query_only = OFF"))
