"""Consuming from a real RabbitMQ."""

from __future__ import annotations

import json
import shlex
import threading
import time
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from pylib.errors import Permanent
from pylib.rabbitmq.broker import Broker as Address
from pylib.rabbitmq.broker import limited
from pylib.rabbitmq.delivery import Delivery
from pylib.rabbitmq.topology import lift_limit
from pylib.settings.credentials import Secret
from tests.broker import Broker
from tests.integration.rabbit import KEY, Taken, eventually, listening, plain, subscription


def send(broker: Broker, name: str, *bodies: str, **properties: object) -> None:
    broker.publish(f"{name}_control", KEY, *(body.encode() for body in bodies), **properties)


@pytest.mark.parametrize("queue_type", ["quorum", "classic"])
def test_a_message_is_kept_until_it_is_acknowledged(broker: Broker, name: str, queue_type: str) -> None:
    wanted = subscription(name, queue_type=queue_type)
    with listening(broker.address, wanted) as first:
        send(broker, name, "one", "two", "three", message_id="m")
        one, two, three = first.take(3)
        assert [one.body, two.body, three.body] == ["one", "two", "three"]
        assert one.message_id == "m"
        assert not one.redelivered
        first.done(three, one)  # out of order, and not all
        first.end()
    with listening(broker.address, wanted) as second:
        (again,) = second.take()
        assert (again.body, again.redelivered, again.queued) == ("two", True, True)
        second.done(again)
        second.end()
    assert broker.waiting(name) == 0


def test_a_malformed_message_becomes_a_dead_letter_and_one_warning(broker: Broker, name: str) -> None:
    def decode(delivery: Delivery) -> Taken:
        if delivery.body == b"bad":
            raise Permanent("not_a_map", "the message must be a map")
        if delivery.body == b"worse":
            raise ZeroDivisionError
        return plain(delivery)

    with listening(broker.address, subscription(name), decode=decode) as sink, capture_logs() as logs:
        send(broker, name, "bad", "worse", "x" * 2_000_000, "good")
        assert [one.body for one in sink.take()] == ["good"]
        dead = [body for _, body in broker.take(f"{name}.dead", 3)]
    assert [len(body) for body in dead] == [3, 5, 2_000_000]
    assert [failure.code for failure in sink.malformed] == ["not_a_map", "internal_error", "too_large"]
    warnings = [entry["reason"] for entry in logs if entry["log_level"] == "warning"]
    assert warnings == [
        "not_a_map: the message must be a map",
        "too_large: a body of 2000000 bytes, more than 1048576",
    ]


def test_no_more_than_the_prefetch_is_under_way(broker: Broker, name: str) -> None:
    with listening(broker.address, subscription(name), prefetch=4) as sink:
        send(broker, name, *(str(n) for n in range(10)))
        first = sink.take(4)
        assert sink.take(timeout=0.6) == []
        assert [one.body for one in first] == ["0", "1", "2", "3"]
        sink.done(*first[:2])
        assert [one.body for one in sink.take(2)] == ["4", "5"]
        assert sink.take(timeout=0.6) == []


def test_what_waited_before_the_start_is_told_from_what_comes_fresh(broker: Broker, name: str) -> None:
    wanted = subscription(name)
    with listening(broker.address, wanted):
        pass
    send(broker, name, "old 1", "old 2")
    with listening(broker.address, wanted) as sink:
        old = sink.take(2)
        send(broker, name, "new")
        (new,) = sink.take()
    assert [(one.queued, one.redelivered) for one in old] == [(True, False)] * 2
    assert not new.queued


def test_what_waits_behind_a_full_window_counts_as_queued(broker: Broker, name: str) -> None:
    with listening(broker.address, subscription(name), prefetch=2) as sink:
        send(broker, name, "1", "2", "3", "4")
        eventually(lambda: broker.waiting(name) == 2)
        fresh = sink.take(2)
        sink.done(*fresh)
        waited = sink.take(2)
        sink.done(*waited)
        eventually(lambda: len(sink.settled) == 4)
        send(broker, name, "5")
        (caught_up,) = sink.take()
    assert [one.queued for one in (*fresh, *waited, caught_up)] == [False, False, True, True, False]


