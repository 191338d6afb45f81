"""Puts triggers into the queue of their camera's shard, whoever of the replicas got them."""

from __future__ import annotations

import hashlib
import re
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from app import wire
from app.journal import Journal
from app.messages import Trigger
from app.replicas.names import GroupNames
from pylib.errors import Permanent, Transient
from pylib.rabbitmq.delivery import Delivery
from pylib.rabbitmq.pipeline import Message
from pylib.runtime.stage import Stage

ORIGIN, EVENT, WAITED = "x-snapshot-origin", "x-snapshot-event", "x-snapshot-waited"
"""Headers of triggers in a shard: where they came from, the id of their event, whether they had waited before."""
OWN = frozenset({ORIGIN, EVENT, WAITED, "x-delivery-count", "x-acquired-count", "x-death"})
"""Headers that no sender decides about: ours, and the broker's."""
EVENT_ID = re.compile("[0-9a-f]{32}")
CLOCK_RUNS_S = 3600.0
"""Seconds between a sensor's clock and ours within which it runs, so that no two of its triggers are the same."""
REMEMBERED = 10_000
"""Triggers without an id that are known again."""
CONFIRM_S = 10.0


class Publish(Protocol):
    """Of `pylib.rabbitmq.publisher.ConfirmedPublisher`."""

    def __call__(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        *,
        message_id: str,
        headers: Mapping[str, Any],
        mandatory: bool,
        timeout: float,
    ) -> None: ...


class Front:
    """Passes on what sensors send: same body, same id. One that has no id gets one."""

    def __init__(
        self, names: GroupNames, *, decode: Callable[[Delivery], Trigger], now: Callable[[], float] = time.time
    ) -> None:
        """`decode` raises `Permanent` for what is no trigger."""
        self._names = names
        self._decode = decode
        self._now = now
        self._seen: OrderedDict[str, None] = OrderedDict()

    def place(self, delivery: Delivery) -> Message:
        """It, for the queue of its shard. Raises `Permanent` for a dead letter."""
        trigger = self._decode(delivery)
        headers = {name: value for name, value in delivery.headers.items() if name not in OWN}
        if delivery.queued:
            headers[WAITED] = True
        return Message(
            self._names.queue_of(trigger.camera),
            delivery.body,
            message_id=delivery.message_id or self._id_of(delivery, trigger),
            content_type=delivery.content_type,
            headers=headers,
        )

    def _id_of(self, delivery: Delivery, trigger: Trigger) -> str:
        """Made of its body where that is like no other's, so that it has the same if it comes again, to whichever
        replica."""
        digest = hashlib.sha256(delivery.body).hexdigest()
        runs = abs(self._now() - trigger.timestamp.timestamp()) < CLOCK_RUNS_S
        if not runs or (digest in self._seen and not delivery.redelivered):
            return uuid.uuid4().hex
        self._seen[digest] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return f"sha256:{digest}"


class Forward(Stage[Trigger]):
    """Passes on triggers from all other sources, and then tells these that they are done."""

    def __init__(
        self, publish: Publish, names: GroupNames, *, journal: Journal, acknowledge: Callable[[Trigger], None]
    ) -> None:
        self._publish = publish
        self._names = names
        self._journal = journal
        self._acknowledge = acknowledge
        self._known: OrderedDict[str, str] = OrderedDict()  # key -> id of its event

    def handle(self, trigger: Trigger) -> Iterable[object]:
        """Returns when the broker has it. Raises `Transient`."""
        trigger = self._known_again(trigger)
        headers: dict[str, Any] = {ORIGIN: trigger.origin, EVENT: trigger.id}
        if trigger.queued or trigger.redelivered:
            headers[WAITED] = True
        body = wire.trigger_body(
            trigger.camera,
            trigger.label,
            timestamp=trigger.timestamp,
            device_params=trigger.device_params,
            active_input=trigger.active_input,
            traceparent=trigger.traceparent,
            baggage=trigger.baggage,
            burst=trigger.burst,
        )
        self._put(self._names.queue_of(trigger.camera), body, message_id=trigger.id, headers=headers)
        self._journal.withdraw(trigger.id)
        self._acknowledge(trigger)
        return ()

    def pending(self) -> Iterable[Trigger]:
        """What was accepted over HTTP or by the clock, and is in no shard yet."""
        return self._journal.accepted()

    def _put(self, queue: str, body: bytes, *, message_id: str, headers: Mapping[str, Any]) -> None:
        """Have the broker confirm it. Raises `Transient`, also for a refusal, which a person may end."""
        try:
            self._publish("", queue, body, message_id=message_id, headers=headers, mandatory=True, timeout=CONFIRM_S)
        except Permanent as failure:
            raise Transient(failure.code, failure.detail) from None

    def _known_again(self, trigger: Trigger) -> Trigger:
        """Under the id that it had, where its broker delivers it again."""
        if not trigger.key:
            return trigger
        if trigger.redelivered and trigger.key in self._known:
            return replace(trigger, id=self._known[trigger.key])
        self._known[trigger.key] = trigger.id
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return trigger


def shard_decoder(decode: Callable[[Delivery], Trigger]) -> Callable[[Delivery], Trigger]:
    """A decoder of what lies in a shard, by that of what sensors send."""

    def decode_forwarded(delivery: Delivery) -> Trigger:
        trigger = decode(delivery)
        origin, event = delivery.headers.get(ORIGIN), delivery.headers.get(EVENT)
        return replace(
            trigger,
            origin=origin if isinstance(origin, str) and origin else trigger.origin,
            id=event if isinstance(event, str) and EVENT_ID.fullmatch(event) else trigger.id,
            queued=trigger.queued or WAITED in delivery.headers,
        )

    return decode_forwarded
