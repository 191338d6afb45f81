"""A sentence that comes after its event is found, told to those who follow, and gone with the event."""

from __future__ import annotations

from app.journal import Correction, Filter, Journal
from app.messages import Review
from tests.fakes.album import an_event, hold, ids

SAID = "A postman brings a parcel."


def test_a_description_is_found_by_its_words_beside_the_note(journal: Journal) -> None:
    an_event(journal, "a", "Person", note="the neighbour")
    assert journal.describe("a", SAID)
    for wanted in (Filter(q="parcel"), Filter(q="neigh post"), Filter(q="person brings")):
        found = journal.page(wanted)
        assert ids(found) == "a"
        assert wanted.matches(found[0])
    journal.change("a", note="Rex", correction=Correction(("Dog",)))
    assert ids(journal.page(Filter(q="rex parcel dog"))) == "a"
    assert journal.page(Filter(q="neighbour")) == []
    entry = journal.entry("a")
    assert entry is not None
    assert (entry.description, entry.note) == (SAID, "Rex")


def test_what_is_not_shown_is_not_described(journal: Journal) -> None:
    hold(journal, "held")
    an_event(journal, "gone")
    journal.delete("gone", archives=[])
    assert [journal.describe(name, SAID) for name in ("held", "gone", "unknown")] == [False, False, False]


def test_a_deleted_event_keeps_no_description(journal: Journal) -> None:
    an_event(journal, "a")
    journal.describe("a", SAID)
    journal.delete("a", archives=[])
    assert journal.page(Filter(q="postman")) == []
    assert SAID not in str(journal.database.do(lambda db: db.execute("SELECT * FROM snapshots").fetchall()))


def test_followers_get_the_event_again_and_others_do_not(journal: Journal) -> None:
    journal.followers = ["rabbitmq"]
    an_event(journal, "a")
    journal.delivered("a", "rabbitmq", review=Review())
    journal.delivered("a", "s3")
    journal.describe("a", SAID)
    (again,) = journal.pending("rabbitmq", limit=9)
    assert again.description == SAID
    assert journal.pending("s3", limit=9) == []


def test_one_that_comes_while_the_event_is_delivered_is_delivered_after_it(journal: Journal) -> None:
    journal.followers = ["rabbitmq"]
    an_event(journal, "a")
    journal.describe("a", SAID)
    journal.delivered("a", "rabbitmq", review=Review())
    assert journal.delivery_states("a")["rabbitmq"].state == "owed"
    journal.delivered("a", "rabbitmq", review=Review(description=SAID))
    assert journal.delivery_states("a")["rabbitmq"].state == "done"
