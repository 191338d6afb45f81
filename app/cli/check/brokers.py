"""The brokers: RabbitMQ and MQTT."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app import wire, wording
from app.cli.amqp_client import AmqpClient
from app.cli.check.finding import Finding, Verdict
from app.config.settings import Settings
from app.naming import CameraNames
from app.sources.mqtt import MqttSourceSettings, subscriptions
from app.sources.rabbitmq import subscription
from pylib.errors import Failure
from pylib.mqtt.connection import Connection
from pylib.mqtt.settings import MqttSettings
from pylib.rabbitmq.topology import lift_limit


def rabbitmq(settings: Settings) -> Finding:
    if not settings.rabbitmq.server_address and settings.sources:
        return Finding("broker", Verdict.OK, f"none, but {', '.join(entry.title for entry in settings.sources)}")
    if not settings.rabbitmq.server_address:
        return Finding("broker", Verdict.OK, "none: triggers by HTTP and schedule only")
    broker, group = settings.rabbitmq.broker, settings.replicas.group
    own = subscription(settings.rabbitmq, app_name=settings.app_name, group=group)
    try:
        with AmqpClient(broker, settings.rabbitmq) as client:
            safe = client.declare(own)
    except Failure as error:
        return Finding("broker", Verdict.WRONG, str(error), wording.explain(error.code, of="publisher")[1])
    if not safe:
        text = (
            f"an earlier release made {own.queue}: this broker dead-letters what it delivered 20 times, crashes "
            "included, unless a policy of yours lifts that"
        )
        return Finding("broker", Verdict.WARNING, text, lift_limit(own, vhost=broker.vhost))
    key = wire.trigger_key(settings.rabbitmq.device_topic)
    return Finding(
        "broker", Verdict.OK, f"{broker.address}, triggers as {key!r} on {settings.rabbitmq.exchange}_control"
    )


def mqtt(settings: Settings) -> Iterator[Finding]:
    own = [("mqtt", settings.mqtt)] if settings.mqtt.server_address else []
    named = [(one.title, one) for one in (*settings.sources, *settings.publishers) if isinstance(one, MqttSettings)]
    for name, entry in [*own, *named]:
        subject = "mqtt" if name == "mqtt" else f"mqtt {name}"
        sources = [entry] if isinstance(entry, MqttSourceSettings) else []
        yield _mqtt_broker(subject, entry, [topic for source in sources for topic in subscriptions(source)])
        names = CameraNames([*(camera.device_key for camera in settings.cameras), *settings.booth.triggers])
        for index, mapped in enumerate(mapped for source in sources for mapped in source.topics):
            try:
                names.find(mapped.camera)
            except Failure as error:
                remedy = "correct the name, or add the camera"
                yield Finding(subject, Verdict.WRONG, f"topics[{index}] ({mapped.topic}): {error}", remedy)


def _mqtt_broker(subject: str, entry: MqttSettings, topics: Sequence[str]) -> Finding:
    connection = Connection("check", entry.broker, client_id=entry.client("check"), subscriptions=topics)
    try:
        connection.probe()
    except Failure as error:
        return Finding(subject, Verdict.WRONG, str(error), wording.explain(error.code, of="publisher")[1])
    if connection.refused:
        text = f"{entry.broker.address} does not let us subscribe to {', '.join(sorted(connection.refused))}"
        return Finding(subject, Verdict.WRONG, text, "allow this user to read these topics, or correct MQTT_USERNAME")
    return Finding(subject, Verdict.OK, f"{entry.broker.address}, topics below {entry.prefix}/")
