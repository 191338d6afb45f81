"""Replicas that share an index: what one sees and changes, the others have, and who goes away loses nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from app.index.database import IndexUnavailable
from app.index.follow import carry_out
from app.index.outlet import Pending
from app.index.pictures import PictureElsewhere
from app.index.reading import IndexReading
from app.journal import Correction, Entry, Filter
from app.journal.edits import NoteChanged
from app.journal.mirror import INDEX
from tests.fakes.album import an_event, hold, ids
from tests.fakes.decisions import told
from tests.fakes.index import Replica, an_index
from tests.fakes.journal import opened
from tests.pgbouncer import pooled
from tests.postgres import PostgresServer

Make = Callable[..., Replica]


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return an_index(postgres)


@pytest.fixture
def make(tmp_path: Path, url: str) -> Iterator[Make]:
    open_ones = []

    def made(name: str, *, at: str = "", folder: str = "") -> Replica:
        context = opened(tmp_path / (folder or name) / "journal.db")
        replica = Replica(name, at or url, context.__enter__(), tmp_path)
        open_ones.append((context, replica))
        return replica

    yield made
    for context, replica in open_ones:
        replica.database.close()
        context.__exit__(None, None, None)


@pytest.fixture
def here(make: Make) -> Replica:
    return make("here")


@pytest.fixture
def there(make: Make) -> Replica:
    return make("there")


def an_event_of(replica: Replica, name: str, *labels: str, **changes: object) -> None:
    an_event(replica.journal, name, *labels, **changes)  # type: ignore[arg-type]
    replica.look()


def found(replica: Replica, filter: Filter = Filter()) -> str:  # noqa: B008
    return ids(replica.album.page(filter))


def test_each_replica_shows_the_events_of_all_and_says_whose_they_are(here: Replica, there: Replica) -> None:
    an_event_of(here, "a", "Dog")
    an_event_of(there, "b", "Cat", after=5, camera="Gate Camera", note="Ö")
    assert found(here) == found(there) == "b a"
    assert [entry.owner for entry in here.album.page(Filter())] == ["there", ""]
    assert [entry.owner for entry in there.album.page(Filter())] == ["", "here"]
    assert (found(here, Filter(q="o")), found(here, Filter(label="dog"))) == ("b", "a")
    assert here.album.label_names() == ["Cat", "Dog"]
    assert here.album.camera_keys() == ["Gate Camera", "Yard Camera"]
    numbers = [visit.number for visit in here.album.visits(Filter()).visits]
    assert len(set(numbers)) == 2
    assert found(here, Filter(visit=numbers[0])) == "b"
    assert here.album.camera_of("b") == "Gate Camera"


def test_what_comes_while_it_is_asked_for_is_told_once(
    here: Replica, there: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.follow.look()
    an_event_of(there, "a")
    asked = IndexReading.what_is_new

    def and_then_another_comes(reading: IndexReading) -> tuple[int, bool]:
        monkeypatch.undo()
        answer = asked(reading)
        an_event_of(there, "b")
        return answer

    monkeypatch.setattr(IndexReading, "what_is_new", and_then_another_comes)
    for _ in range(3):
        here.follow.look()
    assert [one.id for one in here.heard] == ["a", "b"]


def test_open_pages_hear_of_what_others_saw_since_they_began(here: Replica, there: Replica) -> None:
    an_event_of(there, "before")
    here.follow.look()
    hold(there.journal, "one", "best")
    there.journal.settle("best", ["one"], told([]))
    an_event_of(there, "b", "Cat")
    an_event_of(here, "own")
    here.follow.look()
    here.follow.look()
    assert [one.id for one in here.heard] == ["best", "b"]
    assert here.heard[1].detection.labels[0].name == "Cat"
    assert ids(here.album.inspected_after("before", limit=9)) == "best b own"


def test_what_was_there_before_the_index_is_shown_and_nobody_s_news(make: Make, here: Replica, tmp_path: Path) -> None:
    here.look()
    with opened(tmp_path / "late" / "journal.db") as journal:
        an_event(journal, "old")
        journal.mirror(wanted=True)
        journal.mirror(wanted=False)
        an_event(journal, "newer", after=1)
    late = make("late")
    late.journal.star(["old"], starred=True)
    late.look()
    here.look()
    assert (found(here), here.heard) == ("newer old", [])
    assert found(here, Filter(starred=True)) == "old"


def test_whatever_changes_of_an_event_is_in_the_index_soon(here: Replica, there: Replica) -> None:
    for name in ("a", "b", "c"):
        an_event_of(here, name, "Dog")
    journal = here.journal
    journal.describe("a", "A dog in the snow")
    journal.delivered("a", "s3", md5="d41d8")
    journal.change("b", note="mine", correction=Correction(("Fox",)))
    journal.hide(["c"], handle="h", seconds=60)
    here.look()
    assert found(there) == "b a"
    assert found(there, Filter(q="snow")) == "a"
    assert there.album.entry("a").archived_in == ("s3",)  # type: ignore[union-attr]
    assert found(there, Filter(label="Fox", min_confidence=1)) == "b"
    assert found(there, Filter(label="Dog")) == "a"
    journal.unhide("h")
    journal.delete("a", archives=["s3"])
    here.look()
    assert found(there) == "c b"
    assert journal.backlog(INDEX).count == 0


def test_what_the_journal_forgets_is_gone_from_the_index(here: Replica, there: Replica) -> None:
    an_event_of(here, "a")
    here.journal.database.do(lambda db: db.execute("DELETE FROM snapshots"))
    here.look()
    assert found(there) == ""
    assert there.album.label_names() == []


@pytest.mark.parametrize("owner_is_away", [False, True])
def test_an_edit_at_another_replica_is_seen_at_once_and_done_by_the_owner(
    here: Replica, there: Replica, *, owner_is_away: bool
) -> None:
    for number, name in enumerate(("a", "b", "c", "d")):
        an_event_of(here, name, "Dog", after=number)
    album = there.album
    changed = album.change("a", starred=True, note="seen", note_was="", correction=Correction(("Fox", "Person")))
    assert changed == album.entry("a")
    assert album.star(["b", "none"], starred=True) == ["b"]
    assert album.review(Filter(ids=("a", "b")), reviewed=True) == 2
    assert album.hide(["c"], handle="h", seconds=60) == ["c"]
    assert album.delete("d", archives=[]) is not None
    with pytest.raises(NoteChanged):
        album.change("a", note="mine", note_was="other")
    expected = [("b", True, "", True), ("a", True, "seen", True)]

    def shown(entries: list[Entry]) -> list[object]:
        return [(one.id, one.starred, one.note, one.reviewed) for one in entries]

    assert shown(album.page(Filter())) == expected
    assert found(there, Filter(q="fox", person=True)) == "a"
    assert album.hidden_until("h") > time.time()
    if owner_is_away:
        assert album.unhide("h") == ["c"]
        assert album.unhide("h") == []
        assert found(there, Filter(label="dog")) == "c b"
        return
    for _ in range(2):
        here.look()
    assert (
        shown(here.journal.page(Filter()))
        == expected
        == shown(here.album.page(Filter()))
        == shown(album.page(Filter()))
    )
    assert here.journal.entry("a").labels == ("Fox", "Person")  # type: ignore[union-attr]
    assert album.unhide("h") == ["c"]
    here.look()
    assert ids(here.journal.page(Filter())) == found(here) == found(there) == "c b a"
    jobs = [job.arguments["ids"] for job in here.journal.jobs()]
    assert jobs == [["d"]]


def test_an_edit_that_is_done_twice_is_done_once(here: Replica, there: Replica) -> None:
    an_event_of(here, "a")
    an_event_of(here, "b", after=1)
    there.album.hide(["a"], handle="h", seconds=60)
    there.album.star(["b"], starred=True)
    edits = here.follow._editing.edits()
    for edit in (*edits, *edits):
        carry_out(here.journal, edit.change)
    here.look()
    here.look()
    assert len(here.journal.jobs()) == 1
    assert found(there) == "b"
    assert here.follow._editing.edits() == []


def test_an_own_event_that_is_changed_is_shown_as_it_is_by_the_next_page(here: Replica) -> None:
    an_event_of(here, "a")
    here.album.change("a", starred=True, note="n")
    here.album.review(Filter(), reviewed=True)
    (entry,) = here.album.page(Filter())
    assert (entry.starred, entry.note, entry.reviewed) == (True, "n", True)
    here.album.hide(["a"], handle="h", seconds=60)
    assert found(here) == ""
    here.album.unhide("h")
    assert found(here) == "a"
    here.album.delete("a", archives=[])
    assert found(here) == ""


def test_without_the_database_a_page_shows_this_machine_s_events_and_says_so(
    here: Replica, there: Replica, postgres: PostgresServer
) -> None:
    an_event_of(here, "a")
    an_event_of(there, "b", after=1)
    postgres.stop()
    try:
        assert found(here) == "a"
        assert "PostgreSQL" in here.album.away
        an_event(here.journal, "c", after=2)
        here.album.change("c", starred=True)
        assert found(here) == "c a"
        with pytest.raises(IndexUnavailable):
            here.album.star(["b"], starred=True)
        here.mirror.handle(Pending())
        assert list(here.mirror.pending()) == []  # it waits a little
        assert here.outcomes[-1].startswith("unreachable: ")
    finally:
        postgres.start()
    here.now = 60.0
    here.look()
    assert (found(here), here.album.away) == ("c b a", "")
    assert found(there, Filter(starred=True)) == "c"


def test_a_picture_of_another_replica_comes_from_the_archive_that_both_have(
    here: Replica, there: Replica, tmp_path: Path
) -> None:
    name = "2026/03/04/Yard_Camera/050607-a.jpg"
    inspection = an_event(there.journal, "a")
    there.journal.database.do(lambda db: db.execute("UPDATE snapshots SET path = ?", (str(tmp_path / "cache" / name),)))
    there.look()
    entry = here.album.entry("a")
    assert entry is not None
    assert (entry.inspection.snapshot.path, entry.owner) == ("", "there")
    there.archive.open()
    stored = replace(inspection, snapshot=replace(inspection.snapshot, path=str(tmp_path / "cache" / name)))
    there.archive.store(stored, b"a picture")
    there.journal.database.do(lambda db: db.execute("UPDATE deliveries SET target = 'folder' WHERE target = 's3'"))
    there.journal.delivered("a", "folder", md5="5d41")
    there.look()
    there.journal.database.do(lambda db: db.execute("UPDATE snapshots SET path = '', starred = 1"))
    there.look()
    entry = here.album.entry("a")
    assert entry is not None
    assert entry.starred
    path = Path(entry.inspection.snapshot.path)
    assert path == tmp_path / "here" / "elsewhere" / name
    here.pictures.fetch(entry)
    assert path.read_bytes() == b"a picture"
    (tmp_path / "nas" / name).unlink()
    here.look()
    here.pictures.fetch(entry)
    assert path.exists()
    there.album.hide(["a"], handle="bin", seconds=30)
    there.look()
    here.look()
    assert (path.exists(), here.dropped) == (False, ["a"])
    with pytest.raises(PictureElsewhere):
        here.pictures.fetch(entry)


@pytest.mark.parametrize("name", ["../../../../etc/passwd", "/etc/passwd", "2026/01/01/../x.jpg", "2026/01/01/c/.x"])
def test_a_name_that_leads_elsewhere_is_no_picture(here: Replica, there: Replica, name: str, url: str) -> None:
    an_event_of(there, "a")
    there.database.write(lambda run: run("UPDATE index_events SET name = %s", [name]))
    entry = here.album._reading.entry("a")
    assert entry is not None
    shown = here.pictures.of(replace(entry, archived_in=("folder",)))
    assert shown.inspection.snapshot.path == ""


def test_changes_that_wait_for_a_replica_are_named_and_can_be_handed_over(
    here: Replica, there: Replica, url: str, tmp_path: Path
) -> None:
    """Those of a replica that has another name now would wait for ever."""
    an_event_of(there, "a")
    here.look()
    here.album.star(["a"], starred=True)
    here.look()
    assert here.database.waiting == []  # it would do it just now
    here.look()
    waits = "1 change of events of there waits for it: start it, or see docs/many-machines.md"
    assert [told.partition(" if ")[0] for told in here.database.waiting] == [waits]
    assert here.database.look().endswith(here.database.waiting[0])
    renamed = Replica("renamed", url, there.journal, tmp_path)
    with closing(renamed.database):
        renamed.look()
        assert not there.journal.entry("a").starred  # type: ignore[union-attr]
        number = "(SELECT number FROM index_owners WHERE name = %s)"
        hand_over = f"UPDATE index_edits SET owner = {number} WHERE owner = {number}"
        here.database.write(lambda run: run(hand_over, ["renamed", "there"]))
        renamed.look()
    assert there.journal.entry("a").starred  # type: ignore[union-attr]
    here.look()
    assert (here.database.waiting, found(here, Filter(starred=True))) == ([], "a")


def test_a_name_that_another_replica_has_is_refused(make: Make, here: Replica, there: Replica) -> None:
    an_event_of(here, "a")
    double = make("here", folder="elsewhere")
    an_event(double.journal, "b", after=1)
    double.mirror.handle(Pending())
    assert double.outcomes == [
        "name_taken: Another replica is called here in the shared index: choose another DEVICE_NAME."
    ]
    assert (found(double), found(there)) == ("b", "a")


def test_an_index_that_was_made_anew_gets_everything_again(here: Replica, there: Replica) -> None:
    an_event_of(here, "a")
    an_event_of(there, "b", after=1)
    tables = "index_edits, index_labels, index_events, index_owners, index_versions"
    here.database.write(lambda run: run(f"DROP TABLE {tables}", None))
    for replica in (here, there, here, there):
        replica.now += 60
        an_event(replica.journal, f"new {replica.now}", after=replica.now)
        replica.look()
        replica.now += 60
        replica.look()
    assert found(here) == found(there)
    assert found(here).endswith("b a")


def test_one_event_that_the_database_refuses_harms_itself_only(here: Replica, there: Replica) -> None:
    here.database.ready()
    check = "ALTER TABLE index_events ADD CONSTRAINT no_b CHECK (id != 'b')"
    here.database.write(lambda run: run(check, None))
    for name in ("a", "b", "c"):
        an_event(here.journal, name)
    here.mirror.handle(Pending())
    assert set(found(there).split()) == {"a", "c"}
    assert here.journal.backlog(INDEX).count == 1
    assert here.outcomes.count("ok") == 2


def test_numbers_are_seen_in_the_order_in_which_they_are_given(here: Replica, there: Replica, url: str) -> None:
    """One who writes for long is waited for: a reader would pass over what it commits late."""
    an_event_of(here, "a")
    with psycopg.connect(url) as other:
        other.execute("SELECT 1 FROM index_versions FOR UPDATE")
        an_event(there.journal, "b", after=1)
        there.mirror.handle(Pending())
        assert there.outcomes[-1].startswith("timeout")
    there.now = 60
    there.look()
    assert found(here) == "b a"


def test_behind_pgbouncer_in_transaction_mode_it_is_the_same(make: Make, postgres: PostgresServer) -> None:
    database = f"pooled_{time.monotonic_ns()}"
    postgres.ask(f"CREATE DATABASE {database}")
    with pooled(postgres, database) as url:
        here, there = make("here", at=url), make("there", at=url)
        there.look()
        for number in range(30):
            an_event((here, there)[number % 2].journal, f"e{number}", "Dog", after=number)
        with ThreadPoolExecutor() as pool:
            list(pool.map(Replica.look, (here, there)))
            shown = list(pool.map(lambda one: found(one, Filter(label="dog")), (here, there) * 10))
        assert len(set(shown)) == 1
        assert len(shown[0].split()) == 30
        there.album.change("e0", note="seen", starred=True)
        for replica in (here, there):
            replica.look()
        assert here.journal.entry("e0").note == "seen"  # type: ignore[union-attr]
        assert len(there.heard) == 15
