"""What the shared index does not have yet: whatever changes is pending, until that very state has arrived."""

from __future__ import annotations

from app.journal import Change, Journal
from app.journal.mirror import INDEX
from tests.fakes.album import an_event, hold, ids
from tests.fakes.decisions import told


def pending(journal: Journal) -> str:
    return ids(change.entry for change in journal.changes())


def have(journal: Journal, changes: list[Change]) -> None:
    journal.mirrored(changes)
    journal.backlog(INDEX)  # it is done when something else is answered


def test_an_index_that_nobody_wants_costs_nothing(journal: Journal) -> None:
    journal.mirror(wanted=False)
    an_event(journal, "a")
    journal.change("a", starred=True)
    assert (pending(journal), journal.backlog(INDEX).count) == ("", 0)
    assert INDEX not in journal.delivery_states("a")


def test_what_was_there_and_what_comes_is_pending_and_only_the_latter_is_news(journal: Journal) -> None:
    an_event(journal, "old")
    journal.mirror(wanted=True)
    an_event(journal, "new", after=1)
    hold(journal, "one", "best")
    assert pending(journal) == "old new"
    journal.settle("best", ["one"], told(["rabbitmq"]))
    changes = journal.changes()
    assert [(change.entry.id, bool(change.news), change.settled_into) for change in changes] == [
        ("old", False, ""),
        ("new", True, ""),
        ("one", False, "best"),
        ("best", True, ""),
    ]
    have(journal, changes)
    assert pending(journal) == ""


def test_what_changes_while_it_is_on_its_way_stays_pending(journal: Journal) -> None:
    journal.mirror(wanted=True)
    an_event(journal, "a")
    on_its_way = journal.changes()
    journal.change("a", starred=True)
    have(journal, on_its_way)
    (change,) = journal.changes()
    assert change.entry.starred
    have(journal, [change])
    assert pending(journal) == ""


def test_every_change_that_a_page_shows_is_pending(journal: Journal) -> None:
    journal.mirror(wanted=True)
    an_event(journal, "a", "Dog")
    an_event(journal, "b", camera="Gate Camera")
    have(journal, journal.changes())
    for change in (
        lambda: journal.change("a", note="n"),
        lambda: journal.star(["a"], starred=True),
        lambda: journal.describe("a", "A dog"),
        lambda: journal.delivered("a", "s3", md5="d41d8"),
        lambda: journal.hide(["a"], handle="h", seconds=60),
        lambda: journal.unhide("h"),
        lambda: journal.delete("a", archives=["s3"], removed=["s3"]),
    ):
        change()
        assert pending(journal) == "a"
        have(journal, journal.changes())
    journal.delivered("b", "rabbitmq")
    assert pending(journal) == ""


def test_an_index_that_is_another_one_gets_all_of_it_and_none_is_news(journal: Journal) -> None:
    journal.mirror(wanted=True)
    an_event(journal, "a")
    have(journal, journal.changes())
    an_event(journal, "b", after=1)
    journal.mirror_anew("first")
    assert [(change.entry.id, bool(change.news)) for change in journal.changes()] == [("a", False), ("b", True)]
    have(journal, journal.changes())
    journal.mirror_anew("first")
    assert pending(journal) == ""


def test_once_it_is_no_longer_wanted_nothing_of_it_is_left(journal: Journal) -> None:
    journal.mirror(wanted=True)
    an_event(journal, "a")
    have(journal, journal.changes())
    journal.mirror(wanted=False)
    assert INDEX not in journal.delivery_states("a")
    journal.mirror(wanted=True)
    assert pending(journal) == "a"


def test_what_is_forgotten_is_known_by_its_id(journal: Journal) -> None:
    journal.mirror(wanted=True)
    an_event(journal, "a")
    journal.database.do(lambda db: db.execute("DELETE FROM snapshots"))
    assert journal.forgotten() == ["a"]
    journal.forgotten_there(["a"])
    assert journal.forgotten() == []
