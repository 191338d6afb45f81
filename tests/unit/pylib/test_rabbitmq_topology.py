"""What is made on a broker, argument by argument: nobody sees a bound that is missing until a disk is full."""

from __future__ import annotations

from typing import Any

import pytest
from pika.exceptions import ChannelClosedByBroker

from pylib.rabbitmq.topology import Exchange, Subscription, declare_exchange, declare_subscription
from tests.fakes.amqp import FakeBroker, FakeConnection


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


def subscription(queue_type: str) -> Subscription:
    return Subscription(
        exchange=Exchange("home_control", "direct"), routing_keys=("a", "b"), queue="q", queue_type=queue_type
    )


def missing(*_: object, **options: Any) -> None:
    if options.get("passive"):
        raise ChannelClosedByBroker(404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("queue_type", "dead_lettering"),
    [
        ("quorum", {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}),
        ("classic", {}),
    ],
)
def test_a_subscription_is_durable_bounded_and_loses_no_dead_letter(
    broker: FakeBroker, queue_type: str, dead_lettering: dict[str, str]
) -> None:
    broker.answers["exchange_declare"] = missing
    declare_subscription(FakeConnection(broker), subscription(queue_type))
    bounds = {"x-max-length": 10_000, "x-max-length-bytes": 268_435_456}
    assert [call for call in broker.calls if call[-1:] != ({"durable": True, "passive": True},)] == [
        ("exchange_declare", "home_control", "direct", {"durable": False, "passive": True}),
        ("exchange_declare", "home_control", "direct", {"durable": False, "passive": False}),
        ("exchange_declare", "q.dead", "fanout", {"durable": True, "passive": False}),
        ("queue_declare", "q.dead", {"durable": True, "arguments": {"x-queue-type": queue_type, **bounds}}),
        ("queue_bind", "q.dead", "q.dead"),
        (
            "queue_declare",
            "q",
            {
                "durable": True,
                "arguments": {"x-queue-type": queue_type, "x-dead-letter-exchange": "q.dead", **dead_lettering},
            },
        ),
        ("queue_bind", "q", "home_control", "a"),
        ("queue_bind", "q", "home_control", "b"),
    ]


def test_an_exchange_that_is_there_is_not_made_again(broker: FakeBroker) -> None:
    declare_exchange(FakeConnection(broker), Exchange("home", "topic", durable=True))
    assert broker.calls == [("exchange_declare", "home", "topic", {"durable": True, "passive": True})]


def test_an_exchange_that_a_peer_makes_at_the_same_moment_is_taken_as_it_is(broker: FakeBroker) -> None:
    refusals = [ChannelClosedByBroker(404, "NOT_FOUND"), ChannelClosedByBroker(406, "PRECONDITION_FAILED")]

    def race(*_: object, **_options: object) -> None:
        if refusals:
            raise refusals.pop(0)

    broker.answers["exchange_declare"] = race
    declare_exchange(FakeConnection(broker), Exchange("home"))
    assert broker.calls[-1] == ("exchange_declare", "home", {"passive": True})


def test_an_exchange_that_may_be_neither_used_nor_made_is_said(broker: FakeBroker) -> None:
    def refuse(*_: object, **_options: object) -> None:
        raise ChannelClosedByBroker(403, "ACCESS_REFUSED")

    broker.answers["exchange_declare"] = refuse
    with pytest.raises(ChannelClosedByBroker):
        declare_exchange(FakeConnection(broker), Exchange("home"))
    assert len(broker.calls) == 1
