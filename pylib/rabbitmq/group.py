"""Several processes over one broker: they hear of each other, and one of them leads."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from typing import Any, Protocol

import structlog
from pika.exceptions import AMQPError

from pylib.errors import Failure, Permanent, Transient
from pylib.rabbitmq.backlog import Backlog
from pylib.rabbitmq.broker import Broker
from pylib.rabbitmq.delivery import Delivery, delivery_of
from pylib.rabbitmq.listener import MAX_BODY
from pylib.rabbitmq.loop import BrokerLoop
from pylib.rabbitmq.pipeline import Message, Pipeline
from pylib.rabbitmq.topology import Exchange, Subscription, declare_exchange, declare_subscription, hold

log = structlog.get_logger(__name__)

SAY_EVERY_S = 3.0
"""Seconds between two messages in which a member says that it is there, and two attempts to become one."""
TURN_S = 0.5
"""Longest wait of the loop."""
FRONT_PREFETCH = 100
"""Messages of the front that the leader has in hand: few, for all of them come again when it dies."""
LAST_CONFIRMS_S = 2.0
"""Seconds that a leader who leaves waits for the broker to confirm what it has passed on."""
SAID_FOR_MS = 15_000
"""Milliseconds for which a member's inbox keeps what was said."""


class Part(Protocol):
    """What a member is to the others. All of it is called in the group's thread."""

    def say(self, *, leaving: bool) -> bytes:
        """What all members are told now."""
        ...

    def hear(self, said: bytes) -> bool:
        """A member has said this, ourselves among them; returns whether to answer at once. Raises `Failure`."""
        ...

    def turn(self) -> bool:
        """Look at what has changed, at least every `TURN_S`; returns whether to tell the others at once."""
        ...

    def may_lead(self) -> bool:
        """Whether nobody is known to lead."""
        ...

    def place(self, delivery: Delivery) -> Message:
        """Where a message of the front goes, called in their order. Raises `Permanent` for a dead letter."""
        ...

    def refused(self, failure: Failure) -> None:
        """A message of the front became a dead letter."""
        ...


