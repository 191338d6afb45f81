"""One queue that a listener consumes: what of it is in flight, and how it is handed over to another consumer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from pylib.errors import Transient
from pylib.rabbitmq.backlog import Backlog
from pylib.rabbitmq.window import Window


class Consumption:
    """A channel with one consumer. Belongs to the connection's thread."""

    def __init__(
        self,
        connection: Any,
        queue: str,
        session: str,
        *,
        prefetch: int,
        receive: Callable[[Consumption, Any, Any, bytes], None],
    ) -> None:
        """Consumes from now on. `session` begins its receipts; no other may have had it."""
        self.queue = queue
        self.session = session
        self.leaving = False
        """To be handed over: nothing is acknowledged until all that is in hand is done, so that nothing new comes."""
        self._channel = channel = connection.channel()
        channel.basic_qos(prefetch_count=prefetch)
        channel.add_on_cancel_callback(self._cancelled_by_broker)
        self.window = Window(session, prefetch)
        self._backlog = Backlog(self._ready())
        self._done: deque[str] = deque()
        self._unsettled: list[str] = []
        channel.basic_consume(queue, lambda _, method, properties, body: receive(self, method, properties, body))

    def came(self) -> bool:
        """A message has come; returns whether it had been waiting."""
        return self._backlog.delivered()

    def done(self, receipt: str) -> None:
        """The message of this receipt is done for good; `acknowledge` says so to the broker."""
        self._done.append(receipt)

    def acknowledge(self) -> None:
        """Acknowledge what is done."""
        if not self._done:
            return
        if self.window.full:
            # Messages that are ready now have been waiting; after this they begin to come.
            self._backlog = Backlog(self._ready())
        done = self.window.take(self._done)
        if done.up_to:
            self._channel.basic_ack(done.up_to, multiple=True)
        for tag in done.others:
            self._channel.basic_ack(tag)
        self._unsettled += done.receipts

    def reject(self, tag: int) -> None:
        """A dead letter."""
        self._channel.basic_reject(tag, requeue=False)

    def give_back(self, tag: int) -> None:
        """Have the broker deliver it again."""
        self.window.discard(tag)
        self._channel.basic_nack(tag, requeue=True)

    def settled(self) -> list[str]:
        """The receipts whose acknowledgement the broker has processed since the last call."""
        if not (self._unsettled or self._backlog.doubtful):
            return []
        # An answer about the queue over the same channel: the acknowledgements were processed before it.
        settled, self._unsettled = self._unsettled, []
        self._backlog.verify(self._ready())
        return settled

    def cancel(self) -> None:
        """Receive nothing more; what pika holds of it goes back."""
        self._channel.stop_consuming()

    @property
    def may_go(self) -> bool:
        """Whether it is to be handed over, and nothing of it is in hand that is not done."""
        return self.leaving and len(self.window) <= len({*self._done})

    def hand_over(self) -> list[str]:
        """End it; the receipts that are settled thereby.

        The next consumer gets nothing before all that we had is done, and nothing of that is delivered again.
        """
        self.cancel()
        self.acknowledge()
        self._channel.close()  # answered, so the acknowledgements are processed
        return self._unsettled

    def check(self) -> None:
        """Raises `Transient` where the broker has closed the channel."""
        if not self._channel.is_open:
            raise Transient("channel_closed", f"the broker has closed the channel of queue {self.queue!r}")

    def _ready(self) -> int:
        """How many messages wait in the queue without a consumer."""
        return int(self._channel.queue_declare(self.queue, passive=True).method.message_count)

    def _cancelled_by_broker(self, _frame: Any) -> None:
        raise Transient("consumer_cancelled", f"queue {self.queue!r} was deleted or moved")
