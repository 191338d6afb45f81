"""Events to the topic exchange, with their picture, confirmed by the broker."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import structlog

from app import wire
from app.messages import Inspection
from app.publishers import PublishRejected, PublishUnavailable
from pylib.errors import Permanent, Transient
from pylib.files import durable
from pylib.rabbitmq.publisher import ConfirmedPublisher

log = structlog.get_logger(__name__)

TIMEOUT = 15.0


class RabbitMQ:
    """Publishes each inspection as an event of the contract, persistent and mandatory."""

    def __init__(
        self,
        publisher: ConfirmedPublisher,
        *,
        exchange: str,
        topic: str,
        device_name: str,
        storage_url: Callable[[], str] = lambda: "",
        thumbnail_url: Callable[[str], str] = lambda _event_id: "",
        name: str = "rabbitmq",
    ) -> None:
        self.name = name
        self._publisher = publisher
        self._exchange = exchange
        self._topic = topic
        self._storage_url = storage_url
        self._thumbnail_url = thumbnail_url
        self._device_name = device_name

    def publish(self, inspection: Inspection) -> None:
        """Publish one event and return when the broker has it.

        Raises `PublishUnavailable` (`nobody_listens` when no queue is bound for it) or `PublishRejected`
        (`too_large`). A picture that cannot be read costs the event its picture, not the event.
        """
        inspection, picture = _with_picture(inspection)
        event = wire.event(
            inspection,
            picture=picture,
            topic=self._topic,
            device_name=self._device_name,
            storage_url=self._storage_url(),
            thumbnail_url=self._thumbnail_url(inspection.id) if picture else "",
        )
        try:
            self._publisher.publish(
                self._exchange,
                event.routing_key,
                event.body,
                message_id=event.message_id,
                headers=event.headers,
                mandatory=True,
                timeout=TIMEOUT,
            )
        except Transient as error:
            code = "nobody_listens" if error.code == "unroutable" else error.code
            raise PublishUnavailable(code, error.detail) from None
        except Permanent as error:
            if error.code == "too_large":
                raise PublishRejected(error.code, error.detail) from None
            # Missing permissions are someone's mistake, and mended one day: no reason to give events up.
            raise PublishUnavailable(error.code, error.detail) from None


def _with_picture(inspection: Inspection) -> tuple[Inspection, bytes]:
    if not inspection.snapshot.path:
        return inspection, b""
    try:
        return inspection, durable.read(inspection.snapshot.path)
    except OSError as error:
        log.warning("picture gone, event goes without", event_id=inspection.id, reason=error.strerror)
        problem = f"picture_missing: {error.strerror or type(error).__name__}"
        return dataclasses.replace(inspection, problem=inspection.problem or problem), b""
