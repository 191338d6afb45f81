"""Publishing that returns when the broker has confirmed the message, and raises why when it has not."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pika
import structlog
from pika.exceptions import (
    ChannelClosedByBroker,
    ConnectionClosedByBroker,
    NackError,
    StreamLostError,
    UnroutableError,
)

from pylib.errors import Failure, Permanent, Transient
from pylib.rabbitmq.broker import FRAME_MAX, Broker, explain, frame_max
from pylib.rabbitmq.loop import BrokerLoop
from pylib.rabbitmq.topology import Exchange, declare_exchange

log = structlog.get_logger(__name__)

IDLE = 0.5
"""Seconds between two checks of an idle connection: heartbeats, and whether it is still there."""
PROTOCOL_ERRORS = frozenset({501, 502, 503, 505, 541})
"""Reply codes with which a broker ends a connection over what it was sent: FRAME_ERROR, SYNTAX_ERROR, COMMAND_INVALID,
UNEXPECTED_FRAME, INTERNAL_ERROR."""
PROTOCOL_ERRORS_ALLOWED, RESETS_ALLOWED = 1, 2
"""How often a connection may end over one message: with such a code, or with no word at all, which networks do too."""
SUSPECTED_FOR = 3600.0
"""Seconds for which a loss counts."""
MOST_LOSSES = 300
"""Losses that are remembered."""


@dataclass(slots=True, eq=False)
class _Request:
    exchange: str
    routing_key: str
    body: bytes
    properties: pika.BasicProperties
    mandatory: bool
    outcome: queue.SimpleQueue[Failure | None] = field(default_factory=queue.SimpleQueue)
    abandoned: bool = False


@dataclass(frozen=True, slots=True)
class _Loss:
    """A connection that ended with a message under way, which may be to blame."""

    message_id: str
    reason: str
    allowed: int
    """How many losses like this one a message may have."""
    at: float


class ConfirmedPublisher(BrokerLoop):
    """One connection in confirm mode. Requests come over a queue rather than pika's own thread-safe callback,
    which costs a system call through a socket pair and two timers for each message."""

    def __init__(
        self,
        name: str,
        broker: Broker,
        *,
        exchanges: Sequence[Exchange] = (),
        on_connect: Callable[[], None] = lambda: None,
    ) -> None:
        """`exchanges` are declared on every connect. `on_connect` is then called in the publisher's own thread; it
        must not publish."""
        super().__init__(name, broker)
        self._exchanges = tuple(exchanges)
        self._on_connect = on_connect
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._gate = threading.Lock()  # so that no request is queued after a loss and waits in vain
        self._frame_max = FRAME_MAX
        self._last_loss: _Loss | None = None  # until the next attempt to connect
        self._losses: deque[_Loss] = deque(maxlen=MOST_LOSSES)

    def publish(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        *,
        message_id: str = "",
        headers: Mapping[str, Any] | None = None,
        content_type: str = "application/msgpack",
        persistent: bool = True,
        mandatory: bool = False,
        timeout: float = 15.0,
    ) -> None:
        """Publish one message and return when the broker has confirmed it; a caller's order is kept.

        From any thread. Raises `Transient`: `broker_away` (at once when there is no connection),
        `broker_blocked`, `timeout`, `unroutable` (it is `mandatory` and no queue is bound), `not_found` (the
        exchange is gone), `nack`; and `Permanent`: `too_large`, `access_refused`, `unsendable` (a name has more
        than 255 bytes, or AMQP has no such value), `broke_connection` (this `message_id` was under
        way when the broker ended the connection for a protocol error, twice within an hour, or when it was reset, three
        times, the broker being there). After `broker_away`, `broker_blocked` and `timeout` (seconds)
        the broker may have it all the same: publish again under the same `message_id`.
        """
        request = _Request(
            exchange,
            routing_key,
            body,
            pika.BasicProperties(
                content_type=content_type,
                delivery_mode=2 if persistent else 1,
                message_id=message_id or None,
                headers=dict(headers) if headers else None,
            ),
            mandatory,
        )
        self._check(request)
        with self._gate:
            if not self.connected:
                raise Transient("broker_away", f"no connection to {self._broker.address}")
            self._requests.put(request)
        try:
            failure = request.outcome.get(timeout=timeout)
        except queue.Empty:
            request.abandoned = True
            raise Transient("timeout", f"no confirm from {self._broker.address} within {timeout:g} s") from None
        if failure is not None:
            raise failure

    def stop(self) -> None:
        super().stop()
        self._requests.put(None)

    def _check(self, request: _Request) -> None:
        """Refuse what would end the connection, and the next one too. Raises `Permanent`."""
        try:
            pika.spec.Basic.Publish(exchange=request.exchange, routing_key=request.routing_key).encode()
            size = len(pika.frame.Header(1, len(request.body), request.properties).marshal())
        except Exception as error:  # noqa: BLE001 - pika has many, and Python's own
            reason = type(error).__name__
            raise Permanent("unsendable", f"AMQP cannot carry a name or header of it ({reason})") from None
        if size > self._frame_max:
            raise Permanent("too_large", f"its headers take {size} bytes, the broker allows {self._frame_max}")

    def _serve(self, connection: Any) -> None:
        self._frame_max = frame_max(connection)
        if self._last_loss is not None:
            self._losses.append(self._last_loss)  # the broker is there: it was not the broker that ended
            self._last_loss = None
        channel = self._open(connection)
        self._connected()
        self._tell()
        while not self.stopping.is_set():
            self.beat()
            try:
                request = self._requests.get(timeout=IDLE)
            except queue.Empty:
                connection.process_data_events(0)
                continue
            if request is not None and not request.abandoned and not self._send(channel, request):
                channel = self._open(connection)

    def _tell(self) -> None:
        try:
            self._on_connect()
        except Exception:
            log.exception("callback on connect failed", thread=self.name)

    def _open(self, connection: Any) -> Any:
        for exchange in self._exchanges:
            declare_exchange(connection, exchange)
        channel = connection.channel()
        channel.confirm_delivery()
        return channel

    def _send(self, channel: Any, request: _Request) -> bool:
        """Publish and answer the request; False when that cost the channel, raises when the connection."""
        failure: Failure | None = self._broken_by(request)
        if failure is not None:
            request.outcome.put(failure)
            return True
        try:
            channel.basic_publish(
                request.exchange,
                request.routing_key,
                request.body,
                properties=request.properties,
                mandatory=request.mandatory,
            )
        except UnroutableError:
            failure = Transient("unroutable", f"no queue is bound to {request.exchange!r} for {request.routing_key!r}")
        except NackError:
            failure = Transient("nack", "the broker could not take the message")
        except ChannelClosedByBroker as error:
            request.outcome.put(explain(error))
            return False
        except Exception as error:
            self._suspect(request, error)
            request.outcome.put(explain(error))
            raise
        self._acquit(request)
        request.outcome.put(failure)
        return True

    def _suspect(self, request: _Request, error: Exception) -> None:
        """Remember the end of a connection that this message may have caused."""
        if isinstance(error, ConnectionClosedByBroker) and error.reply_code in PROTOCOL_ERRORS:
            allowed = PROTOCOL_ERRORS_ALLOWED
        elif isinstance(error, StreamLostError):
            allowed = RESETS_ALLOWED
        else:
            return  # a closing broker, a missed heartbeat: it would have ended without any message
        if message_id := request.properties.message_id:
            self._last_loss = _Loss(message_id, explain(error).detail, allowed, time.monotonic())

    def _broken_by(self, request: _Request) -> Permanent | None:
        """Why this message is not sent again, if the connection was lost over it too often."""
        since = time.monotonic() - SUSPECTED_FOR
        losses = [one for one in self._losses if one.message_id == request.properties.message_id and one.at > since]
        if not losses or len(losses) <= losses[-1].allowed:
            return None
        self._acquit(request)
        return Permanent(
            "broke_connection", f"the connection was lost over it {len(losses)} times: {losses[-1].reason}"
        )

    def _acquit(self, request: _Request) -> None:
        for loss in [one for one in self._losses if one.message_id == request.properties.message_id]:
            self._losses.remove(loss)

    def _unreachable(self) -> None:
        self._last_loss = None  # the broker went, whatever was under way

    def _disconnected(self) -> None:
        with self._gate:
            while not self._requests.empty():
                request = self._requests.get()
                if request is not None:
                    request.outcome.put(Transient("broker_away", f"lost the connection to {self._broker.address}"))
