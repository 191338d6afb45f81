"""The journal's account of archives: who is owed the pictures of one event, and databases of earlier releases."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from app.journal import ArchiveStats, Backoff, Journal
from app.journal.schema import SCHEMA
from app.messages import Inspection, Snapshot
from tests.fakes.archives import a_picture, event_id, recorded
from tests.fakes.clock import Clock
from tests.fakes.decisions import told
from tests.fakes.journal import opened

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def test_all_pictures_of_a_group_are_archived_and_one_is_told(journal: Journal) -> None:
    for name in ("a", "b", "c"):
        snapshot = Snapshot(name, "Yard Camera", "Yard", NOW, NOW, 0.1, "ftp", f"/cache/{name}.jpg", 9)
        journal.record(snapshot)
        journal.hold(Inspection(snapshot))
    journal.settle("b", ["a", "c"], told(["rabbitmq", "s3"]), archives=["s3"])
    assert journal.backlog("rabbitmq").count == 1
    assert journal.backlog("s3").count == 3


def test_a_group_that_was_settled_stays_as_it_is(journal: Journal) -> None:
    for name in ("a", "b"):
        snapshot = Snapshot(name, "Yard Camera", "Yard", NOW, NOW, 0.1, "ftp", f"/cache/{name}.jpg", 9)
        journal.record(snapshot)
        journal.hold(Inspection(snapshot))
    for best, other in (("a", "b"), ("a", "b"), ("b", "a")):
        journal.settle(best, [other], told(["rabbitmq"]))
    assert journal.related("b") == ["a"]
    assert journal.backlog("rabbitmq").count == 1


def test_what_an_archive_confirmed_is_told_page_by_page_up_to_a_moment(journal: Journal, clock: Clock) -> None:
    for number in range(4):
        recorded(journal, a_picture(None, number), "s3")
        journal.delivered(event_id(number), "s3", md5="d41d8")
        clock.now += 10
    before = datetime.fromtimestamp(clock.now - 15, UTC)
    first = journal.archived_pictures("s3", before=before, limit=2)
    rest = journal.archived_pictures("s3", before=before, after=first[-1].seq, limit=2)
    assert [[one.id for one in page] for page in (first, rest)] == [[event_id(0), event_id(1)], [event_id(2)]]
    assert [one.id for one in journal.archived_among("s3", [event_id(3), event_id(9)])] == [event_id(3)]


def test_an_archive_is_owed_only_pictures_that_are_there_and_were_looked_at(journal: Journal) -> None:
    for number in (1, 2, 3):
        recorded(journal, a_picture(None, number), "s3")
    journal.record(a_picture(None, 4).snapshot)
    recorded(journal, a_picture(None, 5, problem="timeout: too late"))
    journal.abandon(event_id(1), "s3", problem="too_large: no")
    journal.delivered(event_id(2), "s3")
    gone = journal.pictures(targets=[], archives=[], limit=2)
    journal.evict(gone, targets=[], archives=[])
    assert journal.enqueue_rest("s3") == 0
    assert journal.enqueue_again("s3", [event_id(1), event_id(2), event_id(3)]) == 0
    journal.delivered(event_id(3), "s3")
    assert journal.enqueue_again("s3", [event_id(3)]) == 1
    assert journal.backlog("s3").count == 1


def test_what_an_archive_is_owed_again_is_tried_as_if_it_were_new(journal: Journal, clock: Clock) -> None:
    recorded(journal, a_picture(None, 1), "s3")
    for _ in range(8):
        journal.postpone(event_id(1), "s3", problem="unreachable: no connection", backoff=Backoff(1, 60))
    journal.delivered(event_id(1), "s3")
    journal.enqueue_again("s3", [event_id(1)])
    assert journal.archive_stats("s3").problem == ""
    journal.postpone(event_id(1), "s3", problem="unreachable: no connection", backoff=Backoff(1, 60))
    clock.now += 2
    assert len(journal.pending("s3", limit=1)) == 1


def test_how_an_archive_stands_is_of_its_pictures_and_of_no_other_target(journal: Journal, clock: Clock) -> None:
    began = clock.now
    for number in (1, 2):
        recorded(journal, a_picture(None, number), "s3", "folder")
        clock.now += 10
    recorded(journal, a_picture(None, 3, problem="timeout: too late"), "s3")
    assert not journal.has_delivered("s3")
    journal.delivered(event_id(3), "s3")
    assert journal.has_delivered("s3")
    assert not journal.has_delivered("folder")
    journal.postpone(event_id(1), "folder", problem="full: no space", backoff=Backoff())
    assert journal.archive_stats("s3") == ArchiveStats(
        done=0, pending=2, since=began, given_up=0, without=0, problem=""
    )
    assert journal.archive_stats("folder").problem == "full: no space"
    assert journal.archive_stats("new").without == 2


def test_a_journal_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    db = sqlite3.connect(path)
    db.executescript(f"{SCHEMA[0]}; PRAGMA user_version = 1;")
    db.execute(
        "INSERT INTO snapshots (id, state, camera, label, origin, recorded_at, triggered_at, taken_at, delay_s, path) "
        "VALUES ('a', 'inspected', 'Yard Camera', 'Yard', 'http', 1, 1, 1, 0, '/cache/a.jpg')"
    )
    db.commit()
    db.close()
    with opened(path) as journal:
        (picture,) = journal.pictures(targets=["rabbitmq"], archives=[], limit=9)
    assert (picture.id, picture.starred, picture.needed) == ("a", False, False)
