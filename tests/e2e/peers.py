"""The service's peers in the house, as others wrote them: a sensor, a consumer, and what each knows afterwards."""

from __future__ import annotations

import itertools
import logging
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgpack
import pika
import requests
from pika.exceptions import AMQPError, NackError, UnroutableError

from tests.e2e.pictures import stamp_of
from tests.e2e.process import ServiceProcess
from tests.simulators.camera import stamped

RETRY_AFTER = 0.1
PATIENCE_S = 120.0
"""For a sensor's last trigger, which a broker may just be coming back for."""
UPLOADED = "u"
"""Stands before the number in the stamp of what an `Uploader` sends; a camera's own pictures have only a number."""
logging.getLogger("pika").setLevel(logging.CRITICAL)  # each failed attempt is a traceback there

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class House:
    """Where the peers meet."""

    url: str
    """Of the broker."""
    exchange: str
    topic: str = "snapshot"

    @property
    def control(self) -> str:
        return f"{self.exchange}_control"


@dataclass(slots=True)
class Sent:
    """A trigger in a sensor's ledger."""

    number: int
    """Travels in `active_input`, so that the event can be told from all others."""
    camera: str
    message_id: str | None
    confirmed: bool = False
    """The broker has it. Otherwise nobody knows: it may have it all the same."""
    at: float = field(default_factory=time.monotonic)
    """Monotonic, before the first attempt."""


class Sender(Protocol):
    """Sends triggers, and keeps a ledger of them."""

    ledger: list[Sent]

    def send(self, camera: str) -> Sent:
        """Trigger a camera."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class Sensor:
    """Publishes triggers, one at a time, until the broker confirms each; used by one thread.

    With ids it tries again under the same message id whatever happens. Without, it tries again only where
    the broker certainly does not have the message, since a second one would be another trigger.
    """

    def __init__(self, house: House, *, with_ids: bool = True) -> None:
        self.ledger: list[Sent] = []
        self._house = house
        self._with_ids = with_ids
        self._connection: Any = None
        self._channel: Any = None

    def __enter__(self) -> Sensor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, camera: str, **output: str) -> Sent:
        """Trigger a camera; returns when the broker has confirmed it, or, without ids, may have it."""
        sent = Sent(next(_numbers), camera, uuid.uuid4().hex if self._with_ids else None)
        body = trigger(camera, active_input={"number": sent.number}, **output)
        self.ledger.append(sent)
        while not self._publish(sent, body):
            time.sleep(RETRY_AFTER)
        return sent

    def send_raw(self, body: bytes, **properties: Any) -> None:
        """Publish bytes as they are, once."""
        self._connected().basic_publish(
            self._house.control,
            f"event.trigger.{self._house.topic}",
            body,
            properties=pika.BasicProperties(delivery_mode=2, **properties),
            mandatory=True,
        )

    def _publish(self, sent: Sent, body: bytes) -> bool:
        """One attempt; says whether it was the last."""
        try:
            self._connected()
        except (AMQPError, OSError):
            self.close()
            return False
        try:
            self.send_raw(body, message_id=sent.message_id)
        except UnroutableError:
            return False  # nobody has bound a queue since the exchange was made anew
        except (AMQPError, NackError) as error:
            self.close()
            return not self._with_ids and getattr(error, "reply_code", 0) != 404
        sent.confirmed = True
        return True

    def _connected(self) -> Any:
        if self._channel is None:
            self._connection = connect(self._house)
            self._channel = self._connection.channel()
            self._channel.confirm_delivery()
            self._channel.exchange_declare(self._house.control, "direct")
        return self._channel

    def close(self) -> None:
        """Let go of the connection; the next message makes another."""
        with suppress(Exception):
            self._connection.close()
        self._connection = self._channel = None


class Caller:
    """Triggers cameras by HTTP, each once: a second call would be another trigger."""

    def __init__(self, service: ServiceProcess) -> None:
        self.ledger: list[Sent] = []
        self._service = service

    def send(self, camera: str) -> Sent:
        """Trigger a camera; what is not answered with 202 the service may have accepted or not."""
        sent = Sent(next(_numbers), camera, None)
        self.ledger.append(sent)
        body = {"active_input": {"number": sent.number}}
        with suppress(requests.RequestException):
            answer = self._service.http("POST", f"/api/cameras/{camera}/trigger", json=body)
            sent.confirmed = answer.status_code == 202
        return sent

    def close(self) -> None:
        """Nothing to let go of: each call has its own connection."""


class Uploader:
    """Uploads pictures over HTTP, each once; its number travels in the picture's stamp."""

    def __init__(self, service: ServiceProcess, picture: bytes) -> None:
        self.ledger: list[Sent] = []
        self._service = service
        self._picture = picture

    def send(self, camera: str) -> Sent:
        """Upload a picture of this camera; what is not answered with 202 the service may have taken or not."""
        sent = Sent(next(_numbers), camera, None)
        self.ledger.append(sent)
        place = camera.removesuffix(" Camera").lower()
        with suppress(requests.RequestException):
            answer = self._service.http(
                "POST",
                f"/api/snapshots?camera={place}",
                data=stamped(self._picture, f"{place} {UPLOADED}{sent.number}"),
                headers={"Content-Type": "image/jpeg"},
            )
            sent.confirmed = answer.status_code == 202
        return sent

    def close(self) -> None:
        """Nothing to let go of: each upload has its own connection."""


