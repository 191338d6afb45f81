"""Objects in buckets of servers that notify by AMQP, as Ceph and MinIO do: from a durable queue of our own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Self

import structlog
from pydantic import Field, model_validator

from app.messages import ObjectCreated, encode
from app.pipeline.collect import ObjectContent
from app.sources import Found, SourceContext
from app.sources.buckets import notifications, reading
from app.sources.buckets.cameras import WatchedObjects
from app.sources.buckets.reading import ObjectStore
from app.sources.buckets.settings import BucketSourceSettings
from app.sources.parts import Parts
from pylib.rabbitmq.delivery import Delivery
from pylib.rabbitmq.listener import ZMQListener
from pylib.rabbitmq.settings import BrokerSettings
from pylib.rabbitmq.topology import Exchange, Subscription, exchange_exists

log = structlog.get_logger(__name__)

CODES = {
    "broker_away": ("The broker is unreachable.", "start the broker, or correct the source's `server_address`"),
    "access_refused": (
        "The broker refuses the login, or what it asks for.",
        "correct the source's `username`, `password` and `vhost`, and let this user use its exchange and queue",
    ),
}
"""Code -> what happened, and what to do about it; what all sources of objects have stands in `reading`."""


class BucketAmqpSettings(BucketSourceSettings, BrokerSettings):
    """Notifications of buckets from RabbitMQ, as Ceph and MinIO send them."""

    exchange: str = Field(
        min_length=1,
        max_length=100,
        description="The exchange that they are sent to: Ceph's `amqp-exchange`. A durable topic exchange is declared"
        " where there is none.",
    )
    topic: str = Field(
        min_length=1, max_length=200, description="Their routing key: the name of Ceph's topic; `#` for any."
    )

    @model_validator(mode="after")
    def _has_a_broker(self) -> Self:
        if not self.server_address:
            raise ValueError("set server_address, the broker that the notifications are sent to")
        return self


class BucketAmqp:
    """Consumes notifications; each is acknowledged when all of its objects have their outcomes."""

    title = "an object in a bucket, over RabbitMQ"
    queued = True
    Settings = BucketAmqpSettings
    permissions = staticmethod(reading.permissions)

    @staticmethod
    def check(settings: BucketAmqpSettings) -> Iterator[Found]:
        """What is there; nothing is declared or consumed. Raises `Failure`."""
        text = f"exchange {settings.exchange} on {settings.broker.address}"
        if exchange_exists(settings.broker, settings.exchange):
            yield Found(text)
        else:
            yield Found(f"no {text}: the service makes it", "name it as the bucket's server does")
        yield from reading.check(settings)

    def __init__(self, settings: BucketAmqpSettings, context: SourceContext) -> None:
        self._name = context.name
        self._broker = settings.broker.address
        self._store = ObjectStore(settings, source=context.name)
        self._watched = WatchedObjects(settings, cameras=context.cameras)
        self._count = context.count
        self._parts = Parts()
        self.thread = ZMQListener(
            f"listener {context.name}",
            settings.broker,
            [subscription(settings, app_name=context.app_name, name=context.name)],
            context=context.transport.context,
            address=context.objects_address,
            decode=self.objects_of,
            encode=encode,
            on_settled=self._settled,
            on_malformed=lambda failure: self._count(self._name, failure.code),
            prefetch=settings.max_in_hand,
        )

    @property
    def connected(self) -> bool:
        """Whether the broker is there and lets us consume, and the buckets could be read. From any thread."""
        return not self.problem

    @property
    def problem(self) -> str:
        """Why nothing can come now; empty when all is well."""
        away = "" if self.thread.connected else f"not connected to {self._broker}"
        return "; ".join(filter(None, (away, self._store.problem)))

    def read(self, found: ObjectCreated) -> ObjectContent:
        """What is in an object. Raises `ObjectRejected` or `ObjectUnavailable`."""
        return self._store.read(found)

    def acknowledge(self, receipt: str) -> None:
        """It is recorded: the broker hears so when all objects of its message are."""
        if message := self._parts.done(receipt):
            self.thread.acknowledge(message)

    def retry(self, receipt: str, *, after: float) -> None:
        """Have the broker deliver its message again; what is recorded of it by then is only acknowledged."""
        message = receipt.rpartition(":")[0]
        self._parts.settled([message])
        self.thread.retry(message, after=after)

    def objects_of(self, delivery: Delivery) -> list[ObjectCreated]:
        """The objects that count of those that a message tells of. Raises `NotAnEvent`."""
        found = [
            created
            for one in notifications.parse(delivery.body, in_part=self._left_out)
            if (created := self._watched.created(one, origin=self._name, redelivered=delivery.redelivered))
        ]
        receipts = self._parts.of(delivery.receipt, len(found))
        return [replace(one, receipt=receipt) for one, receipt in zip(found, receipts, strict=True)]

    def _left_out(self, error: notifications.NotAnEvent) -> None:
        self._count(self._name, error.code)
        log.warning("message rejected in part", source=self._name, reason=str(error))

    def _settled(self, messages: list[str]) -> None:
        self._parts.settled(messages)


def subscription(settings: BucketAmqpSettings, *, app_name: str, name: str) -> Subscription:
    """What it consumes: a durable queue of its own, bound to the exchange."""
    return Subscription(
        exchange=Exchange(settings.exchange, "topic", durable=True),
        routing_keys=(settings.topic,),
        queue=f"{app_name}.{name}.objects",
        queue_type=settings.queue_type,
    )
