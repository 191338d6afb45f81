"""Publishing is done when the broker says so, and not before; whatever else it says is a failure."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

import pika
import pytest
from pika.exceptions import (
    AMQPHeartbeatTimeout,
    ChannelClosedByBroker,
    ConnectionClosedByBroker,
    NackError,
    StreamLostError,
    UnroutableError,
)

from pylib.errors import Failure, Permanent, Transient
from pylib.rabbitmq import publisher as module
from pylib.rabbitmq.publisher import ConfirmedPublisher
from pylib.rabbitmq.topology import Exchange
from pylib.runtime import reconnection
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
    monkeypatch.setattr(reconnection, "QUICK_DELAY", 0.0)
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


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"headers": {"traceparent": "x" * 200_000}}, "too_large"),
        ({"routing_key": "k" * 256}, "unsendable"),
        ({"message_id": "m" * 256}, "unsendable"),
        ({"headers": {"n" * 256: "x"}}, "unsendable"),
        ({"headers": {"traceparent": "\ud800"}}, "unsendable"),
        ({"headers": {"traceparent": object()}}, "unsendable"),
    ],
)
def test_what_would_cost_the_connection_is_not_sent(
    broker: FakeBroker, publisher: ConfirmedPublisher, more: dict[str, Any], code: str
) -> None:
    message = {"exchange": "home", "routing_key": "event", "body": b"body", **more}
    with pytest.raises(Permanent) as raised:
        publisher.publish(**message)
    assert (raised.value.code, len(raised.value.detail) < 200) == (code, True)
    publish(publisher, b"next")
    assert bodies(broker) == [b"next"]
    assert broker.of("close") == []


def test_a_header_may_fill_the_frame_that_the_broker_takes(broker: FakeBroker, publisher: ConfirmedPublisher) -> None:
    properties = pika.BasicProperties("application/msgpack", headers={"t": ""}, delivery_mode=2)
    room = 131_072 - len(pika.frame.Header(1, 4, properties).marshal())
    publish(publisher, headers={"t": "x" * room})
    with pytest.raises(Permanent, match="too_large: its headers take 131073 bytes, the broker allows 131072"):
        publish(publisher, headers={"t": "x" * (room + 1)})
    assert len(bodies(broker)) == 1


FRAME_ERROR = ConnectionClosedByBroker(501, "FRAME_ERROR")
RESET = StreamLostError("reset")


class Breaking:
    """A broker that ends the connection over some messages, and may then be away for some attempts to connect."""

    def __init__(self, broker: FakeBroker, *breaking: bytes, away: int = 0, end: Exception = FRAME_ERROR) -> None:
        self.away = away
        self.end = end
        self._left = 0
        self._breaking = breaking
        broker.answers.update(basic_publish=self._publish, connect=self._connect)

    def _publish(self, _exchange: str, _key: str, body: bytes, **_options: object) -> None:
        if body in self._breaking:
            self._left = self.away
            raise self.end

    def _connect(self) -> None:
        if self._left:
            self._left -= 1
            raise StreamLostError("refused")


def codes_of(publisher: ConfirmedPublisher, connected: threading.Semaphore, *messages: bytes) -> list[str]:
    """What becomes of these, one after the other, each under its own id."""
    codes = []
    for body in messages:
        try:
            publish(publisher, body, message_id=body.decode())
        except Failure as failure:
            codes.append(failure.code)
            if failure.code == "broker_away":
                assert connected.acquire(timeout=10)
        else:
            codes.append("ok")
    return codes


@pytest.mark.parametrize(
    ("end", "times"),
    [
        *((ConnectionClosedByBroker(code, "said"), 2) for code in (501, 502, 503, 505, 541)),
        (StreamLostError("reset"), 3),
    ],
)
def test_a_message_over_which_the_connection_ends_again_and_again_is_set_aside_and_the_others_go(
    broker: FakeBroker, publisher: ConfirmedPublisher, connected: threading.Semaphore, end: Exception, times: int
) -> None:
    Breaking(broker, b"bad", b"worse", end=end)
    codes = codes_of(publisher, connected, *[b"bad", b"good", b"worse"] * times)
    assert codes == ["broker_away", "ok", "broker_away"] * times
    sent = len(bodies(broker))
    assert codes_of(publisher, connected, b"bad", b"worse", b"good") == ["broke_connection", "broke_connection", "ok"]
    assert len(bodies(broker)) == sent + 1


@pytest.mark.parametrize(
    "end",
    [
        ConnectionClosedByBroker(320, "CONNECTION_FORCED - broker forced connection closure"),
        AMQPHeartbeatTimeout("No activity or too many missed heartbeats"),
    ],
    ids=str,
)
def test_a_message_is_not_to_blame_for_an_end_that_none_can_cause(
    broker: FakeBroker, publisher: ConfirmedPublisher, connected: threading.Semaphore, end: Exception
) -> None:
    Breaking(broker, b"bad", end=end)
    assert codes_of(publisher, connected, *[b"bad"] * 5) == ["broker_away"] * 5


@pytest.mark.parametrize("end", [FRAME_ERROR, RESET], ids=str)
def test_a_loss_of_long_ago_does_not_count(
    broker: FakeBroker,
    publisher: ConfirmedPublisher,
    connected: threading.Semaphore,
    end: Exception,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SUSPECTED_FOR", 0.0)
    Breaking(broker, b"bad", end=end)
    assert codes_of(publisher, connected, *[b"bad"] * 5) == ["broker_away"] * 5


def test_a_message_under_way_when_the_broker_goes_is_not_to_blame(
    broker: FakeBroker, publisher: ConfirmedPublisher, connected: threading.Semaphore
) -> None:
    breaking = Breaking(broker, b"bad", away=1)
    assert codes_of(publisher, connected, *[b"bad"] * 4) == ["broker_away"] * 4
    breaking.away = 0
    assert codes_of(publisher, connected, *[b"bad"] * 3) == ["broker_away", "broker_away", "broke_connection"]


def test_a_message_that_was_taken_after_all_begins_anew(
    broker: FakeBroker, publisher: ConfirmedPublisher, connected: threading.Semaphore
) -> None:
    Breaking(broker, b"1")
    assert codes_of(publisher, connected, b"1") == ["broker_away"]
    broker.answers.pop("basic_publish")
    assert codes_of(publisher, connected, b"1") == ["ok"]
    Breaking(broker, b"1")
    assert codes_of(publisher, connected, b"1", b"1") == ["broker_away", "broker_away"]


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
