"""What is made on a broker, argument by argument: nobody sees a bound that is missing until a disk is full."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pika.exceptions import ChannelClosedByBroker

from pylib.errors import Permanent
from pylib.rabbitmq.topology import (
    Exchange,
    Subscription,
    declare_exchange,
    declare_subscription,
    exchange_exists,
    lift_limit,
)
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
    assert declare_subscription(FakeConnection(broker), subscription(queue_type))
    bounds = {"x-max-length": 10_000, "x-max-length-bytes": 268_435_456}
    limit = {"x-delivery-limit": 1_000_000} if queue_type == "quorum" else {}
    assert [call for call in broker.calls if call[-1:] != ({"durable": True, "passive": True},)] == [
        ("exchange_declare", "home_control", "direct", {"durable": False, "passive": True}),
        ("exchange_declare", "home_control", "direct", {"durable": False, "passive": False}),
        ("exchange_declare", "q.dead", "fanout", {"durable": True, "passive": False}),
        ("queue_declare", "q.dead", {"durable": True, "arguments": {"x-queue-type": queue_type, **bounds, **limit}}),
        ("queue_bind", "q.dead", "q.dead", ""),
        (
            "queue_declare",
            "q",
            {
                "durable": True,
                "arguments": {
                    "x-queue-type": queue_type,
                    "x-dead-letter-exchange": "q.dead",
                    **dead_lettering,
                    **limit,
                },
            },
        ),
        ("queue_bind", "q", "home_control", "a"),
        ("queue_bind", "q", "home_control", "b"),
    ]


class Seasoned:
    """A broker with queues that an earlier release made, and which differ in these arguments."""

    def __init__(self, broker: FakeBroker, *queues: str, differs: str = "x-delivery-limit") -> None:
        self._queues = queues
        self._differs = differs
        broker.answers["queue_declare"] = self._declare

    def _declare(self, queue: str, *, arguments: dict[str, Any], **_: object) -> None:
        if queue in self._queues and self._differs in arguments:
            text = (
                f"PRECONDITION_FAILED - inequivalent arg '{self._differs}' for queue '{queue}' in vhost '/': "
                "received the value '1000000' of type 'signedint' but current is none"
            )
            raise ChannelClosedByBroker(406, text)


@pytest.mark.parametrize("queues", [("q",), ("q.dead",), ("q", "q.dead")])
def test_queues_of_an_earlier_release_are_used_as_they_are_and_that_is_said(
    broker: FakeBroker, queues: tuple[str, ...]
) -> None:
    Seasoned(broker, *queues)
    assert not declare_subscription(FakeConnection(broker), subscription("quorum"))
    for queue in queues:
        first, second = (call[2]["arguments"] for call in broker.of("queue_declare") if call[1] == queue)
        assert {**second, "x-delivery-limit": 1_000_000} == first
    assert len(broker.of("queue_bind")) == 3


def test_another_difference_is_an_error(broker: FakeBroker) -> None:
    Seasoned(broker, "q", differs="x-queue-type")
    with pytest.raises(ChannelClosedByBroker, match="x-queue-type"):
        declare_subscription(FakeConnection(broker), subscription("quorum"))


def test_what_lifts_the_limit_is_for_both_queues_and_no_other() -> None:
    command = lift_limit(subscription("quorum"), vhost="/")
    assert command == (
        """rabbitmqctl set_policy -p / q-deliveries '^q(\\.dead)?$' '{"delivery-limit": 1000000}' --apply-to queues"""
    )
    assert r"'^a\.b(\.dead)?$'" in lift_limit(replace(subscription("quorum"), queue="a.b"), vhost="/")


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


def test_an_exchange_is_looked_up_without_making_one(broker: FakeBroker) -> None:
    assert exchange_exists(broker, "ceph")  # type: ignore[arg-type]
    broker.answers["exchange_declare"] = missing
    assert not exchange_exists(broker, "ceph")  # type: ignore[arg-type]
    assert [call[-1]["passive"] for call in broker.of("exchange_declare")] == [True, True]
    assert len(broker.of("close")) == 2


def test_a_lookup_that_is_refused_names_the_broker(broker: FakeBroker) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ChannelClosedByBroker(403, "ACCESS_REFUSED - access to exchange 'ceph' refused")

    broker.answers["exchange_declare"] = refuse
    with pytest.raises(Permanent, match="access_refused: mq:5672: ACCESS_REFUSED"):
        exchange_exists(broker, "ceph")  # type: ignore[arg-type]
    assert len(broker.of("close")) == 1
