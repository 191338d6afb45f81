"""Publishing is done when the broker says so, and not before; whatever else it says is a failure."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator

import pika
import pytest
from pika.exceptions import ChannelClosedByBroker, NackError, StreamLostError, UnroutableError

from pylib.errors import Failure, Transient
from pylib.rabbitmq import loop
from pylib.rabbitmq import publisher as module
from pylib.rabbitmq.publisher import ConfirmedPublisher
from pylib.rabbitmq.topology import Exchange
from tests.fakes.amqp import FakeBroker


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


@pytest.fixture
def outcomes(broker: FakeBroker) -> deque[Exception]:
    """What the next messages come to; then all are confirmed."""
    outcomes: deque[Exception] = deque()

    def publish(*_: object, **_options: object) -> None:
        if outcomes:
            raise outcomes.popleft()

    broker.answers["basic_publish"] = publish
    return outcomes


@pytest.fixture
def connected() -> threading.Semaphore:
    """Released with each connection."""
    return threading.Semaphore(0)


@pytest.fixture
def publisher(
    broker: FakeBroker, outcomes: deque[Exception], connected: threading.Semaphore, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ConfirmedPublisher]:
    monkeypatch.setattr(loop, "FIRST_DELAY", 0.0)
    one = ConfirmedPublisher(
        "publisher",
        broker,  # type: ignore[arg-type]
        exchanges=[Exchange("home", "topic")],
        on_connect=connected.release,
    )
    one.start()
    assert connected.acquire(timeout=10)
    yield one
    one.stop()
    assert one.join(10)


def publish(publisher: ConfirmedPublisher, body: bytes = b"body", **options: object) -> None:
    publisher.publish("home", "event", body, **options)  # type: ignore[arg-type]


def bodies(broker: FakeBroker) -> list[bytes]:
    return [call[3] for call in broker.of("basic_publish")]


def test_confirms_are_asked_for_before_the_first_message(broker: FakeBroker, publisher: ConfirmedPublisher) -> None:
    publish(publisher)
    assert [call[0] for call in broker.calls] == ["exchange_declare", "confirm_delivery", "basic_publish"]


def test_a_message_outlasts_a_restart_of_the_broker_unless_told_otherwise(
    broker: FakeBroker, publisher: ConfirmedPublisher
) -> None:
    publish(publisher, mandatory=True, message_id="m", headers={"a": "b"})
    publish(publisher, persistent=False)
    first, second = (call[-1] for call in broker.of("basic_publish"))
    properties = pika.BasicProperties("application/msgpack", headers={"a": "b"}, delivery_mode=2, message_id="m")
    assert first == {"properties": properties, "mandatory": True}
    assert (second["properties"].delivery_mode, second["mandatory"]) == (1, False)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (NackError([]), "nack"),
        (UnroutableError([]), "unroutable"),
        (ChannelClosedByBroker(404, "NOT_FOUND - no exchange"), "not_found"),
        (ChannelClosedByBroker(403, "ACCESS_REFUSED"), "access_refused"),
        (ChannelClosedByBroker(406, "PRECONDITION_FAILED - message size 9 is larger"), "too_large"),
    ],
)
def test_what_the_broker_did_not_take_is_a_failure_and_the_next_message_goes(
    broker: FakeBroker, outcomes: deque[Exception], publisher: ConfirmedPublisher, answer: Exception, code: str
) -> None:
    outcomes.append(answer)
    with pytest.raises(Failure) as raised:
        publish(publisher)
    assert raised.value.code == code
    publish(publisher, b"next")
    assert bodies(broker) == [b"body", b"next"]
    # A channel that the broker closed is of no use; any other is.
    assert len(broker.of("confirm_delivery")) == (2 if isinstance(answer, ChannelClosedByBroker) else 1)
    assert ("close",) not in broker.calls


def test_a_lost_connection_fails_what_was_under_way_and_what_waited_and_a_new_one_is_made(
    broker: FakeBroker, outcomes: deque[Exception], publisher: ConfirmedPublisher, connected: threading.Semaphore
) -> None:
    waiting = threading.Event()
    failures: list[str] = []

    def one(body: bytes) -> None:
        with pytest.raises(Transient) as raised:
            publish(publisher, body)
        failures.append(raised.value.code)

    def lose(*_: object, **_options: object) -> None:
        assert waiting.wait(10)
        while publisher._requests.empty():
            threading.Event().wait(0.001)
        raise StreamLostError("gone")

    taken = broker.answers["basic_publish"]
    broker.answers["basic_publish"] = lose
    threads = [threading.Thread(target=one, args=(body,)) for body in (b"1", b"2")]
    for thread in threads:
        thread.start()
    waiting.set()
    for thread in threads:
        thread.join(10)
    assert failures == ["broker_away", "broker_away"]
    broker.answers["basic_publish"] = taken
    assert connected.acquire(timeout=10)
    publish(publisher, b"3")
    assert len(bodies(broker)) == 2  # of the first two, one was never sent
    assert bodies(broker)[-1] == b"3"


def test_what_nobody_waits_for_any_more_is_not_sent(broker: FakeBroker, publisher: ConfirmedPublisher) -> None:
    sending, go_on = threading.Event(), threading.Event()

    def hold(*_: object, **_options: object) -> None:
        sending.set()
        assert go_on.wait(10)

    broker.answers["basic_publish"] = hold
    first = threading.Thread(target=publish, args=(publisher, b"first"))
    first.start()
    assert sending.wait(10)
    with pytest.raises(Transient, match="timeout: no confirm"):
        publish(publisher, b"given up", timeout=0.0)
    go_on.set()
    first.join(10)
    publish(publisher, b"last")
    assert bodies(broker) == [b"first", b"last"]


def test_an_idle_connection_is_looked_after(
    broker: FakeBroker, publisher: ConfirmedPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = threading.Event()
    broker.script.append(looked.set)
    monkeypatch.setattr(module, "IDLE", 0.001)
    publish(publisher)
    assert looked.wait(10)
    publish(publisher)


def test_news_that_are_not_taken_do_not_cost_the_connection(broker: FakeBroker) -> None:
    told = threading.Event()

    def fail() -> None:
        told.set()
        raise RuntimeError

    one = ConfirmedPublisher("publisher", broker, on_connect=fail)  # type: ignore[arg-type]
    one.start()
    assert told.wait(10)
    publish(one)
    one.stop()
    assert one.join(10)
    assert broker.of("close") == [("close",)]


def test_a_publisher_that_never_had_a_connection_says_so_at_once(broker: FakeBroker) -> None:
    with pytest.raises(Transient, match="broker_away"):
        publish(ConfirmedPublisher("publisher", broker))  # type: ignore[arg-type]
