"""Exchanges and queues: uses those that exist, declares those that do not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pylib.rabbitmq.broker import NOT_FOUND, PRECONDITION_FAILED, RESOURCE_LOCKED, Broker, explain

DELIVERY_LIMIT = 1_000_000
"""Deliveries after which a quorum queue dead-letters a message by itself. RabbitMQ 4 does so after 20 unless told
otherwise, and when a consumer dies, all that was prefetched counts as delivered. No crash loop reaches this."""
DEAD_MESSAGES = 10_000
DEAD_BYTES = 256 * 1024 * 1024
"""Bytes that a dead-letter queue keeps, the newest: enough to look into, not enough to fill a disk."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """An exchange as we would declare it; an existing one is used as it is."""

    name: str
    type: str = "direct"
    durable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A durable queue of our own with a dead-letter queue beside it, bound to an exchange where there is one."""

    exchange: Exchange | None = None
    routing_keys: tuple[str, ...] = ()
    queue: str
    queue_type: str = "quorum"
    """`quorum`, or `classic`."""
    one_at_a_time: bool = False
    """The broker delivers to one of its consumers, and to the next when that one has gone."""
    dead: str = ""
    """Name of the dead-letter queue; `<queue>.dead` unless set."""

    @property
    def dead_letters(self) -> str:
        """Name of the dead-letter exchange (fanout) and of the queue behind it."""
        return self.dead or f"{self.queue}.dead"


def declare_exchange(connection: Any, exchange: Exchange) -> None:
    """Declare the exchange if it does not exist. Peers declare the same one, and not always like us.

    Raises pika's errors; ChannelClosedByBroker when the broker permits neither to use nor to make it.
    """
    if _declared(connection, exchange, passive=True) or _declared(connection, exchange, passive=False):
        return
    # A peer that starts together with us has just made it, in its own way.
    channel = connection.channel()
    channel.exchange_declare(exchange.name, passive=True)
    channel.close()


def exchange_exists(broker: Broker, name: str) -> bool:
    """Whether there is such an exchange; over a connection of its own. Raises `Failure`."""
    try:
        connection = broker.connect("check")
        try:
            return _declared(connection, Exchange(name), passive=True)
        finally:
            connection.close()
    except Exception as error:  # noqa: BLE001 - pika has many exceptions
        failure = explain(error)
        raise type(failure)(failure.code, f"{broker.address}: {failure.detail}") from None


def declare_subscription(connection: Any, subscription: Subscription) -> bool:
    """Declare and bind the queues if they do not exist. Raises ChannelClosedByBroker (406) where they differ.

    Returns whether they have our delivery limit: those that an earlier release made are used as they are.
    """
    queue, dead, kind = subscription.queue, subscription.dead_letters, subscription.queue_type
    if subscription.exchange is not None:
        declare_exchange(connection, subscription.exchange)
    declare_exchange(connection, Exchange(dead, "fanout", durable=True))
    bounds: dict[str, object] = {"x-max-length": DEAD_MESSAGES, "x-max-length-bytes": DEAD_BYTES}
    dead_limited = _declare_queue(connection, dead, kind, bounds)
    _bind(connection, dead, dead, "")
    single: dict[str, object] = {"x-single-active-consumer": True} if subscription.one_at_a_time else {}
    limited = _declare_queue(connection, queue, kind, _dead_lettering(kind, dead) | single)
    if subscription.exchange is not None:
        _bind(connection, queue, subscription.exchange.name, *subscription.routing_keys)
    return limited and dead_limited


def hold(connection: Any, queue: str, *, arguments: dict[str, object] | None = None) -> bool:
    """Have a queue that is this connection's alone and goes with it; False where another connection has it."""
    from pika.exceptions import ChannelClosedByBroker

    channel = connection.channel()
    try:
        channel.queue_declare(queue, exclusive=True, arguments=arguments)
    except ChannelClosedByBroker as error:
        if error.reply_code != RESOURCE_LOCKED:
            raise
        return False
    channel.close()
    return True


def lift_limit(subscription: Subscription, *, vhost: str) -> str:
    """The command by which an operator raises the delivery limit of queues that an earlier release made."""
    pattern = f"^{re.escape(subscription.queue)}(\\.dead)?$"
    policy = f'{{"delivery-limit": {DELIVERY_LIMIT}}}'
    return f"rabbitmqctl set_policy -p {vhost} {subscription.queue}-deliveries '{pattern}' '{policy}' --apply-to queues"


def lacks_quorum_queues(error: Exception) -> bool:
    """Whether this refusal means that the broker has no such queues, or not yet (a feature flag)."""
    text = str(getattr(error, "reply_text", ""))
    return "feature flag is disabled" in text or "unsupported queue type" in text


def _declared(connection: Any, exchange: Exchange, *, passive: bool) -> bool:
    """Look the exchange up, or declare it; False when it is missing, or exists already and differs."""
    from pika.exceptions import ChannelClosedByBroker

    channel = connection.channel()
    try:
        channel.exchange_declare(exchange.name, exchange.type, durable=exchange.durable, passive=passive)
    except ChannelClosedByBroker as error:
        if error.reply_code not in (NOT_FOUND, PRECONDITION_FAILED):
            raise
        return False
    channel.close()
    return True


def _declare_queue(connection: Any, queue: str, kind: str, arguments: dict[str, object]) -> bool:
    """Declare a durable queue; False where one exists that differs only in having no limit of ours."""
    from pika.exceptions import ChannelClosedByBroker

    arguments = {"x-queue-type": kind, **arguments}
    if kind == "quorum":
        channel = connection.channel()
        try:
            channel.queue_declare(queue, durable=True, arguments={**arguments, "x-delivery-limit": DELIVERY_LIMIT})
        except ChannelClosedByBroker as error:
            if "inequivalent arg 'x-delivery-limit'" not in error.reply_text:
                raise
        else:
            channel.close()
            return True
    channel = connection.channel()
    channel.queue_declare(queue, durable=True, arguments=arguments)
    channel.close()
    return kind != "quorum"


def _bind(connection: Any, queue: str, exchange: str, *keys: str) -> None:
    channel = connection.channel()
    for key in keys:
        channel.queue_bind(queue, exchange, key)
    channel.close()


def _dead_lettering(queue_type: str, exchange: str) -> dict[str, object]:
    arguments: dict[str, object] = {"x-dead-letter-exchange": exchange}
    if queue_type == "quorum":
        # Else a dead letter is lost when the broker dies between the two queues
        # (https://www.rabbitmq.com/docs/quorum-queues#dead-lettering); it demands this overflow behaviour.
        arguments |= {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
    return arguments
