"""Publishes events to the topic exchange, with their picture; the broker confirms each."""

from __future__ import annotations

from app import wire
from app.messages import Inspection
from app.publishers import RABBITMQ, PublisherContext, PublishRejected, PublishUnavailable, pictures
from pylib.errors import Permanent, Transient
from pylib.rabbitmq.publisher import ConfirmedPublisher
from pylib.rabbitmq.settings import RabbitMQSettings
from pylib.rabbitmq.topology import Exchange

TIMEOUT = 15.0
FOR_GOOD = ("too_large", "broke_connection")
"""Codes of events that no later attempt delivers."""

CODES = {
    "broker_away": ("The broker is unreachable.", "start the broker, or correct RABBITMQ_SERVER_ADDRESS"),
    "broker_blocked": ("The broker takes no messages: it is out of memory or disk space.", "free some there"),
    "access_refused": (
        "The broker rejects this user, or forbids the operation.",
        "set RABBITMQ_USERNAME and RABBITMQ_PASSWORD (guest may log in on the broker's own host only)",
    ),
    "precondition_failed": (
        "The queue or exchange exists with other arguments.",
        "delete that queue on the broker, or set RABBITMQ_QUEUE_TYPE to what it is",
    ),
    "not_found": ("The broker has lost the exchange or queue.", "nothing: it is declared again"),
    "timeout": (
        "The broker did not confirm in time.",
        "look at the broker's load; nothing, if it passes: the service tries again",
    ),
    "nack": (
        "The broker could not take the message.",
        "look at the broker's log; nothing, if it passes: the service tries again",
    ),
    "nobody_listens": (
        "No queue is bound for these events.",
        "bind one; events are given up after RABBITMQ_UNROUTABLE_FOR",
    ),
    **pictures.CODES,
    "too_large": (
        "The event is over the broker's limit for one message.",
        "choose a smaller picture in the camera, or raise the broker's limit",
    ),
    "unsendable": (
        "A name is too long for the broker: an exchange or a routing key has more than 255 bytes.",
        "choose a shorter DEVICE_NAME, RABBITMQ_DEVICE_TOPIC or RABBITMQ_EXCHANGE",
    ),
    "broke_connection": (
        "The connection ended over this event again and again, though the broker was there: twice with a protocol "
        "error, or three times with a reset, within an hour. It was given up, so that the others go on.",
        "report it, with the log's line and the broker's log of that time",
    ),
}
"""Code -> what happened, and what to do about it."""


class RabbitMQ:
    """Publishes each inspection as an event of the contract, persistent and mandatory."""

    title = "RabbitMQ"
    notifies = False
    Settings = RabbitMQSettings

    def __init__(self, settings: RabbitMQSettings, context: PublisherContext) -> None:
        self.name = context.name or RABBITMQ
        self.abandon_after = {"nobody_listens": settings.unroutable_for}
        exchange = Exchange(settings.exchange, "topic", durable=settings.durable_exchanges)
        self.connection = ConfirmedPublisher(
            "publisher" if self.name == RABBITMQ else f"publisher {self.name}",
            settings.broker,
            exchanges=[exchange],
            on_connect=context.target_recovered,
        )
        self.threads = (self.connection,)
        self._settings = settings
        self._context = context

    def publish(self, inspection: Inspection) -> None:
        """Publish one event and return when the broker has it.

        Raises `PublishUnavailable` (`nobody_listens` when no queue is bound for it) or `PublishRejected`
        (`too_large`, `broke_connection`). A picture that cannot be read costs the event its picture, not the event.
        """
        inspection, picture = pictures.with_picture(inspection)
        moves = bool(picture) and inspection.snapshot.frames > 1
        event = wire.event(
            inspection,
            picture=picture,
            topic=self._settings.device_topic,
            device_name=self._context.device_name,
            storage_url=self._context.storage_url(),
            thumbnail_url=self._context.thumbnail_url(inspection.id) if picture else "",
            animation_url=self._context.animation_url(inspection.id) if moves else "",
        )
        try:
            self.connection.publish(
                self._settings.exchange,
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
            if error.code in FOR_GOOD:
                raise PublishRejected(error.code, error.detail) from None
            # Missing permissions and long names are mistakes that will be corrected: no reason to give events up.
            raise PublishUnavailable(error.code, error.detail) from None