def test_a_purged_backlog_is_forgotten(broker: Broker, name: str) -> None:
    wanted = subscription(name)
    with listening(broker.address, wanted):
        pass
    send(broker, name, "1", "2", "3")
    with listening(broker.address, wanted, prefetch=1) as sink:
        (first,) = sink.take()
        with broker.channel() as channel:
            channel.queue_purge(name)
        sink.done(first)
        time.sleep(2.5)  # it asks the queue again when nothing has come for a second
        send(broker, name, "4")
        (fresh,) = sink.take()
    assert not fresh.queued


def test_settled_receipts_are_reported_once(broker: Broker, name: str) -> None:
    with listening(broker.address, subscription(name)) as sink:
        send(broker, name, "1", "2")
        one, two = sink.take(2)
        sink.done(two)
        eventually(lambda: sink.settled)
        assert sink.settled == [two.receipt]
        sink.done(one)
        eventually(lambda: len(sink.settled) > 1)
        assert sink.settled == [two.receipt, one.receipt]


def test_a_paused_listener_takes_nothing_more_and_goes_on_acknowledging(broker: Broker, name: str) -> None:
    with listening(broker.address, subscription(name)) as sink:
        send(broker, name, "before")
        (before,) = sink.take()
        sink.listener.pause()
        cancelled = threading.Event()
        sink.listener._call(cancelled.set)  # done in its thread, after what `pause` asked for
        assert cancelled.wait(60)
        send(broker, name, "after")
        assert sink.take(timeout=0.5) == []
        sink.done(before)
        eventually(lambda: sink.settled == [before.receipt])
        sink.end()
    assert [body for _, body in broker.take(name)] == [b"after"]


@pytest.mark.parametrize("queue_type", ["quorum", "classic"])
@pytest.mark.long
def test_what_was_made_is_durable_bounded_and_loses_no_dead_letter(
    own_broker: Broker, name: str, queue_type: str
) -> None:
    with listening(own_broker.address, subscription(name, queue_type=queue_type)):
        pass
    asked = ("list_queues", "--formatter", "json", "name", "durable", "arguments")
    queues = {queue["name"]: queue for queue in json.loads(own_broker.ctl(*asked))}
    made, dead = (
        {argument: value for argument, _, value in queues[queue]["arguments"]} for queue in (name, f"{name}.dead")
    )
    assert queues[name]["durable"]
    assert queues[f"{name}.dead"]["durable"]
    limit = {"x-delivery-limit": 1_000_000} if queue_type == "quorum" else {}
    assert dead == {"x-queue-type": queue_type, "x-max-length": 10_000, "x-max-length-bytes": 268_435_456, **limit}
    safe = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"} if queue_type == "quorum" else {}
    assert made == {"x-queue-type": queue_type, "x-dead-letter-exchange": f"{name}.dead", **safe, **limit}
    lines = own_broker.ctl("list_exchanges", "name", "type", "durable").splitlines()
    assert f"{name}.dead\tfanout\ttrue" in lines
    assert f"{name}_control\tdirect\tfalse" in lines


def test_queues_that_an_earlier_release_made_are_used_as_they_are(broker: Broker, name: str) -> None:
    safe = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
    with broker.channel() as channel:
        bounds = {"x-max-length": 10_000, "x-max-length-bytes": 268_435_456}
        channel.queue_declare(f"{name}.dead", durable=True, arguments={"x-queue-type": "quorum", **bounds})
        own = {"x-queue-type": "quorum", "x-dead-letter-exchange": f"{name}.dead", **safe}
        channel.queue_declare(name, durable=True, arguments=own)
    with listening(broker.address, subscription(name)) as sink:
        send(broker, name, "hello")
        assert [one.body for one in sink.take()] == ["hello"]


