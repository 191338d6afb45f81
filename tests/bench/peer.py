"""The other side of the service: sends triggers as a sensor does, and takes events as a consumer does."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pika

from app import wire

EXCHANGE = "home_automation"
HEAD, PAID = 4096, b"cost_usd"
"""The picture is the last field of an event. Before it stands what the look has cost, unless the answer was kept from
an earlier picture with the same bytes: then no detector was asked, which would measure less than an event."""


class Peer:
    """One connection, one thread. Triggers are numbered; a number comes back in the event's trace context."""

    def __init__(self, connection: Any, topic: str, devices: Iterable[str]) -> None:
        self.sent: dict[int, float] = {}
        """Number -> `time.perf_counter()` just before the trigger was published."""
        self.took: dict[int, float] = {}
        """Number -> seconds until its event arrived."""
        self.failed: set[int] = set()
        """Numbers whose event tells of no new look at a picture."""
        self.on_event: Callable[[int], None] = lambda _number: None
        self._connection = connection
        self._topic = topic
        self._channel = connection.channel()
        queue = f"bench.{topic}"
        self._channel.exchange_declare(EXCHANGE, "topic")
        self._channel.exchange_declare(wire.control_exchange(EXCHANGE), "direct")
        self._channel.queue_declare(queue, durable=True)
        for device in devices:
            self._channel.queue_bind(queue, EXCHANGE, wire.event_key(topic, device))
        self._channel.basic_consume(queue, self._receive, auto_ack=True)

    @property
    def outstanding(self) -> int:
        """Triggers without an event."""
        return len(self.sent) - len(self.took)

    def trigger(self, location: str) -> int:
        """Publish a trigger for the camera at this place."""
        number = len(self.sent) + 1
        body = wire.trigger_body(
            f"{location} Camera",
            location,
            timestamp=datetime.now(UTC),
            traceparent=f"00-{number:032x}-00000000000000b7-01",
        )
        self.sent[number] = time.perf_counter()
        self._channel.basic_publish(wire.control_exchange(EXCHANGE), wire.trigger_key(self._topic), body)
        return number

    def run(self, seconds: float) -> None:
        """Take events for so long."""
        deadline = time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            self._connection.process_data_events(left)

    def run_until(self, done: Callable[[], bool], *, within: float = 60.0) -> None:
        """Take events until `done`; raises TimeoutError when that takes too long."""
        deadline = time.perf_counter() + within
        while not done():
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{self.outstanding} triggers without an event after {within:g} s")
            self._connection.process_data_events(1.0)

    def run_until_quiet(self) -> None:
        """Take events until there is one for each trigger; raises RuntimeError when one had no success."""
        self.run_until(lambda: not self.outstanding)
        self.check(self.sent)

    def check(self, numbers: Iterable[int]) -> None:
        """Raise RuntimeError when one of these had no success: failing is quick, and no measure of anything."""
        failed = self.failed.intersection(numbers)
        if failed:
            raise RuntimeError(f"{len(failed)} events of {len(self.took)} are without a picture or a detection")

    def _receive(self, _channel: Any, _method: Any, properties: Any, body: bytes) -> None:
        number = int(properties.headers["traceparent"].split("-")[1], 16)
        if PAID not in body[:HEAD]:
            self.failed.add(number)
        if number not in self.took:
            self.took[number] = time.perf_counter() - self.sent[number]
            self.on_event(number)


@contextlib.contextmanager
def peer(port: int, topic: str, *, devices: Iterable[str] = ("bench",)) -> Iterator[Peer]:
    """A peer of the service whose word in routing keys is `topic`; gone, with its queue, when the block ends.

    `devices`: the names of the replicas where it is several.
    """
    connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port))
    try:
        yield Peer(connection, topic, devices)
        connection.channel().queue_delete(f"bench.{topic}")
    finally:
        connection.close()
