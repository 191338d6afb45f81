"""Parts of the service that checks and commands make too: one camera, the detector, the broker's address."""

from __future__ import annotations

from collections.abc import Callable

from app import cameras, detectors, wire
from app.cameras import Camera, CameraSettings
from app.cameras.address import Networks
from app.config.sections import RabbitMQSettings
from app.config.settings import Settings
from app.detectors import Detector
from pylib.rabbitmq.broker import Broker
from pylib.rabbitmq.topology import Exchange, Subscription


def make_camera(camera: CameraSettings, settings: Settings) -> Camera:
    """The adapter of a configured camera."""
    networks = Networks(settings.camera_networks)
    made: Camera = cameras.load(camera.kind)(camera, networks=networks)
    return made


def make_detector(settings: Settings, *, calls_this_month: Callable[[], int]) -> Detector | None:
    """The configured detector, or None for `none`."""
    kind = settings.detector.kind
    if kind == "none":
        return None
    counted = {"calls_this_month": calls_this_month} if kind == "rekognition" else {}
    made: Detector = detectors.load(kind)(settings.detector, **counted)
    return made


def trigger_subscription(settings: Settings) -> Subscription:
    """What the service consumes: its own durable queue, bound to the control exchange."""
    rabbitmq = settings.rabbitmq
    exchange = wire.control_exchange(rabbitmq.exchange)
    return Subscription(
        exchange=Exchange(exchange, "direct", durable=rabbitmq.durable_exchanges),
        routing_keys=(wire.trigger_key(rabbitmq.device_topic),),
        queue=f"{settings.app_name}.{rabbitmq.device_topic}.triggers",
        queue_type=rabbitmq.queue_type,
    )


def broker_of(settings: RabbitMQSettings) -> Broker:
    """The broker that the settings name."""
    return Broker(
        host=settings.server_address,
        port=settings.broker_port,
        username=settings.username,
        password=settings.password,
        vhost=settings.vhost,
        tls=settings.tls,
        heartbeat=settings.heartbeat,
    )
