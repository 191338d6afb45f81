"""The journal: what was accepted, what became of it, and who must still be told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.journal import HANDOVER_S, Backoff, Journal, TargetBacklog
from app.messages import Box, Detection, Inspection, Label, Snapshot, Trigger
from pylib import sqlite
from tests.fakes.clock import Clock
from tests.fakes.decisions import told_to
from tests.fakes.journal import opened

NOW = datetime(2026, 3, 4, 5, 6, 7, 890123, UTC)
TRIGGER = Trigger(
    "t1", "Yard Camera", "Yard", NOW, 1.0, "http", active_input={"device_key": "Beam", "n": [1, {"a": None}]}
)
SNAPSHOT = Snapshot(
    "s1",
    "Yard Camera",
    "Yard",
    NOW,
    NOW,
    0.25,
    "rabbitmq",
    "/cache/1.jpg",
    10,
    4,
    3,
    traceparent="00-1",
    baggage="a=b",
)
SEEN = Inspection(
    SNAPSHOT,
    "hog",
    Detection((Label("Person", 0.9, (Box(0.1, 0.2, 0.3, 0.4), Box(0.5, 0.2, 0.3, 0.4))), Label("Dog", 0.5)), 2),
    "person",
)


def test_a_snapshot_comes_back_as_it_was_recorded(journal: Journal) -> None:
    journal.record(SNAPSHOT)
    assert journal.find("s1") == SNAPSHOT
    journal.inspect(told_to(SEEN, ["rabbitmq"]))
    assert journal.find("s1") == SEEN
    assert journal.find("s2") is None


def test_a_second_outcome_under_the_same_id_is_not_taken(journal: Journal) -> None:
    journal.record(SNAPSHOT)
    journal.record(replace(SNAPSHOT, problem="timeout: too late"))
    assert journal.find("s1") == SNAPSHOT
    journal.inspect(told_to(SEEN, ["rabbitmq"]))
    journal.inspect(told_to(replace(SEEN, detector="other"), ["rabbitmq", "more"]))
    assert journal.find("s1") == SEEN
    assert journal.backlog("more").count == 0


def test_an_accepted_trigger_is_owed_until_its_outcome_is_recorded(journal: Journal, clock: Clock) -> None:
    journal.accept(TRIGGER)
    assert journal.find("t1") is None
    assert journal.accepted() == []
    clock.now += HANDOVER_S
    (again,) = journal.accepted()
    assert (again.id, again.camera, again.timestamp, again.active_input) == (
        TRIGGER.id,
        TRIGGER.camera,
        TRIGGER.timestamp,
        TRIGGER.active_input,
    )
    assert again.queued
    journal.record(replace(SNAPSHOT, id="t1", origin="http"))
    assert journal.accepted() == []
    assert isinstance(journal.find("t1"), Snapshot)


def test_what_was_left_by_the_last_run_comes_oldest_first(journal: Journal, clock: Clock) -> None:
    for number in ("2", "1", "3"):
        journal.accept(replace(TRIGGER, id=f"t{number}"))
        journal.record(replace(SNAPSHOT, id=f"s{number}"))
        clock.now += 1
    assert [trigger.id for trigger in journal.accepted(older_than=0)] == ["t2", "t1", "t3"]
    assert [snapshot.id for snapshot in journal.uninspected(older_than=0)] == ["s2", "s1", "s3"]
    assert journal.with_picture(["t1", "s1", "unknown"]) == {"t1", "s1"}


def test_a_snapshot_nobody_looked_at_is_named_after_the_handover(journal: Journal, clock: Clock) -> None:
    journal.record(SNAPSHOT)
    assert journal.uninspected() == []
    assert journal.uninspected(older_than=0) == [SNAPSHOT]
    clock.now += HANDOVER_S
    assert journal.uninspected() == [SNAPSHOT]
    journal.inspect(SEEN)
    assert journal.uninspected() == []


def test_a_kill_right_after_the_confirm_leaves_the_delivery_pending(
    journal: Journal, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pylib.sqlite.GATHER_S", 30.0)
    journal.record(SNAPSHOT)
    journal.inspect(told_to(SEEN, ["rabbitmq"]))
    journal.delivered("s1", "rabbitmq")
    clock.now += HANDOVER_S
    sqlite.copy(journal.database.path, tmp_path / "left.db")
    with opened(tmp_path / "left.db", clock=clock) as left:
        assert left.pending("rabbitmq", limit=10) == [SEEN]  # delivered once more, under the same id
    assert journal.pending("rabbitmq", limit=10) == []  # without the kill: whoever asks sees it
    sqlite.copy(journal.database.path, tmp_path / "kept.db")
    with opened(tmp_path / "kept.db", clock=clock) as kept:
        assert kept.pending("rabbitmq", limit=10) == []


def test_what_is_owed_is_owed_until_it_is_delivered(journal: Journal, clock: Clock) -> None:
    journal.record(SNAPSHOT)
    journal.inspect(told_to(SEEN, ["rabbitmq", "webhook"]))
    assert journal.pending("rabbitmq", limit=10) == []
    clock.now += HANDOVER_S
    assert journal.pending("rabbitmq", limit=10) == [SEEN]
    assert journal.backlog("rabbitmq").count == 1
    assert journal.backlog("rabbitmq").since == clock.now - HANDOVER_S
    journal.delivered("s1", "rabbitmq")
    assert journal.pending("rabbitmq", limit=10) == []
    assert journal.pending("webhook", limit=10) == [SEEN]
    assert journal.backlog("rabbitmq").count == 0
    journal.abandon("s1", "rabbitmq", problem="too_large: 20 MB")  # late: it was delivered
    assert journal.has_delivered("rabbitmq")


def test_attempts_are_spaced_further_and_further_apart_up_to_the_limit(journal: Journal, clock: Clock) -> None:
    journal.record(SNAPSHOT)
    journal.inspect(told_to(SEEN, ["rabbitmq"]))
    pauses = []
    for _ in range(8):
        journal.postpone("s1", "rabbitmq", problem="broker_away: refused", backoff=Backoff(1, 20))
        began = clock.now
        while not journal.pending("rabbitmq", limit=1):
            clock.now += 0.1
        pauses.append(clock.now - began)
    for pause, expected in zip(pauses, [1, 2, 4, 8, 16, 20, 20, 20], strict=True):
        assert 0.79 * expected <= pause <= 1.21 * expected + 0.11


def test_a_target_that_is_back_gets_everything_at_once(journal: Journal) -> None:
    journal.record(SNAPSHOT)
    journal.inspect(told_to(SEEN, ["rabbitmq", "webhook"]))
    for target in ("rabbitmq", "webhook"):
        journal.postpone("s1", target, problem="broker_away: refused", backoff=Backoff(100, 100))
        assert journal.pending(target, limit=1) == []
    journal.retry_now("rabbitmq")
    assert journal.pending("rabbitmq", limit=1) == [SEEN]
    assert journal.pending("webhook", limit=1) == []


def test_a_target_that_is_back_is_tried_as_patiently_as_at_first(journal: Journal, clock: Clock) -> None:
    journal.record(SNAPSHOT)
    journal.inspect(told_to(SEEN, ["rabbitmq"]))
    for _ in range(8):
        journal.postpone("s1", "rabbitmq", problem="broker_away: refused", backoff=Backoff(1, 60))
    journal.retry_now("rabbitmq")
    journal.postpone("s1", "rabbitmq", problem="nobody_listens: not yet", backoff=Backoff(1, 60))
    clock.now += 2
    assert journal.pending("rabbitmq", limit=1) == [SEEN]


def test_a_delivery_can_be_given_up_at_once_or_after_a_time(journal: Journal, clock: Clock) -> None:
    journal.record(SNAPSHOT)
    journal.inspect(told_to(SEEN, ["rabbitmq", "webhook"]))
    journal.abandon("s1", "webhook", problem="too_large: 20 MB")
    assert journal.backlog("webhook") == TargetBacklog(0, None, given_up=1, problem="too_large: 20 MB")
    journal.postpone("s1", "rabbitmq", problem="nobody_listens", backoff=Backoff(), abandon_after=60)
    assert journal.backlog("rabbitmq").count == 1
    clock.now += 61
    journal.postpone("s1", "rabbitmq", problem="nobody_listens", backoff=Backoff(), abandon_after=60)
    assert journal.backlog("rabbitmq").count == 0


def test_what_is_owed_comes_oldest_first_or_newest_first(journal: Journal, clock: Clock) -> None:
    for number in range(5):
        snapshot = replace(SNAPSHOT, id=str(number))
        journal.record(snapshot)
        journal.inspect(told_to(Inspection(snapshot), ["drive"]))
    clock.now += HANDOVER_S
    assert [i.id for i in journal.pending("drive", limit=3)] == ["0", "1", "2"]
    assert [i.id for i in journal.pending("drive", limit=2, newest_first=True)] == ["4", "3"]


def test_keys_are_kept_until_they_are_let_go(journal: Journal) -> None:
    journal.record(SNAPSHOT, trigger_key="sha:1")
    journal.record(replace(SNAPSHOT, id="s2"), trigger_key="sha:1")
    journal.record(replace(SNAPSHOT, id="s3"))
    assert journal.recorded("sha:1") == ["s1", "s2"]
    journal.forget_keys(["s1"])
    assert journal.recorded("sha:1") == ["s2"]


def test_a_restart_finds_everything_and_tries_what_is_owed_at_once(tmp_path: Path, clock: Clock) -> None:
    first = Journal(tmp_path / "journal.db", clock=clock)
    first.open()
    first.database.start()
    first.record(SNAPSHOT)
    first.inspect(told_to(SEEN, ["rabbitmq"]))
    first.postpone("s1", "rabbitmq", problem="broker_away: refused", backoff=Backoff(1000, 1000))
    first.accept(TRIGGER)
    first.database.stop()
    assert first.database.join(60)

    second = Journal(tmp_path / "journal.db", clock=clock)
    second.open()
    second.database.start()
    assert second.pending("rabbitmq", limit=10) == [SEEN]
    assert [trigger.id for trigger in second.accepted(older_than=0)] == ["t1"]
    second.database.stop()
    assert second.database.join(60)


def test_detections_are_counted_per_detector_since_a_moment(journal: Journal, clock: Clock) -> None:
    for number in range(3):
        snapshot = replace(SNAPSHOT, id=str(number))
        journal.record(snapshot)
        journal.inspect(Inspection(snapshot, detector="rekognition"))
        clock.now += 100
    since = datetime.fromtimestamp(1_000_050, UTC)
    assert journal.detections_since("rekognition", since) == 2
    assert journal.detections_since("hog", since) == 0
