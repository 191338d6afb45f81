"""Several processes over one broker: who is a member, who leads, and what becomes of the messages of the front."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from pika.exceptions import ChannelClosedByBroker, StreamLostError

from pylib.errors import Failure, Permanent
from pylib.rabbitmq.delivery import Delivery
from pylib.rabbitmq.group import Group
from pylib.rabbitmq.pipeline import Message
from pylib.rabbitmq.topology import Exchange, Subscription
from pylib.runtime import reconnection
from tests.fakes.amqp import FakeBroker

FRONT = Subscription(exchange=Exchange("control"), routing_keys=("key",), queue="front")


class Member:
    """A part that notes what it is told."""

    def __init__(self, broker: FakeBroker) -> None:
        self._broker = broker
        self.free = True
        self.answers = False
        self.header = 1
        self.message_id = "m1"
        self.waited: list[bool] = []

    def say(self, *, leaving: bool) -> bytes:
        return b"bye" if leaving else b"here"

    def hear(self, said: bytes) -> bool:
        if said == b"nonsense":
            raise Permanent("nonsense", "it is")
        if said == b"worse":
            raise ZeroDivisionError
        return self.answers

    def turn(self) -> bool:
        return False

    def may_lead(self) -> bool:
        return self.free

    def place(self, delivery: Delivery) -> Message:
        if delivery.body == b"bad":
            raise Permanent("bad", "it is")
        if delivery.body == b"worse":
            raise ZeroDivisionError
        self.waited.append(delivery.queued)
        return Message("shard", delivery.body, self.message_id, headers={"a": delivery.body.decode() * self.header})

    def refused(self, failure: Failure) -> None:
        self._broker.calls.append(("refused", failure.code))


class Bench:
    """A group's connection, scripted: `run` ends with the last step."""

    def __init__(self) -> None:
        self.broker = FakeBroker()
        self.member = Member(self.broker)
        self.held_elsewhere: set[str] = set()
        self.broker.answers["queue_declare"] = self._declare
        self.group = Group(
            "replicas",
            self.broker,  # type: ignore[arg-type]
            self.member,
            exchange="all",
            inbox="me",
            lead="leader",
            front=FRONT,
        )

    def run(self, *steps: Callable[[], object]) -> None:
        self.broker.script.extend([*steps, self.group.stop])
        self.group.run()

    def deliver(self, tag: int, body: bytes = b"fine", **more: Any) -> Callable[[], None]:
        return lambda: self.broker.deliver(tag, body, queue="front", **more)

    def soon(self) -> None:
        """Its next message is due."""
        self.group._next = 0.0

    def told(self) -> list[bytes]:
        """Over the exchange."""
        return [call[3] for call in self.broker.of("basic_publish") if call[1]]

    def passed_on(self) -> list[bytes]:
        """Into a shard."""
        return [call[3] for call in self.broker.of("basic_publish") if call[2] == "shard"]

    def confirmed(self, tag: int, **more: bool) -> Callable[[], None]:
        return lambda: self.broker.confirm(tag, **more)

    def answered(self) -> list[tuple[Any, ...]]:
        return self.broker.of("basic_ack", "basic_nack", "basic_reject", "refused")

    def _declare(self, queue: str, *, exclusive: bool = False, **_: Any) -> None:
        if exclusive and queue in self.held_elsewhere:
            raise ChannelClosedByBroker(405, "RESOURCE_LOCKED")


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(reconnection, "QUICK_DELAY", 0.0)
    return Bench()


def test_a_member_holds_its_name_and_the_lead_and_says_that_it_is_there(bench: Bench) -> None:
    seen: list[tuple[bool, bool]] = []
    bench.run(lambda: seen.append((bench.group.member, bench.group.leads)))
    assert seen == [(True, True)]
    assert bench.broker.of("basic_consume") == [("basic_consume", "me"), ("basic_consume", "front")]
    assert bench.told() == [b"here", b"bye"]
    assert (bench.group.member, bench.group.leads, bench.group.connected) == (False, False, False)


def test_who_has_not_its_name_takes_nothing_says_nothing_and_tries_again(bench: Bench) -> None:
    bench.held_elsewhere = {"me"}
    seen: list[bool] = []

    def free() -> None:
        seen.append(bench.group.member)
        assert bench.broker.of("basic_consume", "basic_publish") == []
        bench.held_elsewhere.clear()
        bench.soon()

    bench.run(free, lambda: seen.append(bench.group.member))
    assert seen == [False, True]


def test_one_leads_and_the_next_when_it_has_gone(bench: Bench) -> None:
    bench.held_elsewhere = {"leader"}
    seen: list[bool] = []

    def free() -> None:
        seen.append(bench.group.leads)
        bench.held_elsewhere.clear()
        bench.soon()

    bench.run(free, lambda: seen.append(bench.group.leads))
    assert seen == [False, True]