@contextmanager
def stream(sensors: Sequence[Sender], cameras: Sequence[str], *, every: float) -> Iterator[None]:
    """Trigger the cameras in turn, with each sender in a thread of its own, every so many seconds."""
    stop = threading.Event()

    def work(sensor: Sender) -> None:
        for camera in itertools.cycle(cameras):
            if stop.wait(every):
                break
            sensor.send(camera)
        sensor.close()

    threads = [threading.Thread(target=work, args=(sensor,), daemon=True) for sensor in sensors]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE_S)
    assert not any(thread.is_alive() for thread in threads), "a sensor could not get rid of its last trigger"


@dataclass(frozen=True, slots=True)
class Received:
    """One delivery of an event."""

    routing_key: str
    message_id: str
    headers: dict[str, Any]
    body: dict[str, Any]
    at: float
    """Monotonic."""

    @property
    def entry(self) -> dict[str, Any]:
        """Its only input."""
        (entry,) = self.body["inputs"]
        return dict(entry)

    @property
    def number(self) -> int | None:
        """Of the trigger or the upload that led to it."""
        number: int | None = (self.body.get("active_input") or {}).get("number")
        if number is None and (image := self.entry["image"]):
            with suppress(OSError, KeyError):
                word = stamp_of(image).rpartition(" ")[2]
                return int(word.removeprefix(UPLOADED)) if word.startswith(UPLOADED) else None
        return number


@dataclass
class Consumer:
    """Listens to events on a durable queue of its own, which it binds again after each loss of the broker.

    A context manager: returns when it is bound. `events` is its ledger: event id -> deliveries.
    """

    house: House
    events: dict[str, list[Received]] = field(default_factory=dict)
    heartbeats: list[Received] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._bound = threading.Event()
        self._thread = threading.Thread(target=self._run, name="consumer", daemon=True)

    def __enter__(self) -> Consumer:
        self._thread.start()
        assert self._bound.wait(30), "no broker for the consumer"
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    @property
    def latest(self) -> list[Received]:
        """The first delivery of each event, in the order in which they came."""
        return [deliveries[0] for deliveries in list(self.events.values())]

    def about(self, sent: Sent) -> list[Received]:
        """Every event that this trigger has led to."""
        return [event for event in self.latest if event.number == sent.number]

    def of(self, camera: str) -> list[Received]:
        """The events of one camera, in the order in which they came."""
        return [event for event in self.latest if event.entry["device_key"] == camera]

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._consume()
            except (AMQPError, OSError):
                self._stop.wait(RETRY_AFTER)

    def _consume(self) -> None:
        connection = connect(self.house)
        try:
            channel = connection.channel()
            channel.exchange_declare(self.house.exchange, "topic")  # not durable: gone with the broker
            queue = f"{self.house.exchange}.consumer"
            channel.queue_declare(queue, durable=True)
            for key in ("event.notify.#", "event.heartbeat.#"):
                channel.queue_bind(queue, self.house.exchange, key)
            channel.basic_qos(prefetch_count=50)
            channel.basic_consume(queue, self._receive)
            self._bound.set()
            while not self._stop.is_set():
                connection.process_data_events(0.1)
        finally:
            with suppress(Exception):
                connection.close()

    def _receive(self, channel: Any, method: Any, properties: Any, body: bytes) -> None:
        received = Received(
            method.routing_key,
            properties.message_id,
            properties.headers or {},
            msgpack.unpackb(body, timestamp=3),
            time.monotonic(),
        )
        if method.routing_key.startswith("event.heartbeat."):
            self.heartbeats.append(received)
        elif known := self.events.get(properties.message_id):
            known.append(received)
        else:  # whoever reads meanwhile finds no event without a delivery
            self.events[properties.message_id] = [received]
        channel.basic_ack(method.delivery_tag)


def connect(house: House) -> Any:
    """A connection to the broker, whatever of its own it may be going through."""
    parameters = pika.URLParameters(house.url)
    parameters.socket_timeout = parameters.stack_timeout = parameters.blocked_connection_timeout = 5.0
    return pika.BlockingConnection(parameters)


def trigger(camera: str, *, timestamp: object = None, active_input: object = None, **output: str) -> bytes:
    """A trigger in MessagePack, written after the contract and not with the service's own code."""
    body: dict[str, object] = {
        "timestamp": time.time() if timestamp is None else timestamp,
        "output_triggered": {"device_key": camera, "device_label": f"The {camera}", **output},
    }
    if active_input is not None:
        body["active_input"] = active_input
    packed: bytes = msgpack.packb(body)
    return packed
