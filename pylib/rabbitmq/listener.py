"""Consumes from RabbitMQ into ZeroMQ: a message is acknowledged only once it is reported as done."""

from __future__ import annotations

import dataclasses
import itertools
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any

import structlog
import zmq
from pika.exceptions import AMQPError

from pylib.errors import Failure, Permanent, Transient
from pylib.rabbitmq.broker import Broker, counts_deliveries, hang_up
from pylib.rabbitmq.consumption import Consumption
from pylib.rabbitmq.delivery import Delivery, delivery_of
from pylib.rabbitmq.loop import BrokerLoop
from pylib.rabbitmq.topology import Subscription, declare_subscription, lacks_quorum_queues, lift_limit

log = structlog.get_logger(__name__)

MAX_BODY = 1024 * 1024
TICK = 1.0
COUNT_EVERY_S = 60.0
"""Seconds between two looks at how many dead letters there are."""
GATHER = 0.05
"""Seconds in which acknowledgements are gathered: those within it cost one frame and one wake-up."""
LINGER_MS = 1000


class ZMQListener(BrokerLoop):
    """Consumes subscriptions and pushes each message, decoded, to an `inproc://` address.

    The socket, the connection and everything private belong to the listener's thread; `acknowledge`, `consume`,
    `pause`, `stop` and the properties may be used from any.
    """

    def __init__(
        self,
        name: str,
        broker: Broker,
        subscriptions: Sequence[Subscription],
        *,
        context: zmq.Context[zmq.Socket[bytes]],
        address: str,
        decode: Callable[[Delivery], object],
        encode: Callable[[Any], bytes],
        on_settled: Callable[[list[str]], None] = lambda _receipts: None,
        on_malformed: Callable[[Failure], None] = lambda _failure: None,
        prefetch: int = 1000,
        shared: bool = False,
    ) -> None:
        """`decode` raises `Permanent` for a message that can never be decoded: a dead letter.

        It may return a list: each of it is passed on, and a message of which nothing is left is acknowledged.
        `on_settled` gets receipts whose acknowledgement the broker has processed, so that their messages
        will not come again; `on_malformed` the reason for each refusal. Both run in the listener's thread.

        `prefetch`: of each queue. `shared`: others consume these queues in our place. Then none is consumed before
        `consume` says which, and one is given up only when all that was delivered of it is done.
        """
        super().__init__(name, broker)
        self._subscriptions = tuple(subscriptions)
        self._context = context
        self._address = address
        self._decode = decode
        self._encode = encode
        self._on_settled = on_settled
        self._on_malformed = on_malformed
        self._prefetch = prefetch
        self._shared = shared
        self._wanted = frozenset(() if shared else (one.queue for one in subscriptions))
        self._paused = threading.Event()
        self._sessions = itertools.count(1)
        self._acknowledged: deque[str] = deque()
        self._woken = False
        self._connection: Any = None
        self._channel: Any = None
        self._socket: Any = None
        self._consumed: dict[str, Consumption] = {}  # by queue
        self._outbox: deque[tuple[Consumption, int, bytes]] = deque()  # for which the socket had no room
        self._warned = False
        self._counted = -math.inf
        self.dead_letters: int | None = None
        """How many there were lately; None before the broker has said."""

    @property
    def consumed(self) -> frozenset[str]:
        """The queues that it consumes now, those that it gives up among them."""
        return frozenset(self._consumed)

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

    def consume(self, queues: Collection[str]) -> None:
        """Consume these of the subscriptions' queues from now on, and give up the others. Returns at once."""
        self._wanted = frozenset(queues)
        self._call(self._adjust)

    def pause(self) -> None:
        """Receive nothing more, but go on acknowledging what is in flight, until `stop`."""
        self._paused.set()
        self._call(self._adjust if self._shared else self._cancel)

    def stop(self) -> None:
        """Send the pending acknowledgements and return the rest to the broker."""
        super().stop()
        self._call(lambda: None)  # it wakes up

    def run(self) -> None:
        self._socket = self._context.socket(zmq.PUSH)
        try:
            # Room for a whole window: the broker, not the socket, decides how much is in flight.
            self._socket.set_hwm(self._prefetch * len(self._subscriptions))
            self._socket.setsockopt(zmq.LINGER, LINGER_MS)
            self._socket.connect(self._address)
            super().run()
        finally:
            self._socket.close()

    def _serve(self, connection: Any) -> None:
        for subscription in self._subscriptions:
            self._declare(connection, subscription)
        self._woken = False
        self._connection, self._channel = connection, connection.channel()
        self._adjust()
        self._connected()
        self._counted = -math.inf
        self._tick()
        while not self.stopping.is_set():
            connection.process_data_events(TICK)
            for one in self._consumed.values():
                one.check()
        if not self._shared:
            self._cancel()
        for one in self._consumed.values():
            one.leaving = False  # the rest goes back with the connection
        self._send_acknowledgements()
        for one in self._consumed.values() if self._shared else ():
            self._settle(one.settled())  # an answer: what is done is not lost with the connection

    def _declare(self, connection: Any, subscription: Subscription) -> None:
        try:
            limited = declare_subscription(connection, subscription)
        except AMQPError as error:
            if subscription.queue_type != "quorum" or not lacks_quorum_queues(error):
                raise
            # The refusal has closed the connection: the next one declares classic queues.
            self._subscriptions = tuple(dataclasses.replace(one, queue_type="classic") for one in self._subscriptions)
            raise Transient("no_quorum_queues", "the broker has none, a classic queue has to do") from None
        if not limited and counts_deliveries(connection) and not self._warned:
            self._warned = True
            command = lift_limit(subscription, vhost=self._broker.vhost)
            log.warning("an earlier release made the queue: triggers may become dead letters", remedy=command)

    def _disconnected(self) -> None:
        if self._shared and any(len(one.window) for one in self._consumed.values()):
            hang_up(self._connection)
        self._connection = self._channel = None
        self._consumed.clear()
        self._outbox.clear()

    # -- in the connection's loop -----------------------------------------------------------------

    def _call(self, callback: Callable[[], None]) -> None:
        """Have the connection's loop call this soon; without a connection, there is no need."""
        connection = self._connection
        if connection is not None:
            with suppress(AMQPError):
                connection.add_callback_threadsafe(callback)

    def _adjust(self) -> None:
        """Consume what is wanted, and begin to give up the rest."""
        ended = self._paused.is_set() or self.stopping.is_set()
        wanted = frozenset() if ended else self._wanted
        for queue in sorted(wanted - self._consumed.keys()):
            session = str(next(self._sessions))
            self._consumed[queue] = Consumption(
                self._connection, queue, session, prefetch=self._prefetch, receive=self._receive
            )
        for queue, one in self._consumed.items():
            one.leaving = queue not in wanted
        self._send_acknowledgements()

    def _receive(self, consumption: Consumption, method: Any, properties: Any, body: bytes) -> None:
        tag, waited = method.delivery_tag, consumption.came()
        receipt = consumption.window.receipt(tag)
        delivery = delivery_of(method, properties, body, waited=waited, receipt=receipt)
        try:
            frames = self._frames(delivery)
        except Permanent as failure:
            log.warning("malformed message", queue=consumption.queue, reason=str(failure))
            self._reject(consumption, tag, failure)
        except Exception as error:
            log.exception("message broke its decoder", queue=consumption.queue)
            self._reject(consumption, tag, Permanent("internal_error", type(error).__name__))
        else:
            consumption.window.add(tag)
            self._outbox += [(consumption, tag, frame) for frame in frames]
            self._push()
            if not frames:
                self.acknowledge(delivery.receipt)

    def _frames(self, delivery: Delivery) -> list[bytes]:
        size = len(delivery.body)
        if size > MAX_BODY:
            raise Permanent("too_large", f"a body of {size} bytes, more than {MAX_BODY}")
        decoded = self._decode(delivery)
        return [self._encode(one) for one in (decoded if isinstance(decoded, list) else [decoded])]

    def _reject(self, consumption: Consumption, tag: int, failure: Failure) -> None:
        consumption.reject(tag)
        self._on_malformed(failure)

    def _push(self) -> None:
        """Pass on as many messages as there is room for: waiting here would delay heartbeats and acknowledgements."""
        with suppress(zmq.Again):
            while self._outbox:
                self._socket.send(self._outbox[0][2], zmq.NOBLOCK)
                self._outbox.popleft()

    def _send_soon(self) -> None:
        # Waking the loop costs more than an acknowledgement: wait for others to come along.
        self._connection.call_later(GATHER, self._send_acknowledgements)

    def _send_acknowledgements(self) -> None:
        """Acknowledge what is done, but of queues that are to be given up only when nothing else of them is in hand."""
        self._woken = False
        if self._channel is None:
            return
        sessions = {one.session: one for one in self._consumed.values()}
        while self._acknowledged:
            receipt = self._acknowledged.popleft()
            if one := sessions.get(receipt.partition(":")[0]):
                one.done(receipt)
        for one in list(self._consumed.values()):
            if self._shared and one.may_go:
                del self._consumed[one.queue]
                self._settle(one.hand_over())
            elif not (self._shared and one.leaving):
                one.acknowledge()
        self._push()

    def _tick(self) -> None:
        self.beat()
        self._send_acknowledgements()
        for one in self._consumed.values():
            self._settle(one.settled())
        if time.monotonic() >= self._counted + COUNT_EVERY_S:
            self._counted = time.monotonic()
            dead = self._subscriptions[0].dead_letters
            self.dead_letters = int(self._channel.queue_declare(dead, passive=True).method.message_count)
        self._connection.call_later(TICK, self._tick)

    def _settle(self, receipts: list[str]) -> None:
        try:
            if receipts:
                self._on_settled(receipts)
        except Exception:
            log.exception("settled receipts not recorded", thread=self.name)

    def _cancel(self) -> None:
        """End consuming; messages that were delivered and not yet passed on are returned."""
        if self._channel is None:
            return
        for one in self._consumed.values():
            one.cancel()
        for consumption, tag in dict.fromkeys((one, tag) for one, tag, _ in self._outbox):
            consumption.give_back(tag)
        self._outbox.clear()

    def _return(self, receipt: str) -> None:
        """Give a message back, unless its connection was lost: the broker has it then."""
        for one in self._consumed.values():
            if tag := one.window.tag(receipt):
                one.give_back(tag)
