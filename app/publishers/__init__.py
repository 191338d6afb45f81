"""Publishers: who is told. A new one is one file here and one row in `KINDS`."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol

from app.messages import Inspection
from pylib.errors import Failure, Permanent, Transient


class PublishError(Failure):
    """An event was not delivered."""


class PublishUnavailable(PublishError, Transient):
    """The target is away, or nobody listens there yet: later."""


class PublishRejected(PublishError, Permanent):
    """The target will never take this event."""


class Publisher(Protocol):
    """Delivers events to one target. Called by one thread at a time."""

    name: str
    """The target's name in the journal's delivery rows; stable across restarts."""

    def publish(self, inspection: Inspection) -> None:
        """Deliver one event and return when the target has confirmed it.

        Raises `PublishUnavailable` or `PublishRejected`, in bounded time.
        """
        ...


RABBITMQ = "rabbitmq"

KINDS = {
    RABBITMQ: "app.publishers.rabbitmq:RabbitMQ",
}
"""Kind -> `module:class`, loaded when configured."""


def load(kind: str) -> Any:
    """The class behind a kind; its module is imported here and not before."""
    module, name = KINDS[kind].split(":")
    return getattr(import_module(module), name)
