"""Consumes from RabbitMQ into ZeroMQ: a message is acknowledged only once it is reported as done."""

from __future__ import annotations

import dataclasses
import itertools
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
import zmq
from pika.exceptions import AMQPError

from pylib.errors import Failure, Permanent, Transient
from pylib.rabbitmq.backlog import Backlog
from pylib.rabbitmq.broker import Broker, counts_deliveries
from pylib.rabbitmq.delivery import RETRIED, Delivery
from pylib.rabbitmq.loop import BrokerLoop
from pylib.rabbitmq.topology import Subscription, declare_subscription, lacks_quorum_queues, lift_limit
from pylib.rabbitmq.window import Window

log = structlog.get_logger(__name__)

MAX_BODY = 1024 * 1024
TICK = 1.0
GATHER = 0.05
"""Seconds in which acknowledgements are gathered: those within it cost one frame and one wake-up."""
LINGER_MS = 1000


class ZMQListener(BrokerLoop):
    """Consumes a subscription and pushes each message, decoded, to an `inproc://` address.

    The socket, the connection and everything private belong to the listener's thread; `acknowledge`, `pause`,
    `stop` and the properties may be used from any.
    """

    def __init__(
        self,
        name: str,
        broker: Broker,
        subscription: Subscription,
        *,
        context: zmq.Context[zmq.Socket[bytes]],
        address: str,
        decode: Callable[[Delivery], object],
        encode: Callable[[Any], bytes],
        on_settled: Callable[[list[str]], None] = lambda _receipts: None,
        on_malformed: Callable[[Failure], None] = lambda _failure: None,
        prefetch: int = 1000,
    ) -> None:
        """`decode` raises `Permanent` for a message that can never be decoded: a dead letter.

        It may return a list: each of it is passed on, and a message of which nothing is left is acknowledged.
        `on_settled` gets receipts whose acknowledgement the broker has processed, so that their messages
        will not come again; `on_malformed` the reason for each refusal. Both run in the listener's thread.
        """
        super().__init__(name, broker)
        self._subscription = subscription
        self._context = context
        self._address = address
        self._decode = decode
        self._encode = encode
        self._on_settled = on_settled
        self._on_malformed = on_malformed
        self._prefetch = prefetch
        self._paused = threading.Event()
        self._sessions = itertools.count(1)
        self._acknowledged: deque[str] = deque()
        self._woken = False
        self._connection: Any = None
        self._channel: Any = None
        self._socket: Any = None
        self._window = Window("0", prefetch)
        self._backlog = Backlog()
        self._outbox: deque[tuple[int, bytes]] = deque()  # for which the socket had no room
        self._unsettled: list[str] = []
        self._warned = False

    def acknowledge(self, receipt: str) -> None:
        """The message of this receipt is done for good. Returns at once.

        Receipts of a lost connection are ignored: the broker delivers their messages again.
        """
        self._acknowledged.append(receipt)
        if not self._woken:  # a lost race costs a tick
            self._woken = True
            self._call(self._send_soon)

    def retry(self, receipt: str, *, after: float) -> None:
        """Have the broker deliver the message of this receipt again in so many seconds. Returns at once."""
        self._call(lambda: self._connection.call_later(after, lambda: self._return(receipt)))

    def pause(self) -> None:
        """Receive nothing more, but go on acknowledging what is in flight, until `stop`."""
        self._paused.set()
        self._call(self._cancel)

    def stop(self) -> None:
        """Send the pending acknowledgements and return the rest to the broker."""
        super().stop()
        self._call(self._cancel)

    def run(self) -> None:
        self._socket = self._context.socket(zmq.PUSH)
        try:
            # Room for a whole window: the broker, not the socket, decides how much is in flight.
            self._socket.set_hwm(self._prefetch)
            self._socket.setsockopt(zmq.LINGER, LINGER_MS)
            self._socket.connect(self._address)
            super().run()
        finally:
            self._socket.close()

    def _serve(self, connection: Any) -> None:
        self._declare(connection)
        channel = connection.channel()
        channel.basic_qos(prefetch_count=self._prefetch)
        channel.add_on_cancel_callback(self._cancelled_by_broker)
        self._woken = False
        self._window = Window(str(next(self._sessions)), self._prefetch)
        self._connection, self._channel = connection, channel
        self._backlog = Backlog(self._ready())
        if not self._paused.is_set() and not self.stopping.is_set():
            channel.basic_consume(self._subscription.queue, self._receive)
        self._connected()
        self._tick()
        channel.start_consuming()
        while not self.stopping.is_set():
            connection.process_data_events(TICK)
        self._send_acknowledgements()

    def _declare(self, connection: Any) -> None:
        try:
            limited = declare_subscription(connection, self._subscription)
        except AMQPError as error:
            if self._subscription.queue_type != "quorum" or not lacks_quorum_queues(error):
                raise
            # The refusal has closed the connection: the next one declares a classic queue.
            self._subscription = dataclasses.replace(self._subscription, queue_type="classic")
            raise Transient("no_quorum_queues", "the broker has none, a classic queue has to do") from None
        if not limited and counts_deliveries(connection) and not self._warned:
            self._warned = True
            command = lift_limit(self._subscription, vhost=self._broker.vhost)
            log.warning("an earlier release made the queue: triggers may become dead letters", remedy=command)

    def _disconnected(self) -> None:
        self._connection = self._channel = None
        self._window = Window("0", self._prefetch)
        self._outbox.clear()
        self._unsettled.clear()

    # -- in the connection's loop -----------------------------------------------------------------

    def _call(self, callback: Callable[[], None]) -> None:
        """Have the connection's loop call this soon; without a connection, there is no need."""
        connection = self._connection
        if connection is not None:
            with suppress(AMQPError):
                connection.add_callback_threadsafe(callback)

    def _receive(self, channel: Any, method: Any, properties: Any, body: bytes) -> None:
        tag, headers = method.delivery_tag, properties.headers or {}
        delivery = Delivery(
            body=body,
            message_id=_text(properties.message_id),
            content_type=_text(properties.content_type),
            headers=headers,
            redelivered=method.redelivered,
            queued=self._backlog.delivered() or method.redelivered or RETRIED in headers,
            receipt=self._window.receipt(tag),
        )
        try:
            frames = self._frames(delivery)
        except Permanent as failure:
            log.warning("malformed message", queue=self._subscription.queue, reason=str(failure))
            self._reject(channel, tag, failure)
        except Exception as error:
            log.exception("message broke its decoder", queue=self._subscription.queue)
            self._reject(channel, tag, Permanent("internal_error", type(error).__name__))
        else:
            self._window.add(tag)
            self._outbox += [(tag, frame) for frame in frames]
            self._push()
            if not frames:
                self.acknowledge(delivery.receipt)

    def _frames(self, delivery: Delivery) -> list[bytes]:
        size = len(delivery.body)
        if size > MAX_BODY:
            raise Permanent("too_large", f"a body of {size} bytes, more than {MAX_BODY}")
        decoded = self._decode(delivery)
        return [self._encode(one) for one in (decoded if isinstance(decoded, list) else [decoded])]

    def _reject(self, channel: Any, tag: int, failure: Failure) -> None:
        channel.basic_reject(tag, requeue=False)
        self._on_malformed(failure)

    def _push(self) -> None:
        """Pass on as many messages as there is room for: waiting here would delay heartbeats and acknowledgements."""
        with suppress(zmq.Again):
            while self._outbox:
                self._socket.send(self._outbox[0][1], zmq.NOBLOCK)
                self._outbox.popleft()

    def _send_soon(self) -> None:
        # Waking the loop costs more than an acknowledgement: wait for others to come along.
        self._connection.call_later(GATHER, self._send_acknowledgements)

    def _send_acknowledgements(self) -> None:
        self._woken = False
        if not self._acknowledged or self._channel is None:
            return
        if self._window.full:
            # Messages that are ready now have been waiting; after this they begin to come.
            self._backlog = Backlog(self._ready())
        done = self._window.take(self._acknowledged)
        if done.up_to:
            self._channel.basic_ack(done.up_to, multiple=True)
        for tag in done.others:
            self._channel.basic_ack(tag)
        self._unsettled += done.receipts
        self._push()

    def _tick(self) -> None:
        self.beat()
        self._send_acknowledgements()
        self._push()
        if self._unsettled or self._backlog.doubtful:
            # An answer about the queue over the same channel: the acknowledgements were processed before it.
            settled, self._unsettled = self._unsettled, []
            self._backlog.verify(self._ready())
            if settled:
                self._settle(settled)
        self._connection.call_later(TICK, self._tick)

    def _settle(self, receipts: list[str]) -> None:
        try:
            self._on_settled(receipts)
        except Exception:
            log.exception("settled receipts not recorded", queue=self._subscription.queue)

    def _ready(self) -> int:
        """How many messages wait in the queue without a consumer."""
        return int(self._channel.queue_declare(self._subscription.queue, passive=True).method.message_count)

    def _cancel(self) -> None:
        """End consuming; messages that were delivered and not yet passed on are returned."""
        if self._channel is None:
            return
        self._channel.stop_consuming()
        for tag in dict.fromkeys(tag for tag, _ in self._outbox):
            self._give_back(tag)
        self._outbox.clear()

    def _return(self, receipt: str) -> None:
        """Give a message back, unless its connection was lost: the broker has it then."""
        tag = self._window.tag(receipt)
        if self._channel is not None and tag:
            self._give_back(tag)

    def _give_back(self, tag: int) -> None:
        self._window.discard(tag)
        self._channel.basic_nack(tag, requeue=True)

    def _cancelled_by_broker(self, _frame: Any) -> None:
        raise Transient("consumer_cancelled", f"queue {self._subscription.queue!r} was deleted or moved")


def _text(value: str | bytes | None) -> str:
    """A short string of AMQP's; pika leaves it as bytes where it is not UTF-8."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value or ""
