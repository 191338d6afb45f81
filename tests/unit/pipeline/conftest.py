"""What every stage's test needs: a real journal and cache in a folder of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.cache import Cache
from app.journal import Journal
from app.messages import Trigger


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.db")
    journal.open()
    journal.database.start()
    yield journal
    journal.database.stop()
    assert journal.database.join(60)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", zone=UTC)


@contextmanager
def full_disk(journal: Journal) -> Iterator[None]:
    """For as long as this lasts the journal can be read and not written."""
    journal.database.do(lambda db: db.execute("PRAGMA query_only = ON"))
    try:
        yield
    finally:
        journal.database.do(lambda db: db.execute("PRAGMA query_only = OFF"))


def a_trigger(event_id: str = "t1", **changes: object) -> Trigger:
    """A trigger of this moment, over RabbitMQ, for the camera in the yard."""
    fields: dict[str, object] = {
        "id": event_id,
        "camera": "Yard Camera",
        "label": "Yard",
        "timestamp": datetime.now(UTC),
        "arrived": time.monotonic(),
        "origin": "rabbitmq",
        "receipt": "1:7",
        **changes,
    }
    return Trigger(**fields)  # type: ignore[arg-type]
