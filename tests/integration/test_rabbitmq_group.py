"""Several processes over a real broker: names, the lead, and queues that move from one to another."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pylib.errors import Failure
from pylib.rabbitmq.delivery import Delivery
from pylib.rabbitmq.group import Group
from pylib.rabbitmq.pipeline import Message
from pylib.rabbitmq.topology import Exchange, Subscription
from tests.broker import Broker
from tests.fakes.amqp import AnyHeaders, field, nested
from tests.integration.rabbit import Taken, eventually, listening


class Member:
    """A part that says its name."""

    def __init__(self, name: str, shard: str = "") -> None:
        self.name = name
        self.shard = shard
        self.heard: list[bytes] = []
        self.taken: list[bytes] = []

    def say(self, *, leaving: bool) -> bytes:
        return f"{self.name}{' leaves' if leaving else ''}".encode()

    def hear(self, said: bytes) -> bool:
        self.heard.append(said)
        return said.endswith(b" leaves")

    def turn(self) -> bool:
        return False

    def may_lead(self) -> bool:
        return True

    def place(self, delivery: Delivery) -> Message:
        self.taken.append(delivery.body)
        return Message(self.shard, delivery.body, "m", headers=delivery.headers)

    def refused(self, failure: Failure) -> None:
        raise failure


@contextmanager
def joined(broker: Broker, name: str, member: Member) -> Iterator[Group]:
    front = Subscription(exchange=Exchange(f"{name}_control"), routing_keys=("key",), queue=f"{name}.front")
    names = {"exchange": f"{name}.all", "inbox": f"{name}.{member.name}", "lead": f"{name}.leader"}
    group = Group(member.name, broker.address, member, front=front, **names)
    group.start()
    try:
        yield group
    finally:
        group.pause()
        group.stop()
        assert group.join(30)


def test_members_hear_each_other_and_the_lead_goes_to_another_with_its_messages(broker: Broker, name: str) -> None:
    shard = f"{name}.shard"
    one, two = Member("one", shard), Member("two", shard)
    with broker.channel() as channel:
        channel.queue_declare(shard, durable=True, arguments={"x-queue-type": "quorum"})
    with joined(broker, name, two) as second:
        with joined(broker, name, one) as first:
            eventually(lambda: first.member and second.member and b"one" in two.heard and b"two" in one.heard)
            eventually(lambda: first.leads or second.leads)
            assert not (first.leads and second.leads)
            broker.publish(f"{name}_control", "key", *(b"%d" % number for number in range(100)))
            eventually(lambda: len(one.taken) + len(two.taken) == 100)
            assert [] in (one.taken, two.taken)
        eventually(lambda: second.leads)
        broker.publish(f"{name}_control", "key", b"last")
        eventually(lambda: two.taken[-1:] == [b"last"])
    assert b"one leaves" in two.heard
    bodies = [body for _, body in broker.take(shard, 101)]
    assert bodies == [*(b"%d" % number for number in range(100)), b"last"]


def test_a_name_belongs_to_one_until_it_goes(broker: Broker, name: str) -> None:
    first, second = Member("one"), Member("one")
    with joined(broker, name, first) as group:
        eventually(lambda: group.member)
        with joined(broker, name, second) as other:
            eventually(lambda: other.connected)
            eventually(lambda: len(first.heard) > 1)  # longer than the other one takes to try
            assert not other.member
            group.pause()
            group.stop()
            eventually(lambda: other.member)


def test_a_shard_moves_when_all_that_came_of_it_is_done_and_its_order_holds(broker: Broker, name: str) -> None:
    shard = Subscription(queue=f"{name}.shard", one_at_a_time=True, dead=f"{name}.dead")
    with (
        listening(broker.address, shard, prefetch=4, shared=True) as one,
        listening(broker.address, shard, prefetch=4, shared=True) as two,
    ):
        one.listener.consume([shard.queue])
        broker.publish("", shard.queue, *(b"%d" % number for number in range(10)))
        first = one.take(4)
        two.listener.consume([shard.queue])
        one.listener.consume([])
        one.done(*first[:3])
        assert two.take(1, timeout=1.5) == []
        assert one.take(1, timeout=0.1) == []
        one.done(first[3])
        rest = _all(lambda: two.take(1), two.done, 6)
        assert [int(each.body) for each in (*first, *rest)] == list(range(10))
        assert not any(each.redelivered for each in rest)
        eventually(lambda: one.listener.consumed == frozenset())


def test_a_shard_of_one_that_is_gone_goes_to_the_next_with_what_it_had_in_hand(broker: Broker, name: str) -> None:
    shard = Subscription(queue=f"{name}.shard", one_at_a_time=True, dead=f"{name}.dead")
    with listening(broker.address, shard, prefetch=4, shared=True) as two:
        with listening(broker.address, shard, prefetch=4, shared=True) as one:
            one.listener.consume([shard.queue])
            broker.publish("", shard.queue, *(b"%d" % number for number in range(6)))
            first = one.take(4)
            two.listener.consume([shard.queue])
            one.done(*first[:2])
        taken = _all(lambda: two.take(1), two.done, 4)
        assert [int(each.body) for each in taken] == [2, 3, 4, 5]
        assert [each.redelivered for each in taken][:2] == [True, True]


def test_headers_that_pika_cannot_read_end_no_connection(broker: Broker, name: str) -> None:
    """Else the message comes again, over the next one, and nothing behind it does."""
    shard = Subscription(queue=f"{name}.shard", one_at_a_time=True, dead=f"{name}.dead")
    odd = [
        b"T" + struct.pack(">Q", 2**63),
        b"d" + struct.pack(">d", 1e300),
        *(nested(kind, 2000) for kind in (b"A", b"F")),
    ]
    with listening(broker.address, shard) as sink, joined(broker, name, Member("one", shard.queue)) as group:
        eventually(lambda: group.leads)
        with broker.channel() as channel:
            for number, value in enumerate(odd):
                properties = AnyHeaders(field(b"odd", value))
                channel.basic_publish(f"{name}.all", "", b"two", properties=properties)
                channel.basic_publish(f"{name}_control", "key", b"%d" % number, properties=properties, mandatory=True)
        taken = sink.take(len(odd), timeout=20)
        assert [(one.body, one.redelivered) for one in taken] == [(str(number), False) for number in range(len(odd))]


def _all(take: Callable[[], list[Taken]], done: Callable[..., None], count: int) -> list[Taken]:
    """So many messages, each done when it has come."""
    taken: list[Taken] = []
    while len(taken) < count:
        one = take()
        done(*one)
        taken += one
    return taken
