"""Triggers on their way to the queue of their camera's shard."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app import wire
from app.journal import Journal
from app.messages import Burst, Trigger
from app.replicas import forward as forward_module
from app.replicas.forward import EVENT, ORIGIN, WAITED, Forward, Front, shard_decoder
from app.replicas.names import GroupNames
from app.sources.rabbitmq import decoder
from pylib.errors import Failure, Permanent, Transient
from pylib.rabbitmq.delivery import Delivery
from pylib.settings.credentials import Secret
from tests.fakes.triggers import a_trigger

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
NAMES = GroupNames("app", "home", 16)
YARD = "Yard Camera"
BODY = wire.trigger_body("yard", "Yard", timestamp=NOW)
DECODE = decoder([YARD])


class Shards:
    """The queues, in place of the broker."""

    def __init__(self) -> None:
        self.messages: list[Delivery] = []
        self.queues: list[str] = []
        self.failure: Failure | None = None

    def publish(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        *,
        message_id: str,
        headers: Any,
        **_: Any,
    ) -> None:
        assert exchange == ""
        if self.failure is not None:
            raise self.failure
        self.queues.append(routing_key)
        self.messages.append(Delivery(body, message_id, "application/msgpack", headers))

    def take(self, front: Front, delivery: Delivery) -> None:
        """What the group does with a message of the front."""
        placed = front.place(delivery)
        self.queues.append(placed.queue)
        self.messages.append(Delivery(placed.body, placed.message_id, placed.content_type, placed.headers))

    def triggers(self) -> list[Trigger]:
        return [shard_decoder(DECODE)(one) for one in self.messages]


@pytest.fixture
def shards() -> Shards:
    return Shards()


@pytest.fixture
def front() -> Front:
    return Front(NAMES, decode=DECODE, now=NOW.timestamp)


def test_what_a_sensor_sends_comes_as_it_was_into_the_shard_of_its_camera(front: Front, shards: Shards) -> None:
    shards.take(front, Delivery(BODY, "m1", "application/msgpack", {"traceparent": "t"}))
    assert shards.messages == [Delivery(BODY, "m1", "application/msgpack", {"traceparent": "t"})]
    assert shards.queues == [NAMES.queue_of(YARD)]  # though it calls the camera by another name
    (trigger,) = shards.triggers()
    assert (trigger.camera, trigger.origin, trigger.queued) == (YARD, "rabbitmq", False)
    assert trigger.id == wire.event_id_of("m1")


def test_what_had_waited_is_known_to_have_in_its_shard(front: Front, shards: Shards) -> None:
    shards.take(front, Delivery(BODY, "m1", queued=True))
    assert [one.queued for one in shards.triggers()] == [True]


def test_headers_of_ours_and_of_the_broker_are_not_taken_from_a_sensor(front: Front, shards: Shards) -> None:
    shards.take(
        front, Delivery(BODY, "m1", headers={EVENT: "f" * 32, ORIGIN: "http", WAITED: True, "x-delivery-count": 9})
    )
    assert shards.messages[0].headers == {}


def test_what_nobody_understands_is_for_the_dead_letters(front: Front, shards: Shards) -> None:
    for body in (b"nonsense", wire.trigger_body("attic", "Attic", timestamp=NOW)):
        with pytest.raises(Permanent):
            shards.take(front, Delivery(body, "m1"))
    assert shards.messages == []


def test_one_without_an_id_gets_the_same_one_when_it_comes_again_to_whichever_replica(shards: Shards) -> None:
    for redelivered in (False, True):
        front = Front(NAMES, decode=DECODE, now=NOW.timestamp)
        shards.take(front, Delivery(BODY, redelivered=redelivered))
    first, again = shards.triggers()
    assert (first.id, first.key) == (again.id, again.key)


def test_two_that_say_the_same_are_two_and_so_are_those_of_a_clock_that_stands(front: Front, shards: Shards) -> None:
    shards.take(front, Delivery(BODY))
    shards.take(front, Delivery(BODY))
    stopped = wire.trigger_body("yard", "Yard", timestamp=datetime(1970, 1, 1, tzinfo=UTC))
    for _ in range(2):
        shards.take(Front(NAMES, decode=DECODE, now=NOW.timestamp), Delivery(stopped))
    assert len({one.id for one in shards.triggers()}) == 4


def test_a_trigger_of_another_source_keeps_all_that_it_says(shards: Shards, journal: Journal) -> None:
    trigger = a_trigger(
        "a" * 32,
        origin="http",
        receipt="",
        timestamp=NOW,
        active_input={"number": 7},
        device_params=Secret("user:pass@192.168.1.2:80"),
        burst=Burst(3, pace=1.0, look="sharpest"),
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    done: list[Trigger] = []
    journal.accept(trigger)
    forward = Forward(shards.publish, NAMES, journal=journal, acknowledge=done.append)
    assert list(forward.handle(trigger)) == []
    (there,) = shards.triggers()
    assert replace(there, arrived=trigger.arrived, key="") == trigger
    assert there.key == f"id:{trigger.id}"
    assert (done, journal.accepted(older_than=0)) == ([trigger], [])


@pytest.mark.parametrize(
    "failure", [Transient("broker_away", "gone"), Permanent("access_refused", "no right yet")], ids=lambda one: one.code
)
def test_one_that_cannot_be_passed_on_stays_in_the_record_and_with_its_source(
    shards: Shards, journal: Journal, failure: Failure
) -> None:
    trigger, done = a_trigger("a" * 32), list[Trigger]()
    journal.accept(trigger)
    shards.failure = failure
    forward = Forward(shards.publish, NAMES, journal=journal, acknowledge=done.append)
    with pytest.raises(Transient):
        forward.handle(trigger)
    assert done == []
    assert [one.id for one in journal.accepted(older_than=0)] == [trigger.id]


def test_what_its_broker_delivers_again_is_the_same_event(shards: Shards, journal: Journal) -> None:
    forward = Forward(shards.publish, NAMES, journal=journal, acknowledge=lambda _: None)
    first = a_trigger("a" * 32, key="sha:1", receipt="1:1")
    forward.handle(first)
    forward.handle(replace(first, id="b" * 32, redelivered=True))
    forward.handle(replace(first, id="c" * 32))  # says the same, and is another
    assert [one.id[0] for one in shards.triggers()] == ["a", "a", "c"]


def test_of_a_house_s_triggers_the_last_are_known_again_and_no_more_kept(
    shards: Shards, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forward_module, "REMEMBERED", 2)
    forward = Forward(shards.publish, NAMES, journal=journal, acknowledge=lambda _: None)
    for number in range(3):
        forward.handle(a_trigger(f"{number}" * 32, key=f"sha:{number}", receipt="1:1"))
    for number in range(1, 4):
        forward.handle(a_trigger("f" * 32, key=f"sha:{number % 3}", receipt="1:1", redelivered=True))
    assert [one.id[0] for one in shards.triggers()] == ["0", "1", "2", "1", "2", "f"]


@pytest.mark.parametrize("header", ["", "A" * 32, "a" * 33, 7])
def test_an_id_in_a_shard_that_is_none_of_ours_is_passed_over(header: object) -> None:
    trigger = shard_decoder(DECODE)(Delivery(BODY, "m1", headers={EVENT: header, ORIGIN: 7}))
    assert (trigger.id, trigger.origin) == (wire.event_id_of("m1"), "rabbitmq")
