"""Publishing many messages at once, in their order, and hearing of each when the broker has it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pika

from pylib.errors import Permanent, Transient
from pylib.rabbitmq.broker import frame_max


@dataclass(frozen=True, slots=True)
class Message:
    """A message for one queue."""

    queue: str
    body: bytes
    message_id: str
    content_type: str = ""
    headers: Mapping[str, Any] = field(default_factory=dict)


class Pipeline:
    """A channel in confirm mode that does not wait for each confirm, as pika's blocking channel does.

    It belongs to the connection's thread. Confirms come while that processes events, and wake it.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._channel: Any = connection.channel()._impl  # the one below the blocking one
        self._channel.confirm_delivery(self._answered)
        self._channel.add_on_return_callback(self._returned)
        self._frame_max = frame_max(connection)
        self._number = 0
        self._sent: OrderedDict[int, int] = OrderedDict()
        self._confirmed: list[int] = []
        self._failure: Transient | None = None

    def __len__(self) -> int:
        """Messages that the broker has not confirmed."""
        return len(self._sent)

    def publish(self, message: Message, tag: int) -> None:
        """Send it when the connection next processes events; `confirmed` has the tag then. Raises `Permanent`."""
        properties = pika.BasicProperties(
            content_type=message.content_type or None,
            delivery_mode=2,
            message_id=message.message_id,
            headers=dict(message.headers) or None,
        )
        try:
            size = len(pika.frame.Header(1, len(message.body), properties).marshal())
        except pika.exceptions.ShortStringTooLong:  # what was no UTF-8 is longer as text
            raise Permanent("too_large", "its message id or content type takes more than 255 bytes") from None
        if size > self._frame_max:
            raise Permanent("too_large", f"its headers take {size} bytes, the broker allows {self._frame_max}")
        self._channel.basic_publish("", message.queue, message.body, properties, mandatory=True)
        self._number += 1
        self._sent[self._number] = tag

    def confirmed(self) -> list[int]:
        """The tags of what the broker has, since the last call. Raises `Transient` where it does not have something."""
        if self._failure is not None:
            raise self._failure
        if not self._channel.is_open:
            raise Transient("channel_closed", "the broker has closed the channel that messages are passed on over")
        confirmed, self._confirmed = self._confirmed, []
        return confirmed

    def _answered(self, frame: Any) -> None:
        number, several = frame.method.delivery_tag, frame.method.multiple
        if not isinstance(frame.method, pika.spec.Basic.Ack):
            self._failure = Transient("nack", "the broker could not take the message")
        elif several:
            while self._sent and next(iter(self._sent)) <= number:
                self._confirmed.append(self._sent.popitem(last=False)[1])
        elif (tag := self._sent.pop(number, None)) is not None:
            self._confirmed.append(tag)
        self._connection.add_callback_threadsafe(lambda: None)  # it returns from its wait

    def _returned(self, _channel: Any, method: Any, _properties: Any, _body: bytes) -> None:
        self._failure = Transient("unroutable", f"there is no queue {method.routing_key!r}")
