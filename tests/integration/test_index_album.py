"""The tests of the album, asked of the shared index in PostgreSQL: it answers as the journal does."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.fakes.clock import Clock
from tests.fakes.index import Mirrored, mirrored
from tests.fakes.journal import Opens
from tests.postgres import PostgresServer
from tests.unit.journal import test_album, test_visits

OF_THE_JOURNAL = {
    "test_python_and_sql_agree_on_the_order",  # there is one place that computes it
}
"""What is not asked of an index."""


@pytest.fixture(scope="module")
def opens(postgres: PostgresServer) -> Opens:
    return partial(mirrored, postgres=postgres)  # type: ignore[return-value]


@pytest.fixture
def journal(tmp_path: Path, clock: Clock, opens: Opens) -> Iterator[Mirrored]:
    with opens(tmp_path / "journal.db", clock=clock) as one:
        yield one  # type: ignore[misc]


crowded, entries, busy = test_album.crowded, test_album.entries, test_visits.busy
for module in (test_album, test_visits):
    names = [name for name in vars(module) if name.startswith("test_") and name not in OF_THE_JOURNAL]
    globals().update({name: getattr(module, name) for name in names})
