"""One connection to an MQTT broker, made again whenever it is lost."""

from __future__ import annotations

import itertools
import queue
import select
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog

from pylib.errors import Failure, Transient
from pylib.mqtt.broker import CONNECT_S, Broker, Outgoing, explain, refusal
from pylib.mqtt.receipts import Receipts
from pylib.mqtt.requests import Request, Started
from pylib.runtime.bell import Bell
from pylib.runtime.reconnection import Reconnection

log = structlog.get_logger(__name__)

BACKLOG_S = 2.0
"""Seconds after connecting within which a message that the broker kept for us comes."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message as the broker delivered it; one that is not acknowledged comes again over the next connection."""

    topic: str
    payload: bytes
    """Whole up to some 900,000 bytes; of a longer one only the beginning."""
    retained: bool = False
    """It was published before we subscribed, and says how things are, not that something happened."""
    redelivered: bool = False
    """It was delivered to us before."""
    queued: bool = False
    """It may have waited at the broker while we were away."""
    receipt: str = ""
    """The argument of `Connection.acknowledge`; empty when there is nothing to acknowledge."""


class Connection:
    """Connects, subscribes and reconnects as its owner lets it run, with backoff and jitter.

    `pump`, `send` and `close` belong to the owner's thread; `publish`, `acknowledge`, `wake` and the properties may be
    used from any.
    """

    def __init__(
        self,
        name: str,
        broker: Broker,
        *,
        client_id: str,
        subscriptions: Collection[str] = (),
        gone: Collection[str] = (),
        on_message: Callable[[Received], None] = lambda _message: None,
        on_connect: Callable[[], None] = lambda: None,
        on_settled: Callable[[list[str]], None] = lambda _receipts: None,
        will: Outgoing | None = None,
        persistent: bool = False,
    ) -> None:
        """`on_connect`: all is set up; `on_settled`: receipts whose acknowledgement the broker has processed.

        All three are called in the owner's thread. `persistent`: the broker keeps what comes while we are away, and
        the subscriptions, of which `gone` are to end.
        """
        self.refused: frozenset[str] = frozenset()
        """Subscriptions that the broker does not grant."""
        self._name = name
        self._broker = broker
        self._client_id = client_id
        self._subscriptions = tuple(subscriptions)
        self._gone = list(gone)
        self._on_message = on_message
        self._on_connect = on_connect
        self._on_settled = on_settled
        self._will = will
        self._persistent = persistent
        self._reconnection = Reconnection(broker=broker.address, thread=name)
        self._retry_at = 0.0
        self._up = threading.Event()
        self._gate = threading.Lock()  # so that no request is queued after a loss and waits in vain
        self._bell = Bell()
        self._requests: deque[Request] = deque()
        self._acknowledged: deque[str] = deque()
        self._sessions = itertools.count(1)
        self._client: Any = None
        self._session = _Session()

    @property
    def connected(self) -> bool:
        """Whether it is in working order: connected, everything subscribed."""
        return self._up.is_set()

    def publish(self, messages: Sequence[Outgoing], *, timeout: float) -> None:
        """Publish messages, in this order, and return when the broker has confirmed all of them.

        Raises `Transient`: `mqtt_away` (at once when there is no connection), `mqtt_cut` (the connection ended while
        they were under way), `mqtt_timeout`; and `Permanent`: `mqtt_unsendable` (a topic that MQTT does not have).
        After any of them the broker may have some all the same.
        """
        if not messages:
            return
        request = Request(messages)
        with self._gate:
            if not self.connected:
                raise Transient("mqtt_away", f"no connection to {self._broker.address}")
            self._requests.append(request)
        self._bell.ring()
        try:
            failure = request.outcome.get(timeout=timeout)
        except queue.Empty:
            request.abandoned = True
            raise Transient("mqtt_timeout", f"no answer from {self._broker.address} within {timeout:g} s") from None
        if failure is not None:
            raise failure

    def send(self, message: Outgoing) -> None:
        """Publish a message without waiting; it is lost with the connection."""
        if self._client is not None:
            self._client.publish(message.topic, message.payload, qos=1, retain=message.retain)

    def acknowledge(self, receipt: str) -> None:
        """The message of this receipt is done for good. Returns at once; receipts of a lost connection are ignored."""
        self._acknowledged.append(receipt)
        self._bell.ring()

    def wake(self) -> None:
        """End the owner's wait in `pump`."""
        self._bell.ring()

    def pump(self, timeout: float) -> None:
        """Connect if it is time to; else send and receive what there is, waiting at most so many seconds for it."""
        wait = self._retry_at - time.monotonic()
        if self._client is None and wait > 0:
            self._poll(min(wait, timeout))
            return
        try:
            if self._client is None:
                self._open()
            self._exchange(timeout)
        except Exception as error:  # noqa: BLE001 - whatever broke the connection, the remedy is a new one
            self._retry_at = time.monotonic() + self._reconnection.lost(explain(error))
            self._lose()

    def close(self, *, farewell: Outgoing | None = None) -> None:
        """Send what is to be sent, and disconnect in good order, for which the broker does not publish the will."""
        if self.connected:
            with suppress(Exception):
                if farewell is not None:
                    self.send(farewell)
                self._settle()
                self._client.disconnect()
                self._write(time.monotonic() + 1.0)
        self._lose()

    def probe(self) -> None:
        """Connect, subscribe and disconnect, for a check. Raises what `explain` makes of it, in bounded time."""
        try:
            self._open()
            while not self.connected:
                self._exchange(1.0)
        except Exception as error:  # noqa: BLE001 - all of them are told
            raise explain(error) from None
        finally:
            self.close()

    # -- in the owner's thread --------------------------------------------------------------------

    def _open(self) -> None:
        self._reconnection.begins()
        self._session = _Session(Receipts(str(next(self._sessions))), time.monotonic() + 2 * CONNECT_S)
        self._client = client = self._broker.client(self._client_id, will=self._will, persistent=self._persistent)
        client.on_connect = self._welcomed
        client.on_subscribe = self._subscribed
        client.on_message = self._receive
        client.on_publish = self._confirmed
        client.on_unsubscribe = self._settled
        self._broker.open(client)

    def _exchange(self, timeout: float) -> None:
        client, session = self._client, self._session
        socket = client.socket()
        if socket is None:
            raise self._ended()
        # What TLS has decrypted already does not show on the socket.
        ready = bool(socket.pending()) if hasattr(socket, "pending") else False
        readable = self._poll(0 if ready else timeout, socket.fileno(), writing=client.want_write()) or ready
        results = [client.loop_read()] if readable else []
        if self.connected:
            self._start_requests()
            self._settle()
        if client.want_write():
            results.append(client.loop_write())
        results.append(client.loop_misc())
        if session.failure is not None:
            raise session.failure
        if any(results):
            raise self._ended()
        if not self.connected and time.monotonic() > session.deadline:
            raise Transient("mqtt_away", f"no MQTT broker answers at {self._broker.address}")

    def _ended(self) -> Transient:
        if self.connected:
            return Transient("mqtt_cut", "the broker ended the connection")
        return Transient("mqtt_away", "the broker ended the connection before it let us in")

    def _poll(self, timeout: float, fileno: int = -1, *, writing: bool = False) -> bool:
        """Wait for the bell or the socket; whether there is something to read."""
        poll = select.poll()
        poll.register(self._bell.fileno(), select.POLLIN)
        if fileno >= 0:
            poll.register(fileno, select.POLLIN | (select.POLLOUT if writing else 0))
        events = dict(poll.poll(timeout * 1000))
        if self._bell.fileno() in events:
            self._bell.silence()
        return bool(events.get(fileno, 0) & ~select.POLLOUT)

    def _write(self, deadline: float) -> None:
        """Write what is left, until then."""
        while self._client.want_write() and self._client.socket() and time.monotonic() < deadline:
            self._client.loop_write()

    def _start_requests(self) -> None:
        while self._requests:
            self._session.started.start(self._requests.popleft(), self._client)

    def _settle(self) -> None:
        """Send acknowledgements."""
        done = [self._acknowledged.popleft() for _ in range(len(self._acknowledged))]
        self._session.receipts.acknowledge(done, self._client, topic=f"{self._client_id}/settled")

    def _lose(self) -> None:
        with self._gate:
            self._up.clear()
            started, queued = self._session.started, list(self._requests)
            self._requests.clear()
        started.fail(Transient("mqtt_cut", f"the connection to {self._broker.address} was lost over it"))
        for request in queued:
            request.outcome.put(Transient("mqtt_away", f"lost the connection to {self._broker.address}"))
        client, self._client = self._client, None
        self._session = _Session()
        if client is not None:
            # paho has no call that only closes the socket; a disconnect would keep the will from being published.
            socket = client.socket()
            if socket is not None:
                socket.close()

    # -- paho's callbacks, in the owner's thread --------------------------------------------------

    def _welcomed(self, _client: Any, _data: Any, flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._session.failure = refusal(str(reason))
            return
        if flags.session_present:
            self._session.backlog_until = time.monotonic() + BACKLOG_S
        if self._gone:
            self._client.unsubscribe(self._gone)
        if self._subscriptions:
            self._client.subscribe([(topic, 1) for topic in self._subscriptions])
        else:
            self._set_up()

    def _subscribed(self, _client: Any, _data: Any, _mid: int, reasons: Sequence[Any], _properties: Any) -> None:
        refused = frozenset(
            topic for topic, reason in zip(self._subscriptions, reasons, strict=False) if reason.is_failure
        )
        for topic in sorted(refused - self.refused):
            log.error("the broker does not let us subscribe", broker=self._broker.address, topic=topic)
        self.refused = refused
        self._set_up()

    def _set_up(self) -> None:
        self._reconnection.connected()
        self._up.set()
        try:
            self._on_connect()
        except Exception:
            log.exception("callback on connect failed", thread=self._name)

    def _receive(self, _client: Any, _data: Any, message: Any) -> None:
        session = self._session
        receipt = session.receipts.new(message.mid) if message.qos else ""
        try:
            received = Received(
                topic=message.topic,
                payload=bytes(message.payload),
                retained=message.retain,
                redelivered=message.dup,
                queued=message.dup or time.monotonic() < session.backlog_until,
                receipt=receipt,
            )
            self._on_message(received)
        except Exception:
            # It would come again with each connection, and break each.
            log.exception("message broke its receiver", thread=self._name)
            self._acknowledged.append(receipt)

    def _confirmed(self, _client: Any, _data: Any, mid: int, _reason: Any, _properties: Any) -> None:
        self._session.started.confirmed(mid)

    def _settled(self, _client: Any, _data: Any, mid: int, *_: Any) -> None:
        settled = self._session.receipts.answered(mid)
        try:
            if settled:
                self._on_settled(settled)
        except Exception:
            log.exception("settled receipts not recorded", thread=self._name)


@dataclass(slots=True)
class _Session:
    """What ends with a connection."""

    receipts: Receipts = field(default_factory=Receipts)
    deadline: float = 0.0
    """Until when the broker has to let us in (monotonic)."""
    failure: Failure | None = None
    """Why it ends, where the broker says so."""
    backlog_until: float = 0.0
    started: Started = field(default_factory=Started)
