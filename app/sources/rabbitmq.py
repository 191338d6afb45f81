"""Triggers from RabbitMQ: what `ZMQListener` decodes deliveries with."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection

from app import wire
from app.messages import Trigger
from app.wire import MalformedTrigger
from pylib.rabbitmq.delivery import Delivery

NAMED = 10
"""How many of the known cameras a sentence names."""


def decoder(cameras: Collection[str]) -> Callable[[Delivery], Trigger]:
    """What turns a delivery into a trigger for one of these device keys; it raises `MalformedTrigger`."""

    def decode(delivery: Delivery) -> Trigger:
        trigger = wire.parse_trigger(delivery)
        if trigger.camera not in cameras:
            raise MalformedTrigger("unknown_camera", _unknown(trigger.camera, cameras))
        return trigger

    return decode


def _unknown(camera: str, cameras: Collection[str]) -> str:
    close = difflib.get_close_matches(camera, cameras, n=1)
    if close:
        return f"no camera {camera!r}; did you mean {close[0]!r}?"
    known = sorted(cameras)
    more = f" and {len(known) - NAMED} more" if len(known) > NAMED else ""
    return f"no camera {camera!r}; there are: {', '.join(known[:NAMED]) or 'none'}{more}"
