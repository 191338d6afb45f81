"""What became of objects in buckets, and of messages that are no events."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.journal import Journal, RecordedObject, RejectedMessages
from app.journal import objects as part
from app.messages import ObjectCreated, Snapshot
from pylib.sqlite import DatabaseUnavailable
from tests.fakes.clock import Clock

AT = datetime(2026, 3, 4, 12, tzinfo=UTC)
FOUND = ObjectCreated(
    id="1" * 32,
    camera="Yard Camera",
    label="Yard",
    origin="queue",
    bucket="photos",
    key="yard/ä b+c%.jpg",
    timestamp=AT,
    etag="e1",
    sequencer="0A",
)
SNAPSHOT = Snapshot(
    FOUND.id,
    "Yard Camera",
    "Yard",
    AT,
    AT,
    0.0,
    "queue",
    bucket="photos",
    object_key=FOUND.key,
)


def test_an_object_and_its_snapshot_are_recorded_in_one_step(journal: Journal) -> None:
    journal.record_object(FOUND, snapshot=SNAPSHOT, note="parcel")
    assert journal.object_found(FOUND) == RecordedObject("e1", "0A", FOUND.id, 0)
    assert journal.find(FOUND.id) == SNAPSHOT
    assert journal.object_found(replace(FOUND, version="v2")) is None
    assert journal.object_found(replace(FOUND, origin="other")) is None


def test_an_object_without_a_snapshot_has_its_reason(journal: Journal) -> None:
    journal.record_object(FOUND, outcome="superseded")
    found = journal.object_found(FOUND)
    assert found == RecordedObject("e1", "0A", "superseded", 0)
    assert journal.find(FOUND.id) is None


def test_a_snapshot_that_cannot_be_recorded_leaves_the_object_unrecorded(journal: Journal) -> None:
    with pytest.raises(DatabaseUnavailable):
        journal.record_object(FOUND, snapshot=replace(SNAPSHOT, camera=None))  # type: ignore[arg-type]
    assert journal.object_found(FOUND) is None


def test_attempts_count_those_that_never_ended(journal: Journal) -> None:
    journal.begin_object(FOUND)
    journal.begin_object(FOUND)
    assert journal.object_found(FOUND) == RecordedObject("", "", "", 2)
    journal.end_object(FOUND)
    assert journal.object_found(FOUND) == RecordedObject("", "", "", 1)
    assert journal.known_objects("queue", "photos", [FOUND.key]) == {}
    journal.record_object(FOUND, snapshot=SNAPSHOT)
    assert journal.object_found(FOUND) == RecordedObject("e1", "0A", FOUND.id, 0)


def test_a_new_attempt_leaves_what_an_older_version_became(journal: Journal) -> None:
    journal.record_object(FOUND, snapshot=SNAPSHOT)
    journal.begin_object(replace(FOUND, sequencer="0B", etag="e2"))
    assert journal.object_found(FOUND) == RecordedObject("e1", "0A", FOUND.id, 1)


def test_objects_that_have_left_a_listed_bucket_are_forgotten(journal: Journal) -> None:
    keys = ["a.jpg", "b.jpg", "c.jpg"]
    for key in keys:
        journal.record_object(replace(FOUND, key=key, etag=key), outcome="superseded")
    journal.record_object(replace(FOUND, key="b.jpg", bucket="elsewhere"), outcome="superseded")
    assert journal.known_objects("queue", "photos", ["b.jpg", "new.jpg"]) == {"b.jpg": "b.jpg"}
    assert journal.remembered_objects("queue", "photos", after="a.jpg") == ["b.jpg", "c.jpg"]
    assert journal.remembered_objects("queue", "photos", limit=2) == ["a.jpg", "b.jpg"]
    journal.forget_objects("queue", "photos", ["b.jpg", "c.jpg"])
    assert journal.remembered_objects("queue", "photos") == ["a.jpg"]
    assert journal.remembered_objects("queue", "elsewhere") == ["b.jpg"]


def test_objects_of_queues_are_forgotten_when_their_time_is_over(journal: Journal, clock: Clock) -> None:
    journal.record_object(FOUND, outcome="superseded")
    listed, of_one_that_is_gone = replace(FOUND, origin="listing", sequencer=""), replace(FOUND, origin="queue before")
    journal.record_object(listed, outcome="superseded")
    journal.record_object(of_one_that_is_gone, outcome="superseded")
    clock.now += 100
    journal.record_object(replace(FOUND, key="new.jpg"), outcome="superseded")
    journal.forget_old_objects(["queue"], older_than=50)
    assert journal.object_found(FOUND) is None
    assert journal.object_found(replace(FOUND, key="new.jpg")) is not None
    assert journal.object_found(listed) is not None
    assert journal.object_found(of_one_that_is_gone) is None


def test_rejected_messages_are_remembered_up_to_a_number(
    journal: Journal, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "MOST_REJECTED", 2)
    assert journal.rejected_messages("queue") == RejectedMessages(0, "")
    for number in range(3):
        clock.now += 1
        assert journal.reject_message("queue", str(number), f"not_an_event: {number}")
        assert not journal.reject_message("queue", str(number), f"not_an_event: {number}")
    journal.reject_message("other", "9", "not_an_event: other")
    assert journal.rejected_messages("queue") == RejectedMessages(2, "not_an_event: 2")


def test_snapshots_have_an_order_whatever_their_times(journal: Journal) -> None:
    later = replace(FOUND, id="2" * 32, sequencer="0B")
    journal.record_object(FOUND, snapshot=SNAPSHOT)
    journal.record_object(later, snapshot=replace(SNAPSHOT, id=later.id, timestamp=AT.replace(year=2020)))
    assert 0 < journal.order_of(FOUND.id) < journal.order_of(later.id)
    assert journal.order_of("3" * 32) == 0
