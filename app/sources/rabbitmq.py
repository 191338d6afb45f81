"""Triggers from the service's own durable queue on RabbitMQ."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection

from app import wire
from app.messages import Trigger, encode
from app.naming import CameraNames
from app.sources import RABBITMQ, SourceContext
from pylib.rabbitmq.delivery import Delivery
from pylib.rabbitmq.listener import ZMQListener
from pylib.rabbitmq.settings import RabbitMQSettings
from pylib.rabbitmq.topology import Exchange, Subscription


class RabbitMQ:
    """Consumes triggers; each is acknowledged when its outcome is recorded."""

    title = "a sensor, over RabbitMQ"
    Settings = RabbitMQSettings

    def __init__(self, settings: RabbitMQSettings, context: SourceContext) -> None:
        self.thread = ZMQListener(
            "listener" if context.name == RABBITMQ else f"listener {context.name}",
            settings.broker,
            [subscription(settings, app_name=context.app_name)],
            context=context.transport.context,
            address=context.address,
            decode=decoder(context.cameras, origin=context.name),
            encode=encode,
            on_settled=context.settled,
            on_malformed=lambda failure: context.count(context.name, failure.code),
            prefetch=settings.prefetch,
        )

    def acknowledge(self, receipt: str) -> None:
        """Acknowledge it to the broker; done by the listener's thread."""
        self.thread.acknowledge(receipt)


def subscription(settings: RabbitMQSettings, *, app_name: str, group: str = "") -> Subscription:
    """What the service consumes, or the replicas of a group: a durable queue, bound to the control exchange."""
    exchange = wire.control_exchange(settings.exchange)
    return Subscription(
        exchange=Exchange(exchange, "direct", durable=settings.durable_exchanges),
        routing_keys=(wire.trigger_key(settings.device_topic),),
        queue=f"{app_name}.{group or settings.device_topic}.triggers",
        queue_type=settings.queue_type,
    )


def decoder(cameras: Collection[str], *, origin: str = RABBITMQ) -> Callable[[Delivery], Trigger]:
    """A decoder of deliveries into triggers for these device keys; it raises `Permanent`."""

    names = CameraNames(cameras)

    def decode(delivery: Delivery) -> Trigger:
        trigger = wire.parse_trigger(delivery)
        return dataclasses.replace(trigger, camera=names.find(trigger.camera), origin=origin)

    return decode
