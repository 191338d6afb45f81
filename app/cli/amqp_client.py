"""The AMQP client of the command line: sends a trigger as a sensor does, listens as a consumer does."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from app import wire
from pylib.errors import Permanent
from pylib.rabbitmq.broker import Broker, counts_deliveries, explain
from pylib.rabbitmq.dead_letters import DeadLetters
from pylib.rabbitmq.settings import RabbitMQSettings
from pylib.rabbitmq.topology import Exchange, Subscription, declare_exchange, declare_subscription, hold
from pylib.settings.credentials import Secret


class AmqpClient:
    """One connection to the broker, for one command. Raises `pylib.errors.Failure` when the broker refuses."""

    def __init__(self, broker: Broker, settings: RabbitMQSettings) -> None:
        self._settings = settings
        try:
            self._connection: Any = broker.connect("command line")
        except Exception as error:  # noqa: BLE001 - pika has many exceptions
            failure = explain(error)
            raise type(failure)(failure.code, f"{broker.address}: {failure.detail}") from None

    def __enter__(self) -> AmqpClient:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        with suppress(Exception):
            self._connection.close()

    def trigger(self, camera: str, label: str, *, device_params: Secret | None = None) -> str:
        """Send a trigger of now; returns its message id.

        Raises `Permanent` `nobody_listens` when no service has bound a queue for triggers.
        """
        import pika

        name = wire.control_exchange(self._settings.exchange)
        declare_exchange(self._connection, Exchange(name, "direct", durable=self._settings.durable_exchanges))
        channel = self._connection.channel()
        channel.confirm_delivery()
        message_id = uuid.uuid4().hex
        body = wire.trigger_body(camera, label, timestamp=datetime.now(UTC), device_params=device_params)
        properties = pika.BasicProperties(message_id=message_id, content_type="application/msgpack", delivery_mode=2)
        key = wire.trigger_key(self._settings.device_topic)
        try:
            channel.basic_publish(name, key, body, properties=properties, mandatory=True)
        except pika.exceptions.UnroutableError:
            raise Permanent("nobody_listens", f"no service takes triggers for {key!r} on {name!r}") from None
        return message_id

    def declare(self, subscription: Subscription) -> bool:
        """Declare these queues; returns whether triggers are safe from the broker's own limit of deliveries."""
        try:
            return declare_subscription(self._connection, subscription) or not counts_deliveries(self._connection)
        except Exception as error:  # noqa: BLE001
            raise explain(error) from None

    def join(self, exchange: str, inbox: str, lead: str) -> bool:
        """Do for a moment what a replica does; returns whether the name that its inbox has was free."""
        import pika

        try:
            declare_exchange(self._connection, Exchange(exchange, "fanout", durable=True))
            free = hold(self._connection, inbox)
            hold(self._connection, lead)
            channel = self._connection.channel()
            if free:
                channel.queue_bind(inbox, exchange)
            channel.basic_publish(exchange, "", b"")  # which members pass over
            channel.confirm_delivery()
            with suppress(pika.exceptions.UnroutableError):
                # To the exchange that needs no name of a queue of ours to see whether we may use it.
                channel.basic_publish("", f"{inbox}.none", b"", mandatory=True)
        except Exception as error:  # noqa: BLE001
            raise explain(error) from None
        return free

    def waiting(self, queue: str) -> int | None:
        """How many messages wait in a queue; None where there is none."""
        import pika

        channel = self._connection.channel()
        try:
            return int(channel.queue_declare(queue, passive=True).method.message_count)
        except pika.exceptions.ChannelClosedByBroker:
            return None

    @contextmanager
    def dead_letters(self, subscription: Subscription) -> Iterator[DeadLetters]:
        """The dead letters of these queues."""
        import pika

        letters = DeadLetters(self._connection, subscription)
        try:
            yield letters
            letters.close()
        except pika.exceptions.AMQPError as error:
            raise explain(error) from None

    def listen(self) -> None:
        """Begin to receive events: those that are published from now on."""
        name = self._settings.exchange
        declare_exchange(self._connection, Exchange(name, "topic", durable=self._settings.durable_exchanges))
        self._channel = self._connection.channel()
        self._queue = self._channel.queue_declare("", exclusive=True).method.queue
        self._channel.queue_bind(self._queue, name, f"event.notify.{self._settings.device_topic}.#")

    def events(self, *, quiet_after: float | None = None) -> Iterator[dict[str, Any]]:
        """Events as they come, after `listen`; ends when none came for `quiet_after` seconds."""
        try:
            for method, properties, body in self._channel.consume(
                self._queue, auto_ack=True, inactivity_timeout=quiet_after
            ):
                if method is None:
                    return
                with suppress(wire.MalformedEvent):  # another program's message under our topic
                    yield wire.parse_event(body, properties.content_type or "")
        except Exception as error:  # noqa: BLE001
            raise explain(error) from None
