"""While the shared index is away, the album shows what this machine has, whatever it is asked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from app.index.database import IndexUnavailable
from app.index.shared import SharedIndex
from app.journal import Filter, Journal
from app.journal.entries import Entry
from tests.fakes.archives import a_picture, recorded


class Away:
    """Answers no question."""

    def __getattr__(self, _: str) -> Any:
        def ask(*_: object, **__: object) -> None:
            raise IndexUnavailable("unreachable", "nobody is there")

        return ask


@pytest.fixture
def shared(journal: Journal) -> SharedIndex:
    database: Any = SimpleNamespace(away="unreachable", owner=0)
    pictures: Any = SimpleNamespace(of=lambda entry: entry)
    made = SharedIndex(database, journal, pictures)
    made._reading = Away()  # type: ignore[assignment]
    return made


def ids(entries: list[Entry]) -> list[str]:
    return [entry.id for entry in entries]


def test_every_question_is_answered_by_the_journal(journal: Journal, shared: SharedIndex) -> None:
    first, second, third = (recorded(journal, a_picture(None, number)).id for number in (1, 2, 3))
    everything, entry = Filter(), journal.entry(second)
    assert entry is not None
    camera = entry.inspection.camera
    assert ids(shared.page(everything)) == [third, second, first]
    assert [ids(side) for side in shared.around(entry.place, everything, reach=1)] == [[third], [first]]
    assert ids(shared.inspected_after(first, limit=9)) == ids(journal.inspected_after(first, limit=9)) != []
    assert ids(shared.same_moment(entry)) == ids(journal.same_moment(entry))
    newest, found = shared.newest_picture(camera), shared.entry(second)
    assert newest is not None
    assert found is not None
    assert (newest.id, found.id) == (third, second)
    assert (shared.count(everything), shared.camera_keys()) == (3, [camera])
    assert shared.standing(entry.place, everything) == journal.standing(entry.place, everything)
