"""Telling a redelivery from a new trigger that looks the same, over months."""

from __future__ import annotations

import pytest

from app.journal import Journal
from app.messages import Snapshot
from app.pipeline.redelivery import LEFTOVERS_S, Redeliveries
from tests.fakes.clock import Clock
from tests.fakes.triggers import a_trigger


@pytest.fixture
def repeats(journal: Journal, clock: Clock) -> Redeliveries:
    return Redeliveries(journal, "rabbitmq", clock=clock)


def record(journal: Journal, snapshot_id: str, key: str) -> None:
    trigger = a_trigger(snapshot_id)
    snapshot = Snapshot(
        id=snapshot_id,
        camera=trigger.camera,
        label=trigger.label,
        timestamp=trigger.timestamp,
        taken_at=trigger.timestamp,
        delay_s=0.0,
        origin="rabbitmq",
    )
    journal.record(snapshot, trigger_key=key)


def test_a_body_left_over_from_an_earlier_connection_is_forgotten_in_time(
    journal: Journal, repeats: Redeliveries, clock: Clock
) -> None:
    record(journal, "t1", "sha:1")  # acknowledged, but nobody lived to note it
    clock.now += 1
    repeats.settled(["1:1"])
    clock.now += LEFTOVERS_S
    repeats.settled(["1:2"])
    assert not repeats.seen(a_trigger("t2", key="sha:1", receipt="1:3", redelivered=True))


def test_until_then_it_answers_for_a_redelivery(journal: Journal, repeats: Redeliveries, clock: Clock) -> None:
    record(journal, "t1", "sha:1")
    repeats.settled(["1:1"])
    clock.now += LEFTOVERS_S - 1
    repeats.settled(["1:2"])
    assert repeats.seen(a_trigger("t2", key="sha:1", receipt="1:3", redelivered=True))


def test_a_redelivery_that_was_recognised_is_let_go_with_its_acknowledgement(
    journal: Journal, repeats: Redeliveries
) -> None:
    record(journal, "t1", "sha:1")
    assert repeats.seen(a_trigger("t2", key="sha:1", receipt="2:1", redelivered=True))
    repeats.settled(["2:1"])
    assert journal.recorded("sha:1") == []


def test_what_this_connection_brought_is_no_leftover(journal: Journal, repeats: Redeliveries, clock: Clock) -> None:
    repeats.settled(["1:1"])
    clock.now += LEFTOVERS_S
    record(journal, "t1", "sha:1")
    repeats.settled(["1:2"])
    assert repeats.seen(a_trigger("t2", key="sha:1", receipt="1:3", redelivered=True))


def test_each_connection_waits_anew(journal: Journal, repeats: Redeliveries, clock: Clock) -> None:
    record(journal, "t1", "sha:1")
    repeats.settled(["1:1"])
    clock.now += LEFTOVERS_S
    repeats.settled(["2:1"])
    assert repeats.seen(a_trigger("t2", key="sha:1", receipt="2:2", redelivered=True))


def test_a_message_id_is_never_forgotten(journal: Journal, repeats: Redeliveries, clock: Clock) -> None:
    record(journal, "t1", "id:42")
    repeats.recorded(a_trigger("t1", key="id:42", receipt="1:1"))
    clock.now += 1
    repeats.settled(["1:1"])
    clock.now += 100 * LEFTOVERS_S
    repeats.settled(["1:2"])
    assert repeats.seen(a_trigger("t1", key="id:42", receipt="1:3", redelivered=True))


def test_a_receipt_ends_with_its_connection(journal: Journal, repeats: Redeliveries) -> None:
    record(journal, "t1", "sha:1")
    repeats.recorded(a_trigger("t1", key="sha:1", receipt="1:1"))
    repeats.settled(["2:1"])
    repeats.settled(["1:1"])
    assert repeats.seen(a_trigger("t2", key="sha:1", receipt="2:2", redelivered=True))
