"""What is deleted a little later: hidden at once wherever it was, taken back whole, and carried out once."""

from __future__ import annotations

from datetime import timedelta

from app.journal import Correction, Filter, Journal
from app.journal.deletion import JOB, Doomed
from tests.fakes.album import NOW, an_event, hold, ids
from tests.fakes.clock import Clock
from tests.fakes.decisions import told
from tests.unit.journal.test_edits import heat, rows_of


def known(journal: Journal) -> tuple[object, ...]:
    """All of the album that may change when a picture goes."""
    pages = [ids(journal.page(wanted)) for wanted in (Filter(), Filter(q="secret"), Filter(label="dog"))]
    totals = journal.totals(Filter(), most=9)
    return pages, totals, heat(journal), journal.label_names(), [journal.database.do(rows_of("words"))]


def test_what_is_hidden_is_nowhere_and_comes_back_as_it_was(journal: Journal, clock: Clock) -> None:
    an_event(journal, "a", "Dog", note="secret")
    an_event(journal, "b", after=5)
    journal.change("a", starred=True, correction=Correction(("Dog", "Person")))
    before, entry = known(journal), journal.entry("a")
    assert journal.hide(["a", "unknown"], handle="h", seconds=10) == ["a"]
    assert journal.entry("a") is None
    assert ids(journal.page(Filter())) == "b"
    assert (journal.page(Filter(q="secret")), journal.label_names(), heat(journal)) == ([], [], (1, 0))
    assert journal.change("a", starred=False) is None
    assert journal.hide(["a"], handle="again", seconds=10) == []
    clock.now += 9.9
    assert journal.unhide("h") == ["a"]
    assert (known(journal), journal.entry("a")) == (before, entry)
    assert journal.unhide("h") == []
    assert journal.jobs_of(JOB) == []


def test_it_cannot_be_taken_back_when_its_time_has_come_or_its_work_began(journal: Journal, clock: Clock) -> None:
    an_event(journal, "a")
    an_event(journal, "b")
    journal.hide(["a"], handle="due", seconds=10)
    assert journal.jobs_due([JOB]) == []
    clock.now += 10
    assert journal.unhide("due") == []
    (job,) = journal.jobs_due([JOB])
    assert (job.key, job.arguments) == ("due", {"ids": ["a"]})
    journal.hide(["b"], handle="begun", seconds=10)
    clock.now += 10
    (job,) = (one for one in journal.jobs_due([JOB]) if one.key == "begun")
    journal.begin_job(job)
    journal.postpone_job(job, problem="disk", after=60)
    assert journal.unhide("begun") == []


def test_a_delivery_waits_until_it_is_certain_and_a_follower_is_told_then(journal: Journal, clock: Clock) -> None:
    journal.followers = ["rabbitmq"]
    an_event(journal, "a")
    clock.now += 6
    assert [one.id for one in journal.pending("s3", limit=9)] == ["a"]
    journal.delivered("a", "rabbitmq")
    journal.hide(["a"], handle="h", seconds=10)
    assert journal.pending("s3", limit=9) == journal.pending("rabbitmq", limit=9) == []
    clock.now += 10
    gone = journal.carry_out("a", archives=["s3"])
    assert gone is not None
    assert gone.path == "/cache/a.jpg"
    assert journal.pending("s3", limit=9) == []
    assert [one.review.deleted for one in journal.pending("rabbitmq", limit=9)] == [True]
    assert journal.unhide("h") == []
    again = journal.carry_out("a", archives=["s3"])
    assert again is not None
    assert again.path == ""


def test_only_what_is_hidden_is_carried_out_and_what_was_grouped_with_it_stays(journal: Journal) -> None:
    hold(journal, "best", "other")
    journal.settle("best", ["other"], told(["rabbitmq"]))
    assert journal.carry_out("best", archives=[]) is None
    journal.hide(["best"], handle="h", seconds=10)
    journal.carry_out("best", archives=[])
    assert ids(journal.page(Filter())) == "other"


def test_all_of_a_camera_or_a_time_is_counted_and_found_in_turn(journal: Journal) -> None:
    for number in range(4):
        an_event(journal, f"yard {number}", after=number * 60)
    an_event(journal, "door", camera="Door Camera", after=60)
    journal.change("yard 1", starred=True)
    journal.delivered("yard 1", "s3", md5="d4")
    journal.delete("yard 3", archives=[])
    wanted = Doomed(NOW + timedelta(seconds=60), NOW + timedelta(seconds=121), "Yard Camera")
    totals = journal.doomed_totals(wanted)
    assert (totals.count, totals.size, totals.starred, totals.archived) == (2, 18, 1, {"s3": 1})
    assert ids(journal.doomed(wanted, limit=9)) == "yard 1 yard 2"
    first = journal.doomed(wanted, limit=1)[0]
    assert ids(journal.doomed(wanted, after=first.seq, limit=9)) == "yard 2"
    assert ids(journal.doomed(Doomed(camera="Yard Camera", last=first.seq), limit=9)) == "yard 0 yard 1"
    assert journal.doomed_totals(Doomed()).count == 4


def test_an_archive_that_deleted_its_copy_does_not_count_as_having_it(journal: Journal) -> None:
    an_event(journal, "a")
    journal.delivered("a", "s3", md5="d4")
    journal.delete("a", archives=["s3"], removed=["s3"])
    stats = journal.archive_stats("s3")
    assert (stats.done, stats.given_up) == (0, 0)
    assert journal.archived_among("s3", ["a"]) == []


def test_entries_are_chosen_by_their_ids_within_a_filter(journal: Journal) -> None:
    for number, camera in enumerate(("Yard Camera", "Door Camera", "Yard Camera")):
        an_event(journal, str(number), "Dog", camera=camera, after=number)
    assert ids(journal.page(Filter(ids=("0", "1", "9")))) == "1 0"
    assert ids(journal.oldest(Filter(ids=("2", "1", "0"), camera="Yard Camera"), None, 9)) == "0 2"
    assert journal.totals(Filter(ids=("2", "1")), most=1).count == 1
    entry = journal.entry("0")
    assert entry is not None
    assert Filter(ids=("0",)).matches(entry)
    assert not Filter(ids=("1",)).matches(entry)
