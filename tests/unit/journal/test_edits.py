"""What people make of entries: stars, notes and corrections are found at once, and what is deleted is gone."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from app.journal import HANDOVER_S, Correction, Deleted, Filter, Journal
from app.messages import Detection, Inspection, Label, Review, Snapshot
from tests.fakes.album import NOW, an_event, hold, ids
from tests.fakes.clock import Clock

DAY_S = 86_400.0


def heat(journal: Journal) -> tuple[int, int]:
    """Snapshots and persons of all quarters of an hour."""
    quarters = journal.heat(NOW - timedelta(days=9), NOW + timedelta(days=9))
    return sum(quarter.snapshots for quarter in quarters), sum(quarter.persons for quarter in quarters)


def rows_of(table: str) -> Callable[[sqlite3.Connection], list[object]]:
    return lambda db: db.execute(f"SELECT * FROM {table}").fetchall()


def test_a_change_leaves_the_rest_as_it_was(journal: Journal) -> None:
    an_event(journal, "a", "Dog")
    assert journal.change("a", note="Rex") == journal.entry("a")
    journal.change("a", starred=True)
    journal.change("a", correction=Correction(("Cat",)))
    entry = journal.change("a")
    assert entry is not None
    assert (entry.note, entry.starred, entry.corrected, entry.labels) == ("Rex", True, ("Cat",), ("Cat",))
    assert entry.inspection.detection.labels[0].name == "Dog"


def test_nothing_unknown_is_changed_or_deleted(journal: Journal) -> None:
    hold(journal, "held")
    assert (journal.change("unknown", starred=True), journal.change("held", starred=True)) == (None, None)
    assert (journal.delete("unknown", archives=[]), journal.delete("held", archives=[])) == (None, None)


def test_a_star_is_found_and_keeps_the_picture(journal: Journal) -> None:
    an_event(journal, "a")
    an_event(journal, "b")
    journal.change("a", starred=True)
    assert ids(journal.page(Filter(starred=True))) == "a"
    assert ids(journal.page(Filter(starred=False))) == "b"
    assert [picture.starred for picture in journal.pictures(targets=[], archives=[], limit=9)] == [True, False]
    journal.change("a", starred=False)
    assert journal.page(Filter(starred=True)) == []


def test_a_note_is_found_by_its_words_and_no_longer_by_its_former_ones(journal: Journal) -> None:
    an_event(journal, "a", note="the postman")
    assert ids(journal.page(Filter(q="post"))) == "a"
    journal.change("a", note="a parcel")
    assert journal.page(Filter(q="post")) == []
    assert ids(journal.page(Filter(q="parc"))) == "a"


def test_a_correction_counts_for_all_that_is_asked(journal: Journal) -> None:
    an_event(journal, "a", "Dog")
    journal.change("a", correction=Correction(("person", "Straße")))
    assert journal.page(Filter(label="Dog")) == journal.page(Filter(q="dog")) == []
    for wanted in (
        Filter(label="Person", min_confidence=1),
        Filter(person=True),
        Filter(q="pers"),
        Filter(label="STRASSE"),
    ):
        assert ids(journal.page(wanted)) == "a", wanted
    assert heat(journal) == (1, 1)
    assert journal.pictures(targets=[], archives=[], limit=1)[0].person


def test_a_correction_taken_back_leaves_what_was_detected(journal: Journal) -> None:
    an_event(journal, "a", "Person")
    journal.change("a", correction=Correction(()))
    assert journal.page(Filter(person=True)) == journal.page(Filter(min_confidence=0.1)) == []
    assert heat(journal) == (1, 0)
    journal.change("a", correction=Correction(None))
    assert ids(journal.page(Filter(label="person", min_confidence=0.9))) == "a"
    assert ids(journal.page(Filter(person=True, min_confidence=0.9))) == "a"
    assert heat(journal) == (1, 1)


def test_labels_that_are_said_twice_count_once(journal: Journal) -> None:
    an_event(journal, "a")
    journal.change("a", correction=Correction(("Dog", "dog", "DOG")))
    assert ids(journal.page(Filter(label="dog"))) == "a"
    assert len(journal.label_names()) == 1
    journal.change("a", correction=Correction(()))
    assert journal.label_names() == []


def test_what_is_deleted_is_nowhere_in_the_album(journal: Journal) -> None:
    an_event(journal, "a", "Person", note="secret")
    an_event(journal, "b", after=5)
    assert journal.delete("a", archives=["s3"]) == Deleted("/cache/a.jpg")
    assert journal.entry("a") is None
    assert ids(journal.page(Filter())) == "b"
    for wanted in (
        Filter(q="secret"),
        Filter(label="Person"),
        Filter(camera="Yard Camera", until=NOW),
        Filter(person=True),
    ):
        assert journal.page(wanted) == [], wanted
    assert (journal.label_names(), heat(journal)) == ([], (1, 0))
    assert journal.change("a", note="back") is None
    assert journal.delete("a", archives=["s3"]) is None


def test_what_was_said_of_a_deleted_entry_is_nowhere(journal: Journal) -> None:
    an_event(journal, "a", "Person", note="secret")
    journal.change("a", starred=True, correction=Correction(("Postman",)))
    journal.delete("a", archives=[])
    row = "SELECT path, note, corrected, starred, person, surest, gone_at, deleted_at FROM snapshots"
    assert journal.database.do(lambda db: db.execute(row).fetchall()) == [("", "", None, 0, 0, 0.0, 1e6, 1e6)]
    for table in ("labels", "tags", "words"):
        assert journal.database.do(rows_of(table)) == [], table


def test_what_is_deleted_is_known_when_it_comes_again(journal: Journal) -> None:
    inspection = an_event(journal, "a")
    again = replace(inspection.snapshot, id="b")
    journal.record(again, trigger_key="id:1", content=b"digest")
    journal.inspect(replace(inspection, snapshot=again))
    journal.delete("b", archives=[])
    assert journal.recorded("id:1") == ["b"]
    assert journal.sent_before("Yard Camera", b"digest") == "b"
    journal.record(again, trigger_key="id:1", content=b"digest")
    journal.inspect(replace(inspection, snapshot=again))
    journal.import_picture(replace(inspection, snapshot=again), [])
    assert journal.find("b") is not None
    assert ids(journal.page(Filter())) == "a"


def test_archives_give_up_what_is_deleted_and_others_are_told_without_the_picture(
    journal: Journal, clock: Clock
) -> None:
    an_event(journal, "a", "Dog")
    journal.delete("a", archives=["s3"])
    clock.now += HANDOVER_S
    assert journal.pending("s3", limit=9) == []
    (told,) = journal.pending("rabbitmq", limit=9)
    assert (told.id, told.snapshot.path, told.detection.labels) == ("a", "", ())
    assert journal.enqueue_rest("s3") == 0
    archive_stats = journal.archive_stats("s3")
    assert (archive_stats.pending, archive_stats.given_up, archive_stats.without) == (0, 0, 0)


def test_what_an_archive_has_of_a_deleted_picture_is_not_sent_again(journal: Journal) -> None:
    an_event(journal, "a")
    journal.delivered("a", "s3", md5="d41d8")
    journal.delete("a", archives=["s3"])
    assert journal.enqueue_again("s3", ["a"]) == 0
    assert journal.archive_stats("s3").done == 1
    assert [archived_pictures.id for archived_pictures in journal.archived_among("s3", ["a"])] == ["a"]
    assert journal.known(["a"]) == {"a"}


def test_retention_has_nothing_to_do_with_what_is_deleted(journal: Journal) -> None:
    an_event(journal, "a")
    (picture,) = journal.pictures(targets=["s3"], archives=["s3"], limit=9)
    journal.delete("a", archives=["s3"])
    assert journal.pictures(targets=["s3"], archives=["s3"], limit=9) == []
    assert journal.evict([picture], targets=["s3"], archives=["s3"], problem="disk_full") == []
    assert (journal.pictures_size(), journal.with_picture(["a"])) == (0, set())


def test_a_deleted_row_is_forgotten_in_its_time_also_a_starred_one(journal: Journal, clock: Clock) -> None:
    an_event(journal, "a")
    journal.change("a", starred=True)
    clock.now += 5 * DAY_S
    journal.delete("a", archives=["s3"])
    clock.now += DAY_S
    assert journal.purge(older_than=DAY_S / 2, targets=["rabbitmq", "s3"], limit=9) == 0  # still owed to one
    journal.delivered("a", "rabbitmq")
    assert journal.purge(older_than=2 * DAY_S, targets=["rabbitmq", "s3"], limit=9) == 0
    assert journal.purge(older_than=DAY_S / 2, targets=["rabbitmq", "s3"], limit=9) == 1
    assert journal.find("a") is None


def test_a_starred_event_is_not_forgotten_although_its_picture_is_gone(journal: Journal, clock: Clock) -> None:
    an_event(journal, "a")
    journal.change("a", starred=True)
    pictures = journal.pictures(targets=[], archives=[], limit=9)
    assert journal.evict(pictures, targets=[], archives=[], problem="disk_full: no space") == pictures
    clock.now += 5 * DAY_S
    assert journal.forgettable(older_than=DAY_S, targets=[]) == 0
    assert journal.purge(older_than=DAY_S, targets=[], limit=9) == 0


def test_what_is_forgotten_leaves_the_album(journal: Journal, clock: Clock) -> None:
    an_event(journal, "a", "Person", note="the postman")
    an_event(journal, "b", "Dog")
    pictures = journal.pictures(targets=[], archives=[], limit=1)
    journal.evict(pictures, targets=[], archives=[])
    assert ids(journal.page(Filter(q="postman"))) == "a"  # without its picture it is still an event
    clock.now += DAY_S
    assert journal.forgettable(older_than=1, targets=[]) == journal.purge(older_than=1, targets=[], limit=9) == 1
    assert ids(journal.page(Filter())) == "b"
    assert journal.page(Filter(q="postman")) == []
    assert (journal.label_names(), heat(journal)) == (["Dog"], (1, 0))


def test_what_settled_into_a_deleted_event_appears_for_itself(journal: Journal) -> None:
    hold(journal, "one", "best", "two", "gone")
    journal.settle("best", ["one", "two", "gone"], [])
    journal.delete("gone", archives=[])
    journal.delete("best", archives=[])
    assert ids(journal.page(Filter())) == ids(journal.page(Filter(label="dog"))) == "two one"
    assert heat(journal) == (2, 0)
    assert journal.related("one") == []


def test_a_part_of_an_event_can_be_deleted_alone(journal: Journal) -> None:
    hold(journal, "one", "best")
    journal.settle("best", ["one"], [])
    assert journal.delete("one", archives=[]) == Deleted("/cache/one.jpg")
    assert journal.related("best") == []
    assert ids(journal.page(Filter(label="dog"))) == "best"
    assert ids(journal.page(Filter())) == "best"


def test_a_part_of_an_event_can_be_changed_without_being_shown(journal: Journal) -> None:
    hold(journal, "one", "best")
    journal.settle("best", ["one"], [])
    changed = journal.change("one", note="blurred", correction=Correction(("Person",)))
    assert changed is not None
    assert changed.note == "blurred"
    assert journal.page(Filter(q="blurred")) == []
    assert heat(journal) == (1, 0)


def test_whatever_is_done_everything_shown_is_found_by_what_it_is(journal: Journal) -> None:
    dice = random.Random(3)
    for number in range(40):
        an_event(journal, str(number), *dice.sample(("Person", "Dog", "Cat"), 2), after=number * 300)
    for _ in range(300):
        name, labels = str(dice.randrange(40)), tuple(dice.sample(("Person", "Fox"), dice.randrange(3)))
        doings = (
            lambda name=name: journal.change(name, starred=dice.random() < 0.5),
            lambda name=name, labels=labels: journal.change(name, correction=Correction(labels)),
            lambda name=name: journal.change(name, correction=Correction(None)),
            lambda name=name: journal.change(name, note=dice.choice(("", "fox", "den"))),
            lambda name=name: dice.random() < 0.2 and journal.delete(name, archives=[]),
        )
        dice.choice(doings)()
    entries = journal.page(Filter(), limit=100)
    assert heat(journal) == (len(entries), sum(entry.has_person for entry in entries))
    assert journal.label_names() == sorted({label for entry in entries for label in entry.labels})
    for wanted in (Filter(label="Fox"), Filter(q="fox"), Filter(q="d"), Filter(person=False), Filter(starred=True)):
        assert journal.page(wanted, limit=100) == [entry for entry in entries if wanted.matches(entry)]


def delivered(journal: Journal, name: str, *labels: str) -> None:
    """An event that every target has; of these, s3 follows edits."""
    journal.followers = ["s3"]
    an_event(journal, name, *labels)
    for target in ("rabbitmq", "s3"):
        journal.delivered(name, target)


def reviews(journal: Journal, target: str = "s3") -> list[Review]:
    """With what this target is to get events now."""
    return [one.review for one in journal.pending(target, limit=9)]


def test_a_target_that_follows_edits_gets_what_was_corrected_or_taken_back(journal: Journal, clock: Clock) -> None:
    delivered(journal, "a", "Dog")
    delivered(journal, "b", "Dog")
    journal.change("a", starred=True, note="Rex")
    assert reviews(journal) == []
    clock.now += 3600
    journal.change("a", correction=Correction(("Cat",)))
    assert reviews(journal) == [Review(("Cat",))]
    assert reviews(journal, "rabbitmq") == []
    assert journal.backlog("s3").since == clock.now  # the event itself was not late
    journal.delivered("a", "s3", review=Review(("Cat",)))
    assert reviews(journal) == []
    journal.change("a", correction=Correction(None))
    assert reviews(journal) == [Review()]


def test_what_is_corrected_while_it_is_delivered_is_delivered_again(journal: Journal) -> None:
    delivered(journal, "a")
    for before, after in ((None, ("Cat",)), (("Cat",), ("Dog",))):
        journal.change("a", correction=Correction(after))
        journal.delivered("a", "s3", review=Review(before))
        assert reviews(journal) == [Review(after)]
    journal.delivered("a", "s3", review=Review(("Dog",)))
    journal.delete("a", archives=[])
    journal.delivered("a", "s3", review=Review(("Dog",)))
    assert reviews(journal) == [Review(deleted=True)]
    journal.delivered("a", "s3", review=Review(deleted=True))
    assert reviews(journal) == []


def test_what_is_not_delivered_yet_is_not_told_twice(journal: Journal, clock: Clock) -> None:
    journal.followers = ["s3"]
    an_event(journal, "a")
    journal.abandon("a", "rabbitmq", problem="gone: it is gone")
    journal.change("a", correction=Correction(("Cat",)))
    clock.now += HANDOVER_S
    assert reviews(journal) == [Review(("Cat",))]
    assert reviews(journal, "rabbitmq") == []


def seen_again(event_id: str, *labels: str) -> Inspection:
    found = Detection(tuple(Label(label, 0.8) for label in labels), int("Person" in labels))
    taken = Snapshot(event_id, "Yard Camera", "Yard", NOW, NOW, 0.25, "http", f"/cache/{event_id}.jpg", 9)
    return Inspection(taken, "rekognition", found, "person", cost_usd=0.001, detector_note="hog: gone")


def test_what_is_seen_by_looking_again_counts_for_all_that_is_asked(journal: Journal) -> None:
    an_event(journal, "a", "Dog", note="Rex")
    before = heat(journal)
    entry = journal.looked_again(seen_again("a", "Person", "Cat"))
    assert entry == journal.entry("a")
    assert entry is not None
    assert (entry.labels, entry.has_person, entry.note) == (("Person", "Cat"), True, "Rex")
    assert (entry.inspection.detector, entry.inspection.decision) == ("rekognition", "person")
    assert ids(journal.page(Filter(label="Cat"))) == ids(journal.page(Filter(person=True))) == "a"
    assert journal.page(Filter(label="Dog")) == journal.page(Filter(q="dog")) == []
    assert heat(journal) == (before[0], before[1] + 1)


def test_looking_again_adds_to_what_was_paid(journal: Journal) -> None:
    an_event(journal, "a")
    journal.looked_again(seen_again("a"))
    entry = journal.looked_again(seen_again("a"))
    assert entry is not None
    assert (entry.inspection.cost_usd, entry.inspection.detector_note) == (0.002, "hog: gone")


def test_what_people_said_stands_whatever_is_seen_later(journal: Journal) -> None:
    an_event(journal, "a", "Dog")
    journal.change("a", correction=Correction(("Cat",)), starred=True)
    entry = journal.looked_again(seen_again("a", "Person"))
    assert entry is not None
    assert (entry.labels, entry.starred, entry.has_person) == (("Cat",), True, False)
    assert ids(journal.page(Filter(label="Cat"))) == "a"
    assert journal.page(Filter(person=True)) == []
    entry = journal.change("a", correction=Correction(None))
    assert entry is not None
    assert (entry.labels, entry.has_person) == (("Person",), True)


def test_of_looking_again_only_targets_that_follow_edits_are_told(journal: Journal) -> None:
    delivered(journal, "a", "Dog")
    journal.looked_again(seen_again("a", "Person"))
    assert [one.detector for one in journal.pending("s3", limit=9)] == ["rekognition"]
    assert journal.pending("rabbitmq", limit=9) == []


def test_nothing_unknown_or_deleted_is_seen_again(journal: Journal) -> None:
    an_event(journal, "a", "Dog")
    journal.delete("a", archives=[])
    assert journal.looked_again(seen_again("a", "Person")) is None
    assert journal.looked_again(seen_again("unknown")) is None
    assert journal.page(Filter(label="Person")) == []


def test_pictures_of_a_time_are_given_out_a_part_at_a_time(journal: Journal) -> None:
    for number in range(5):
        an_event(journal, f"e{number}", camera="Yard Camera" if number % 2 else "Door Camera", after=number * 60)
    since, until = NOW + timedelta(seconds=60), NOW + timedelta(seconds=240)
    first = journal.to_look_again(since=since, until=until, limit=2)
    assert ids(first) == "e1 e2"
    assert ids(journal.to_look_again(since=since, until=until, after=first[-1].seq, limit=2)) == "e3"
    assert ids(journal.to_look_again(since=since, until=until, camera="Yard Camera", limit=9)) == "e1 e3"
    assert journal.count_to_look_again(since=since, until=until) == 3
    assert journal.count_to_look_again(since=since, until=until, camera="Door Camera") == 1
