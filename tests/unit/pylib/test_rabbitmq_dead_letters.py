"""Dead letters: none is lost on its way back, and looking at them wears none out."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pika
import pytest
from pika.exceptions import UnroutableError

from pylib.errors import Permanent
from pylib.rabbitmq.dead_letters import DeadLetter, DeadLetters
from pylib.rabbitmq.topology import Exchange, Subscription
from tests.fakes.amqp import FakeBroker, FakeConnection

DEATH = {"reason": "delivery_limit", "time": datetime(2026, 5, 1, 12)}  # noqa: DTZ001 - as pika gives it


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


def letters_of(broker: FakeBroker, *headers: dict[Any, Any]) -> DeadLetters:
    """A queue in which a message with each of these headers lies."""
    left = [
        (
            SimpleNamespace(delivery_tag=tag, redelivered=False),
            pika.BasicProperties(message_id=f"m{tag}", headers=dict(one)),
            b"body",
        )
        for tag, one in enumerate(headers, 1)
    ]
    broker.ready = len(left)
    broker.answers["basic_get"] = lambda _queue: left.pop(0) if left else (None, None, None)
    return DeadLetters(FakeConnection(broker), Subscription(exchange=Exchange("home"), routing_keys=("k",), queue="q"))


def done(broker: FakeBroker) -> list[tuple[Any, ...]]:
    """What was published, by queue and headers, and acknowledged, by tag."""
    return [
        (call[2], call[-1]["properties"].headers) if call[0] == "basic_publish" else (call[1],)
        for call in broker.of("basic_publish", "basic_ack")
    ]


def test_it_is_back_in_its_queue_before_it_leaves_this_one(broker: FakeBroker) -> None:
    letters = letters_of(broker, {"traceparent": "00", "x-death": [DEATH], "x-delivery-count": 3})
    (letter,) = letters
    letters.put_back(letter)
    assert done(broker) == [("q", {"traceparent": "00", "x-retried": True}), (1,)]
    published = broker.of("basic_publish")[0]
    assert (published[3], published[-1]["properties"].message_id, published[-1]["mandatory"]) == (b"body", "m1", True)
    assert broker.calls[0] == ("confirm_delivery",)


def test_neither_another_s_name_nor_copies_for_others_go_with_it(broker: FakeBroker) -> None:
    """The broker refuses a message in another user's name, and sends one with these headers to other queues too."""
    letters = letters_of(broker, {"CC": ["other"], "BCC": ["third"], "CCTV": "yes", b"\xff": 1})
    (letter,) = letters
    letter.properties.user_id = "sensor"
    letters.put_back(letter)
    assert done(broker) == [("q", {"CCTV": "yes", b"\xff": 1, "x-retried": True}), (1,)]
    assert broker.of("basic_publish")[0][-1]["properties"].user_id is None


def test_one_that_the_broker_does_not_take_back_stays(broker: FakeBroker) -> None:
    def refuse(*_: object, **_options: object) -> None:
        raise UnroutableError([])

    letters = letters_of(broker, {})
    broker.answers["basic_publish"] = refuse
    (letter,) = letters
    with pytest.raises(Permanent, match="not_put_back"):
        letters.put_back(letter)
    assert broker.of("basic_ack") == []


def test_what_the_broker_knows_of_it_is_said(broker: FakeBroker) -> None:
    known, strange, again = (
        next(iter(letters_of(broker, headers))) for headers in ({"x-death": [DEATH]}, {"x-death": "?"}, {})
    )
    assert (known.reason, known.died_at) == ("delivery_limit", datetime(2026, 5, 1, 12, tzinfo=UTC))
    assert (strange.reason, strange.died_at) == ("", None)
    assert isinstance(known, DeadLetter)
    assert len(known.id) == 8
    assert known.id == again.id


def test_what_stays_is_written_anew_before_the_broker_drops_it(broker: FakeBroker) -> None:
    odd = {"x-delivery-count": "many"}
    letters = letters_of(broker, {"x-delivery-count": 9}, {"x-delivery-count": 10, "x-death": [DEATH]}, {}, odd)
    first, *_ = letters
    letters.drop(first)
    letters.close()
    assert done(broker) == [(1,), ("q.dead", {"x-death": [DEATH]}), (2,)]


def test_it_ends_where_another_reader_was_quicker(broker: FakeBroker) -> None:
    letters = letters_of(broker, {})
    broker.ready = 2
    assert len(list(letters)) == 1