@pytest.mark.long
def test_the_command_that_lifts_the_limit_of_such_queues_is_one_that_the_broker_takes(
    own_broker: Broker, name: str
) -> None:
    with own_broker.channel() as channel:
        for queue in (name, f"{name}.dead", f"{name}.deader"):
            channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
    _, *arguments = shlex.split(lift_limit(subscription(name), vhost="/"))
    own_broker.ctl(*arguments)
    policies = dict(line.split("\t") for line in own_broker.ctl("list_queues", "name", "policy").splitlines()[1:])
    assert {queue for queue, policy in policies.items() if policy == f"{name}-deliveries"} == {name, f"{name}.dead"}


def test_the_exchange_is_made_non_durable_like_its_peers_make_it(broker: Broker, name: str) -> None:
    with listening(broker.address, subscription(name)), broker.channel() as channel:
        channel.exchange_declare(f"{name}_control", "direct", durable=False)


def test_the_exchange_is_made_durable_when_so_configured(broker: Broker, name: str) -> None:
    with listening(broker.address, subscription(name, durable=True)), broker.channel() as channel:
        channel.exchange_declare(f"{name}_control", "direct", durable=True)


@pytest.mark.parametrize("durable", [False, True])
def test_an_exchange_that_a_peer_made_is_taken_as_it_is(broker: Broker, name: str, durable: bool) -> None:
    with broker.channel() as channel:
        channel.exchange_declare(f"{name}_control", "direct", durable=durable)
    with listening(broker.address, subscription(name, durable=not durable)) as sink:
        send(broker, name, "hello")
        assert [one.body for one in sink.take()] == ["hello"]


def test_a_queue_that_differs_is_named_once_with_the_argument(broker: Broker, name: str) -> None:
    with listening(broker.address, subscription(name, queue_type="classic")):
        pass
    with capture_logs() as logs, listening(broker.address, subscription(name), wait=False) as sink:
        eventually(lambda: logs)
        assert not sink.listener.connected
        sink.listener.join(1.2)  # time enough for more attempts, if it made any
    assert [(entry["log_level"], entry["reason"]) for entry in logs] == [
        (
            "error",
            f"precondition_failed: queue '{name}.dead' exists with x-queue-type 'classic', not 'quorum': "
            "delete it or change the setting",
        )
    ]


def test_a_wrong_password_is_reported_once_and_not_shown(broker: Broker, name: str) -> None:
    address = replace(broker.address, password=Secret("not-the-one"))
    with capture_logs() as logs, listening(address, subscription(name), wait=False) as sink:
        eventually(lambda: logs)
        sink.listener.join(1.2)
    assert [entry["reason"] for entry in logs] == ["access_refused: the broker refuses this user name or password"]
    assert "not-the-one" not in str(logs)


def test_a_deleted_queue_is_made_again(broker: Broker, name: str) -> None:
    with listening(broker.address, subscription(name)) as sink:
        with capture_logs() as logs, broker.channel() as channel:
            channel.queue_delete(name)
            eventually(lambda: any("connected" in entry["event"] for entry in logs))
        assert any("consumer_cancelled" in str(entry.get("reason")) for entry in logs)
        send(broker, name, "still here")
        assert [one.body for one in sink.take()] == ["still here"]


def test_an_answer_that_never_comes_is_not_waited_for(broker: Broker) -> None:
    connection = broker.address.connect("limited")
    limited(connection, 0.05)
    with pytest.raises(TimeoutError, match="does not answer"):
        connection._flush_output(lambda: False)  # as every call of pika's waits for its answer
    end = limited(connection, 0.05)
    end()
    connection.sleep(0.1)
    connection.close()


def test_a_listener_that_finds_no_broker_can_be_stopped(name: str) -> None:
    with listening(Address(host="127.0.0.1", port=1), subscription(name), wait=False) as sink:
        sink.end()
    assert not sink.listener.connected
