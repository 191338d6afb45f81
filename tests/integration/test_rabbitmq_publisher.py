"""Publishing to a real RabbitMQ with confirms."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from pylib.errors import Permanent, Transient
from pylib.rabbitmq import publisher as module
from pylib.rabbitmq.broker import Broker as Address
from pylib.rabbitmq.publisher import ConfirmedPublisher
from pylib.rabbitmq.topology import Exchange
from tests.broker import Broker
from tests.integration.rabbit import eventually


@contextmanager
def publishing(address: Address, *exchanges: Exchange, wait: bool = True) -> Iterator[ConfirmedPublisher]:
    publisher = ConfirmedPublisher("publisher", address, exchanges=exchanges)
    publisher.start()
    try:
        if wait:
            eventually(lambda: publisher.connected)
        yield publisher
    finally:
        publisher.stop()
        assert publisher.join(60), "the publisher did not end"


def test_a_confirmed_message_is_in_the_queue_as_it_was_given(broker: Broker, name: str) -> None:
    with publishing(broker.address, Exchange(name, "topic")) as publisher:
        broker.listen(name, "event.#", queue=name)
        publisher.publish(
            name, "event.x", b"body", message_id="an id", headers={"traceparent": "00-ab"}, mandatory=True
        )
    ((properties, body),) = broker.take(name)
    assert body == b"body"
    assert (properties.message_id, properties.headers) == ("an id", {"traceparent": "00-ab"})
    assert (properties.content_type, properties.delivery_mode) == ("application/msgpack", 2)


def test_a_mandatory_message_that_nobody_listens_for_is_reported(broker: Broker, name: str) -> None:
    with publishing(broker.address, Exchange(name, "topic")) as publisher:
        with pytest.raises(Transient, match=f"unroutable: no queue is bound to '{name}' for 'event.x'"):
            publisher.publish(name, "event.x", b"body", mandatory=True)
        publisher.publish(name, "event.x", b"body")  # and one that may be lost is not


def test_many_threads_may_publish_and_each_keeps_its_order(broker: Broker, name: str) -> None:
    with publishing(broker.address, Exchange(name, "topic")) as publisher:
        broker.listen(name, "#", queue=name)

        def work(worker: int) -> None:
            for n in range(20):
                publisher.publish(name, "event", f"{worker} {n}".encode(), mandatory=True)

        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    bodies = [body.decode().split() for _, body in broker.take(name, 80)]
    for worker in "0123":
        assert [int(n) for w, n in bodies if w == worker] == list(range(20))


def test_an_exchange_that_vanished_is_made_again(broker: Broker, name: str) -> None:
    with publishing(broker.address, Exchange(name, "topic")) as publisher:
        with broker.channel() as channel:
            channel.exchange_delete(name)
        with pytest.raises(Transient, match="not_found"):
            publisher.publish(name, "event", b"lost")
        broker.listen(name, "#", queue=name)
        publisher.publish(name, "event", b"found", mandatory=True)
    assert [body for _, body in broker.take(name)] == [b"found"]


@pytest.mark.parametrize("durable", [False, True])
def test_an_exchange_that_a_peer_made_is_used_as_it_is(broker: Broker, name: str, durable: bool) -> None:
    with broker.channel() as channel:
        channel.exchange_declare(name, "topic", durable=durable)
    with publishing(broker.address, Exchange(name, "topic", durable=not durable)) as publisher:
        publisher.publish(name, "event", b"body")


def test_a_message_beyond_the_brokers_limit_is_refused_for_good(own_broker: Broker, name: str) -> None:
    with publishing(own_broker.address, Exchange(name, "topic")) as publisher:
        with pytest.raises(Permanent, match="too_large"):
            publisher.publish(name, "event", bytes(25 * 1024 * 1024))
        publisher.publish(name, "event", b"the next one is taken")


def test_a_message_beyond_a_frame_of_the_broker_is_refused_and_costs_nobody_the_connection(
    broker: Broker, name: str
) -> None:
    with publishing(broker.address, Exchange(name, "topic")) as publisher:
        with capture_logs() as logs, pytest.raises(Permanent, match="too_large: its headers take 2"):
            publisher.publish(name, "event", b"body", headers={"traceparent": "x" * 200_000})
        publisher.publish(name, "event", b"the next one is taken")
    assert [entry for entry in logs if entry["log_level"] != "info"] == []


def test_a_message_over_which_the_broker_ends_the_connection_is_set_aside_and_the_next_is_taken(
    broker: Broker, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "frame_max", lambda _connection: 1_000_000)  # as if nobody had thought of it
    with publishing(broker.address, Exchange(name, "topic")) as publisher:
        headers = {"t": "x" * 200_000}
        for _ in range(2):
            with pytest.raises(Transient, match="broker_away"):
                publisher.publish(name, "event", b"body", message_id="m", headers=headers)
            eventually(lambda: not publisher.connected)
            eventually(lambda: publisher.connected)
        with pytest.raises(Permanent, match=r"broke_connection: .* FRAME_ERROR"):
            publisher.publish(name, "event", b"body", message_id="m", headers=headers)
        publisher.publish(name, "event", b"the next one is taken")


def test_without_a_broker_publishing_fails_at_once(name: str) -> None:
    with capture_logs() as logs, publishing(Address(host="127.0.0.1", port=1), wait=False) as publisher:
        with pytest.raises(Transient, match=r"broker_away: no connection to 127\.0\.0\.1:1"):
            publisher.publish(name, "event", b"body")
        publisher.join(1.5)  # time enough for more attempts
    assert [entry["log_level"] for entry in logs] == ["warning"]


@pytest.mark.long
def test_a_broker_that_takes_nothing_is_reported_in_time(own_broker: Broker, name: str) -> None:
    address = replace(own_broker.address, blocked_timeout=1.0)
    with publishing(address, Exchange(name, "topic")) as publisher:
        with own_broker.alarm(), pytest.raises(Transient, match="broker_blocked"):
            publisher.publish(name, "event", b"body")
        eventually(lambda: publisher.connected)
        publisher.publish(name, "event", b"body")


def test_a_confirm_that_does_not_come_is_not_waited_for_longer_than_told(own_broker: Broker, name: str) -> None:
    with publishing(own_broker.address, Exchange(name, "topic")) as publisher:
        own_broker.freeze()
        try:
            with pytest.raises(Transient, match="timeout: no confirm"):
                publisher.publish(name, "event", b"body", timeout=0.5)
        finally:
            own_broker.thaw()
        eventually(lambda: _confirmed(publisher, name))


def _confirmed(publisher: ConfirmedPublisher, exchange: str) -> bool:
    try:
        publisher.publish(exchange, "event", b"body")
    except Transient:
        return False
    return True