def test_where_somebody_is_known_to_lead_the_broker_is_not_asked(bench: Bench) -> None:
    bench.member.free = False
    bench.run(bench.soon, lambda: None)
    assert not [call for call in bench.broker.of("queue_declare") if call[1] == "leader"]


def test_a_new_member_is_answered_at_once_and_what_is_none_does_no_harm(bench: Bench) -> None:
    bench.member.answers = True

    def hear(said: bytes) -> Callable[[], None]:
        return lambda: bench.broker.deliver(1, said, queue="me")

    quiet = lambda: setattr(bench.member, "answers", False)  # noqa: E731
    bench.run(hear(b"here"), quiet, hear(b"nonsense"), hear(b"worse"))
    assert bench.told() == [b"here", b"here", b"bye"]


def test_a_message_of_the_front_is_acknowledged_when_the_broker_has_it_in_its_shard(bench: Bench) -> None:
    bench.run(
        lambda: (bench.deliver(1, b"a")(), bench.deliver(2, b"b")(), bench.deliver(3, b"c")()),
        lambda: bench.broker.calls.append(("refused", "none")),
        bench.confirmed(2),
        bench.confirmed(3, multiple=True),
    )
    assert bench.passed_on() == [b"a", b"b", b"c"]  # none waits for the one before
    assert bench.answered() == [
        ("refused", "none"),
        ("basic_ack", 2),
        ("basic_ack", 1),
        ("basic_ack", 3),
        ("basic_nack", 0, {"multiple": True, "requeue": True}),
    ]


@pytest.mark.parametrize("how", ["refused", "returned", "closed"])
def test_what_the_broker_does_not_take_comes_again_over_another_connection(bench: Bench, how: str) -> None:
    def trouble() -> None:
        if how == "refused":
            bench.broker.confirm(1, refused=True)
        elif how == "returned":
            assert bench.broker.returned is not None
            bench.broker.returned(None, SimpleNamespace(routing_key="shard"), None, b"")
        else:
            bench.broker.channels_open = False

    bench.run(bench.deliver(1), trouble, lambda: None)
    assert len(bench.broker.of("close")) == 2
    assert bench.broker.of("basic_ack") == []


@pytest.mark.parametrize(
    ("body", "code"), [(b"bad", "bad"), (b"worse", "internal_error"), (bytes(1024 * 1024 + 1), "too_large")]
)
def test_what_can_never_be_passed_on_is_a_dead_letter(bench: Bench, body: bytes, code: str) -> None:
    bench.run(bench.deliver(1, body))
    assert bench.answered()[:2] == [("basic_reject", 1, {"requeue": False}), ("refused", code)]


def test_headers_that_would_end_the_connection_are_a_dead_letter(bench: Bench) -> None:
    bench.member.header = 200_000
    bench.run(bench.deliver(1, b"a"))
    assert bench.answered()[:2] == [("basic_reject", 1, {"requeue": False}), ("refused", "too_large")]
    assert bench.passed_on() == []


def test_an_id_that_does_not_fit_is_a_dead_letter(bench: Bench) -> None:
    bench.member.message_id = (b"\xff" * 200).decode(errors="replace")  # as a delivery has what was no UTF-8
    bench.run(bench.deliver(1, b"a"))
    assert bench.answered()[:2] == [("basic_reject", 1, {"requeue": False}), ("refused", "too_large")]


def test_who_leaves_gives_back_what_is_not_confirmed_and_then_the_lead(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pylib.rabbitmq.group.LAST_CONFIRMS_S", 0.0)
    bench.run(bench.deliver(1), bench.group.pause, lambda: None)
    names = [call[0] for call in bench.broker.calls]
    assert names.index("basic_cancel") < names.index("basic_nack") < names.index("queue_delete")
    assert bench.told() == [b"here", b"bye"]
    assert bench.answered() == [("basic_nack", 0, {"multiple": True, "requeue": True})]


def test_after_a_loss_it_is_nobody_until_it_has_its_name_again(bench: Bench) -> None:
    def lose() -> None:
        bench.held_elsewhere = {"me", "leader"}
        raise StreamLostError("gone")

    seen: list[tuple[bool, bool]] = []
    bench.run(lose, lambda: seen.append((bench.group.member, bench.group.leads)))
    assert seen == [(False, False)]


def test_messages_say_whether_they_had_waited(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pylib.rabbitmq.group.LAST_CONFIRMS_S", 0.0)
    bench.run(bench.deliver(1), bench.deliver(2, redelivered=True))
    assert bench.member.waited == [False, True]
