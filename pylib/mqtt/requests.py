"""What callers have asked one connection to publish, until the broker has confirmed it."""

from __future__ import annotations

import queue
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pylib.errors import Failure, Permanent
from pylib.mqtt.broker import Outgoing


@dataclass(eq=False, slots=True)
class Request:
    """Messages of a caller who waits."""

    messages: Sequence[Outgoing]
    outcome: queue.SimpleQueue[Failure | None] = field(default_factory=queue.SimpleQueue)
    unconfirmed: set[int] = field(default_factory=set)
    abandoned: bool = False


class Started:
    """The requests of one connection that are under way. Belongs to the connection's thread."""

    def __init__(self) -> None:
        self._requests: set[Request] = set()
        self._of: dict[int, Request] = {}  # by the id of each message that is not confirmed yet

    def start(self, request: Request, client: Any) -> None:
        """Publish its messages in their order, unless its caller waits no more."""
        if request.abandoned:
            return
        self._requests.add(request)
        try:
            for message in request.messages:
                info = client.publish(message.topic, message.payload, qos=1, retain=message.retain)
                request.unconfirmed.add(info.mid)
                self._of[info.mid] = request
        except ValueError as error:
            self._requests.discard(request)
            request.outcome.put(Permanent("mqtt_unsendable", str(error)))

    def confirmed(self, message_id: int) -> None:
        """The broker has this message."""
        request = self._of.pop(message_id, None)
        if request is not None:
            request.unconfirmed.discard(message_id)
            if not request.unconfirmed:
                self._requests.discard(request)
                request.outcome.put(None)

    def fail(self, failure: Failure) -> None:
        """The connection is lost, and the broker may have some of them all the same."""
        for request in self._requests:
            request.outcome.put(failure)
