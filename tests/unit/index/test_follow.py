"""What others asked of our events is done until the index has it, and one that it refuses holds up nothing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import pytest

from app.index.database import IndexUnavailable
from app.index.editing import Edit
from app.index.follow import Follow
from app.journal import Journal
from app.messages import Inspection
from tests.fakes.archives import a_picture, recorded


class Index:
    """What `Follow` asks of it: one edit until that is done, and events that it refuses or cannot take."""

    in_turn = nullcontext()

    def __init__(self, edit: Edit, code: str) -> None:
        self.edit, self.code, self.is_done = edit, code, False

    def what_is_new(self) -> tuple[int, bool]:
        return 0, not self.is_done

    def edits(self) -> list[Edit]:
        return [self.edit]

    def done(self, edits: Sequence[Edit]) -> None:
        self.is_done = edits == [self.edit]

    def write(self, _: object) -> None:
        if self.code:
            raise IndexUnavailable(self.code, "not now")


def following(index: Any, journal: Journal) -> Follow:
    told: list[Inspection] = []
    follow = Follow(index, journal=journal, tell=told.append)
    follow._reading = follow._editing = follow._writing = index
    return follow


@pytest.mark.parametrize(("code", "done"), [("", True), ("row_refused", True), ("unreachable", False)])
def test_an_edit_is_done_unless_the_index_is_away(journal: Journal, code: str, done: bool) -> None:
    event = recorded(journal, a_picture(None))
    index = Index(Edit(1, {"ids": [event.id], "starred": True}), code)
    follow = following(index, journal)
    follow.look()
    entry = journal.entry(event.id)
    assert entry is not None
    assert (entry.starred, index.is_done) == (True, done)
    index.code = ""
    follow.look()
    assert index.is_done