class Group(BrokerLoop):
    """One member's connection. Its name and the lead are queues that are this connection's alone: the broker frees both
    with it, and with the lead the consumer of the front and what passes its messages on, so that no two ever do."""

    def __init__(
        self, name: str, broker: Broker, part: Part, *, exchange: str, inbox: str, lead: str, front: Subscription
    ) -> None:
        """`exchange`: over which members are told; `inbox`: the queue of this member's name; `lead`: the leader's."""
        super().__init__(name, broker)
        self._part = part
        self._exchange = exchange
        self._inbox = inbox
        self._lead = lead
        self._front = front
        self._paused = threading.Event()
        self._connection: Any = None
        self._reset()

    def _reset(self) -> None:
        self._channel: Any = None
        self._taken: deque[tuple[int, Delivery]] = deque()
        self._pipeline: Any = None
        self._backlog = Backlog()
        self._next = 0.0
        self._warned = self._left = False
        self.member = False
        """Whether this member's name is its own."""
        self.leads = False
        """Whether it holds the lead, as far as it knows."""

    def pause(self) -> None:
        """Leave the group: another leads, and the others know at once."""
        self._paused.set()
        self._wake()

    def stop(self) -> None:
        super().stop()
        self._wake()

    def _wake(self) -> None:
        connection = self._connection
        if connection is not None:
            with suppress(AMQPError):
                connection.add_callback_threadsafe(lambda: None)

    def _serve(self, connection: Any) -> None:
        declare_exchange(connection, Exchange(self._exchange, "fanout", durable=True))
        declare_subscription(connection, self._front)
        self._connection, self._channel = connection, connection.channel()
        self._channel.basic_qos(prefetch_count=FRONT_PREFETCH)
        self._channel.add_on_cancel_callback(self._cancelled_by_broker)
        self._pipeline = Pipeline(connection)
        self._connected()
        while not self.stopping.is_set():
            self.beat()
            if self._paused.is_set():
                self._leave()
            elif time.monotonic() >= self._next:
                self._next = time.monotonic() + SAY_EVERY_S
                self._keep_up()
            if self._part.turn():
                self._next = 0.0
            connection.process_data_events(TURN_S)
            if not self._channel.is_open:
                raise Transient("channel_closed", "the broker has closed the channel of the group")
            self._pass_on()
        self._leave()

    def _disconnected(self) -> None:
        self._connection = None
        self._reset()

    # -- in the connection's loop -----------------------------------------------------------------

    def _keep_up(self) -> None:
        """Be a member, say so, and lead where nobody does."""
        if not self.member:
            self.member = hold(self._connection, self._inbox, arguments={"x-message-ttl": SAID_FOR_MS})
            if not self.member:
                self._warn()
                return
            self._channel.queue_bind(self._inbox, self._exchange)
            self._channel.basic_consume(self._inbox, self._hear, auto_ack=True)
        if not self.leads and self._part.may_lead() and hold(self._connection, self._lead):
            self.leads = True
            self._backlog = Backlog(self._ready())
            self._channel.basic_consume(self._front.queue, self._receive, consumer_tag=self._lead)
        if self._backlog.doubtful:
            self._backlog.verify(self._ready())
        self._say(leaving=False)

    def _warn(self) -> None:
        if not self._warned:
            self._warned = True
            log.warning("another connection has this member's name", queue=self._inbox)

    def _say(self, *, leaving: bool) -> None:
        self._channel.basic_publish(self._exchange, "", self._part.say(leaving=leaving))

    def _leave(self) -> None:
        """Give up the lead and the name; what is in hand of the front goes back."""
        if self._left or not self.member:
            return
        self._left = True
        if self.leads:
            self.leads = False
            self._channel.basic_cancel(self._lead)
            self._pass_on()
            ends = time.monotonic() + LAST_CONFIRMS_S
            while len(self._pipeline) and time.monotonic() < ends:
                self._connection.process_data_events(TURN_S)
                self._pass_on()
            # What is not confirmed goes back, and then to the next leader, who passes it on under the same id.
            self._channel.basic_nack(0, multiple=True, requeue=True)
            self._channel.queue_delete(self._lead)
        self._say(leaving=True)

    def _hear(self, _channel: Any, _method: Any, _properties: Any, body: bytes) -> None:
        try:
            if body and self._part.hear(body):  # who only tries whether it may says nothing
                self._next = 0.0
        except Failure as failure:
            log.warning("a member was not understood", exchange=self._exchange, reason=str(failure))
        except Exception:  # it says so every few seconds, and each would cost us the lead
            log.exception("what a member said broke its receiver", exchange=self._exchange)

    def _receive(self, _channel: Any, method: Any, properties: Any, body: bytes) -> None:
        delivery = delivery_of(method, properties, body, waited=self._backlog.delivered())
        self._taken.append((method.delivery_tag, delivery))

    def _pass_on(self) -> None:
        """Pass on what has come, and acknowledge what the broker has confirmed. Raises `Transient`: all comes again."""
        if len(self._taken) + len(self._pipeline) >= FRONT_PREFETCH:
            self._backlog = Backlog(self._ready())  # the broker holds them back: they have been waiting
        while self._taken:
            tag, delivery = self._taken.popleft()
            try:
                self._pipeline.publish(self._placed(delivery), tag)
            except Permanent as failure:
                log.warning("malformed message", queue=self._front.queue, reason=str(failure))
                self._channel.basic_reject(tag, requeue=False)
                self._part.refused(failure)
        for tag in self._pipeline.confirmed():
            self._channel.basic_ack(tag)

    def _placed(self, delivery: Delivery) -> Message:
        """Raises `Permanent`."""
        if len(delivery.body) > MAX_BODY:
            raise Permanent("too_large", f"a body of {len(delivery.body)} bytes, more than {MAX_BODY}")
        try:
            return self._part.place(delivery)
        except Permanent:
            raise
        except Exception as error:
            log.exception("message broke its receiver", queue=self._front.queue)
            raise Permanent("internal_error", type(error).__name__) from None

    def _ready(self) -> int:
        return int(self._channel.queue_declare(self._front.queue, passive=True).method.message_count)

    def _cancelled_by_broker(self, _frame: Any) -> None:
        raise Transient("consumer_cancelled", f"queue {self._front.queue!r} or {self._inbox!r} was deleted or moved")
