"""What goes wrong between replicas that share an index: outages, races, what others wrote, two with the same event."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.journal import Correction, Filter
from app.journal.mirror import Change
from tests.fakes.album import an_event, ids
from tests.fakes.index import Replica, an_index
from tests.fakes.journal import opened
from tests.postgres import PostgresServer


@pytest.fixture
def pair(tmp_path: Path, postgres: PostgresServer) -> Iterator[tuple[Replica, Replica]]:
    url = an_index(postgres)
    with ExitStack() as stack:
        made = [
            Replica(name, url, stack.enter_context(opened(tmp_path / name / "journal.db")), tmp_path)
            for name in ("here", "there")
        ]
        for one in made:
            stack.callback(one.database.close)
            one.look()
        yield made[0], made[1]


def an_event_of(replica: Replica, name: str, *, after: float = 0) -> None:
    an_event(replica.journal, name, "Dog", after=after)
    replica.look()


def found(replica: Replica) -> str:
    return ids(replica.album.page(Filter()))


def test_a_visit_of_a_page_is_the_same_or_none_after_the_database_went_or_came(
    pair: tuple[Replica, Replica], postgres: PostgresServer
) -> None:
    here, there = pair
    an_event_of(here, "a")
    an_event_of(there, "b", after=500)
    for one, name in zip(pair, "ab", strict=True):
        shared = {visit.best.id: visit.number for visit in one.album.visits(Filter()).visits}
        other = shared["b" if name == "a" else "a"]
        postgres.stop()
        try:
            own = {visit.best.id: visit.number for visit in one.album.visits(Filter()).visits}
            assert own == {name: shared[name]}
            assert ids(one.album.page(Filter(visit=shared[name]))) == name
            assert one.album.ids_of_visits([*shared.values()], Filter(), limit=9) == [name]
            assert one.album.review(Filter(visit=shared[name]), reviewed=True) == 1
            assert (one.album.page(Filter(visit=other)), one.album.count(Filter(visit=other))) == ([], 0)
        finally:
            postgres.start()
        one.now += 60
        one.look()
        assert one.album.ids_of_visits([*own.values()], Filter(), limit=9) == [name]


def test_what_was_taken_back_in_time_is_not_deleted_by_an_owner_who_comes_later(pair: tuple[Replica, Replica]) -> None:
    here, there = pair
    an_event_of(here, "a")
    an_event_of(here, "b", after=1)
    until = time.time() + 0.3
    there.album.hide(["a"], handle="h", seconds=0.3)
    assert there.album.unhide("h") == ["a"]
    there.album.star(["b"], starred=True)
    while time.time() <= until:
        time.sleep(0.02)
    here.look()
    assert here.journal.jobs() == []
    assert found(here) == found(there) == ids(here.journal.page(Filter())) == "b a"


def test_what_was_read_from_the_journal_before_a_change_is_not_written_after_it(
    pair: tuple[Replica, Replica], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = pair
    an_event(here.journal, "a")
    deleting = threading.Thread(target=lambda: here.album.delete("a", archives=[]))
    write = here.mirror._writing.write

    def late(changes: Sequence[Change]) -> list[str]:
        monkeypatch.undo()
        deleting.start()
        deleting.join(0.3)  # it has to wait for us
        return write(changes)

    monkeypatch.setattr(here.mirror._writing, "write", late)
    here.mirror_all()
    deleting.join()
    here.mirror_all()
    assert found(there) == ""


@pytest.mark.parametrize(
    "change", ["[]", '{"ids": 5}', '{"ids": [], "hide": "h", "until": 0}', '{"ids": ["a"], "note": {"x": 1}}']
)
def test_an_edit_that_nobody_understands_keeps_no_other_one_back(pair: tuple[Replica, Replica], change: str) -> None:
    here, there = pair
    an_event_of(here, "a")
    edit = "INSERT INTO index_edits (owner, change) VALUES (%s, %s::jsonb)"
    there.database.write(lambda run: run(edit, [here.database.owner, change]))
    there.album.star(["a"], starred=True)
    here.look()
    assert here.journal.entry("a").starred  # type: ignore[union-attr]
    assert here.follow._editing.edits() == []


def test_an_event_that_nobody_understands_hides_no_other_one(pair: tuple[Replica, Replica]) -> None:
    here, there = pair
    an_event_of(there, "a")
    an_event_of(there, "b", after=500)
    there.database.write(lambda run: run("UPDATE index_events SET record = 'x' WHERE id = 'a'", None))
    assert found(here) == "b"
    assert [visit.best.id for visit in here.album.visits(Filter()).visits] == ["b"]
    assert here.album.entry("a") is None
    an_event_of(there, "c", after=-500)
    an_event_of(there, "d", after=-1000)
    assert ids(here.album.page(Filter(), limit=2)) == "b c"
    last = here.album.visits(Filter(), limit=1).older
    unreadable = here.album.visits(Filter(), before=last, limit=1)
    assert (unreadable.visits, unreadable.older is not None) == ([], True)
    behind = here.album.visits(Filter(), before=unreadable.older, limit=1)
    assert [visit.best.id for visit in behind.visits] == ["c"]


def test_text_that_postgresql_does_not_take_breaks_nothing(pair: tuple[Replica, Replica]) -> None:
    here, there = pair
    an_event_of(there, "a")
    assert (here.album.hidden_until("\0"), here.album.unhide("\0"), here.album.away) == (0, [], "")
    assert here.album.change("a", note="x\0y", correction=Correction(("D\0g",))) is not None
    there.look()
    entry = there.journal.entry("a")
    assert entry is not None
    assert (entry.note, entry.labels) == ("x\ufffdy", ("D\ufffdg",))


def test_tables_that_a_newer_release_changed_meanwhile_are_left_alone(pair: tuple[Replica, Replica]) -> None:
    here, there = pair
    an_event_of(here, "a")
    there.database.write(lambda run: run("UPDATE index_versions SET version = 99", None))
    an_event(there.journal, "t", after=2)
    here.album.change("a", starred=True)
    there.follow.look()
    for one in pair:
        one.now += 60
        an_event_of(one, "b", after=1)
        assert one.outcomes[-1].startswith("index_newer")
    assert found(here) == "b a"
    assert here.album.away


def test_an_event_that_two_have_is_changed_and_deleted_at_both(pair: tuple[Replica, Replica]) -> None:
    here, there = pair
    for one in pair:
        an_event_of(one, "a")
    there.album.star(["a"], starred=True)
    there.album.change("a", note="n", note_was="")
    here.look()
    for one in pair:
        for entry in (one.journal.entry("a"), one.album.entry("a")):
            assert entry is not None
            assert (entry.starred, entry.note) == (True, "n")
    assert there.album.hide(["a"], handle="h", seconds=60) == ["a"]
    assert found(here) == ""
    assert there.album.unhide("h") == ["a"]
    there.album.delete("a", archives=[])
    here.look()
    assert found(here) == found(there) == ids(here.journal.page(Filter())) == ""
