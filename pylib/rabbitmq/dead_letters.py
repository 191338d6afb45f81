"""The dead letters of a subscription: looked at, put back into the queue, or dropped."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pylib.errors import Permanent
from pylib.rabbitmq.delivery import RETRIED, Delivery, delivery_of
from pylib.rabbitmq.topology import Subscription

RENEW_AT = 10
"""Deliveries after which a letter that stays is written anew: RabbitMQ 4 may drop what it has delivered 20 times."""
COUNT = "x-delivery-count"
"""The header in which a quorum queue counts earlier deliveries."""

COPIES = ("CC", "BCC")
"""The headers with further routing keys: who is named there has had it."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One of them, in the hands of `DeadLetters`."""

    id: str
    """8 hex digits, the same each time it is looked at."""
    delivery: Delivery
    reason: str
    """The broker's word: `rejected` by the service, `delivery_limit`; empty when it does not tell."""
    died_at: datetime | None
    tag: int
    properties: Any


class DeadLetters:
    """The dead letters that were there when the first was looked at. What is neither put back nor dropped stays."""

    def __init__(self, connection: Any, subscription: Subscription) -> None:
        self._subscription = subscription
        self._channel = connection.channel()
        self._channel.confirm_delivery()
        self._held: dict[int, DeadLetter] = {}

    def __iter__(self) -> Iterator[DeadLetter]:
        """Each of them, the oldest first. Raises pika's errors, as all methods do."""
        queue = self._subscription.dead_letters
        for _ in range(self._channel.queue_declare(queue, passive=True).method.message_count):
            method, properties, body = self._channel.basic_get(queue)
            if method is None:
                return
            letter = _letter(method, properties, body)
            self._held[letter.tag] = letter
            yield letter

    def put_back(self, letter: DeadLetter) -> None:
        """Put it into the queue it came from, confirmed, and only then take it from here. Raises `Permanent`."""
        headers = _without(letter.delivery.headers, "x-death", "x-first-death-", "x-last-death-", COUNT)
        self._publish(self._subscription.queue, letter, {**headers, RETRIED: True})
        self.drop(letter)

    def drop(self, letter: DeadLetter) -> None:
        """Delete it for good."""
        self._channel.basic_ack(letter.tag)
        del self._held[letter.tag]

    def close(self) -> None:
        """Let go of those that stay."""
        for letter in list(self._held.values()):
            count = letter.delivery.headers.get(COUNT)
            if isinstance(count, int) and count >= RENEW_AT:
                self._publish(self._subscription.dead_letters, letter, _without(letter.delivery.headers, COUNT))
                self.drop(letter)
        self._channel.close()

    def _publish(self, queue: str, letter: DeadLetter, headers: Mapping[str, Any]) -> None:
        from pika.exceptions import NackError, UnroutableError

        letter.properties.headers = {name: value for name, value in headers.items() if name not in COPIES}
        letter.properties.user_id = None  # the broker takes no message in another user's name
        try:
            self._channel.basic_publish("", queue, letter.delivery.body, properties=letter.properties, mandatory=True)
        except (UnroutableError, NackError):
            raise Permanent("not_put_back", f"the broker does not take it into {queue!r}; it is still here") from None


def _without(headers: Mapping[str, Any], *beginnings: str) -> dict[str, Any]:
    return {name: value for name, value in headers.items() if not str(name).startswith(beginnings)}


def _letter(method: Any, properties: Any, body: bytes) -> DeadLetter:
    delivery = delivery_of(method, properties, body, waited=True)
    deaths = delivery.headers.get("x-death")
    last = deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else {}
    died_at = last.get("time")
    return DeadLetter(
        id=hashlib.sha256(str(properties.message_id).encode() + body).hexdigest()[:8],
        delivery=delivery,
        reason=str(last.get("reason") or ""),
        died_at=died_at.replace(tzinfo=UTC) if isinstance(died_at, datetime) else None,
        tag=method.delivery_tag,
        properties=properties,
    )
