"""Triggers from the service's own durable queue on RabbitMQ."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Collection

from app import wire
from app.messages import Trigger, encode
from app.naming import Names
from app.sources import RABBITMQ, SourceContext
from app.wire import MalformedTrigger
from pylib.rabbitmq.delivery import Delivery
from pylib.rabbitmq.listener import ZMQListener
from pylib.rabbitmq.settings import RabbitMQSettings
from pylib.rabbitmq.topology import Exchange, Subscription

NAMED = 10
"""How many known cameras an error names."""


class RabbitMQ:
    """Consumes triggers; each is acknowledged when its outcome is recorded."""

    title = "a sensor, over RabbitMQ"
    Settings = RabbitMQSettings

    def __init__(self, settings: RabbitMQSettings, context: SourceContext) -> None:
        self.thread = ZMQListener(
            "listener" if context.name == RABBITMQ else f"listener {context.name}",
            settings.broker,
            subscription(settings, app_name=context.app_name),
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


def subscription(settings: RabbitMQSettings, *, app_name: str) -> Subscription:
    """What the service consumes: its own durable queue, bound to the control exchange."""
    exchange = wire.control_exchange(settings.exchange)
    return Subscription(
        exchange=Exchange(exchange, "direct", durable=settings.durable_exchanges),
        routing_keys=(wire.trigger_key(settings.device_topic),),
        queue=f"{app_name}.{settings.device_topic}.triggers",
        queue_type=settings.queue_type,
    )


def decoder(cameras: Collection[str], *, origin: str = RABBITMQ) -> Callable[[Delivery], Trigger]:
    """A decoder of deliveries into triggers for these device keys; it raises `MalformedTrigger`."""

    spelled = Names((camera, camera) for camera in cameras)

    def decode(delivery: Delivery) -> Trigger:
        trigger = wire.parse_trigger(delivery)
        camera = trigger.camera if trigger.camera in cameras else spelled.find(trigger.camera)
        if camera is None:
            raise MalformedTrigger("unknown_camera", _unknown(trigger.camera, cameras))
        return dataclasses.replace(trigger, camera=camera, origin=origin)

    return decode


def _unknown(camera: str, cameras: Collection[str]) -> str:
    close = difflib.get_close_matches(camera, cameras, n=1)
    if close:
        return f"no camera {camera!r}; did you mean {close[0]!r}?"
    known = sorted(cameras)
    more = f" and {len(known) - NAMED} more" if len(known) > NAMED else ""
    return f"no camera {camera!r}; there are: {', '.join(known[:NAMED]) or 'none'}{more}"
