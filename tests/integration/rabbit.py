"""A listener with the far end of its socket, for tests that look at what it hands on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgpack
import zmq

from pylib.errors import Failure
from pylib.rabbitmq.broker import Broker as Address
from pylib.rabbitmq.delivery import Delivery
from pylib.rabbitmq.listener import ZMQListener
from pylib.rabbitmq.topology import Exchange, Subscription

KEY = "event.trigger.test"


@dataclass(frozen=True, slots=True)
class Taken:
    """What came out of the socket."""

    body: str
    message_id: str
    redelivered: bool
    queued: bool
    receipt: str


def subscription(name: str, *, queue_type: str = "quorum", durable: bool = False) -> Subscription:
    return Subscription(
        exchange=Exchange(f"{name}_control", "direct", durable=durable),
        routing_keys=(KEY,),
        queue=name,
        queue_type=queue_type,
    )


def plain(delivery: Delivery) -> Taken:
    return Taken(
        delivery.body.decode(),
        delivery.message_id,
        delivery.redelivered,
        delivery.queued,
        delivery.receipt,
    )


@dataclass
class Listening:
    """A running listener, what it handed on, and what it reported."""

    listener: ZMQListener
    pull: zmq.Socket[bytes]
    settled: list[str] = field(default_factory=list)
    malformed: list[Failure] = field(default_factory=list)

    def take(self, count: int = 1, *, timeout: float = 60.0) -> list[Taken]:
        """The next `count` messages; fewer when `timeout` seconds are over."""
        taken: list[Taken] = []
        deadline = time.monotonic() + timeout
        while len(taken) < count and (left := deadline - time.monotonic()) > 0:
            if self.pull.poll(int(left * 1000) + 1):
                taken.append(Taken(*msgpack.unpackb(self.pull.recv())))
        return taken

    def done(self, *taken: Taken) -> None:
        for one in taken:
            self.listener.acknowledge(one.receipt)

    def end(self) -> None:
        self.listener.stop()
        assert self.listener.join(60), "the listener did not end"


@contextmanager
def listening(
    address: Address,
    wanted: Subscription,
    *,
    decode: Callable[[Delivery], Any] = plain,
    prefetch: int = 1000,
    shared: bool = False,
    wait: bool = True,
) -> Iterator[Listening]:
    """A listener of this subscription, consuming unless told not to wait for that."""
    with zmq.Context() as context, context.socket(zmq.PULL) as pull:
        pull.bind("inproc://taken")
        settled: list[str] = []
        malformed: list[Failure] = []
        listener = ZMQListener(
            "listener",
            address,
            [wanted],
            context=context,
            address="inproc://taken",
            decode=decode,
            encode=lambda one: msgpack.packb([one.body, one.message_id, one.redelivered, one.queued, one.receipt]),
            on_settled=settled.extend,
            on_malformed=malformed.append,
            prefetch=prefetch,
            shared=shared,
        )
        listener.start()
        try:
            if wait:
                eventually(lambda: listener.connected)
            yield Listening(listener, pull, settled, malformed)
        finally:
            listener.stop()
            listener.join(10)


def eventually(truth: Callable[[], object], *, timeout: float = 60.0) -> None:
    """Wait until something holds; fails when it does not within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not truth():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)
