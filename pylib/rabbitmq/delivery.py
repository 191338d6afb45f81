"""A message as the broker delivered it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
    """It waited in the queue before it reached us: redelivered, or part of a backlog."""
    receipt: str = ""
    """The argument of `ZMQListener.acknowledge`; valid for the connection that it came over."""
