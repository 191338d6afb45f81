"""A message as the broker delivered it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RETRIED = "x-retried"
"""A header of messages that were dead letters and are put back into the queue."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of one message; the same message may be delivered again under another receipt."""

    body: bytes
    message_id: str = ""
    content_type: str = ""
    headers: Mapping[str, Any] = field(default_factory=dict)
    redelivered: bool = False
    """The broker delivered this message to a consumer before."""
    queued: bool = False
    """It waited in the queue before it reached us: redelivered, part of a backlog, or a dead letter before."""
    receipt: str = ""
    """The argument of `ZMQListener.acknowledge`; valid for the connection that it came over."""


def delivery_of(method: Any, properties: Any, body: bytes, *, waited: bool, receipt: str = "") -> Delivery:
    """What pika hands to a consumer; `waited`: it was ready before we asked."""
    headers = properties.headers or {}
    return Delivery(
        body=body,
        message_id=_text(properties.message_id),
        content_type=_text(properties.content_type),
        headers=headers,
        redelivered=method.redelivered,
        queued=waited or method.redelivered or RETRIED in headers,
        receipt=receipt,
    )


def _text(value: str | bytes | None) -> str:
    """A short string of AMQP's; pika leaves it as bytes where it is not UTF-8."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value or ""
