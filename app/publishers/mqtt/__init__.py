"""Publishes events to an MQTT broker, and makes every camera a device of Home Assistant."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import structlog

from app.messages import Inspection
from app.publishers import MQTT, PublisherContext, PublishRejected, PublishUnavailable
from app.publishers.mqtt import events
from app.publishers.mqtt.announcer import Announcer
from app.publishers.mqtt.discovery import Discovery
from app.publishers.mqtt.remembered import Remembered
from app.publishers.mqtt.settings import MqttPublisherSettings
from app.wire.topics import OFFLINE, ON, MqttTopics
from pylib.errors import Permanent, Transient
from pylib.files import durable
from pylib.mqtt.broker import Outgoing
from pylib.mqtt.connection import Connection, Received
from pylib.mqtt.thread import ConnectionThread

log = structlog.get_logger(__name__)

TIMEOUT = 15.0
MOST = 1_000_000
"""Bytes of a picture: Mosquitto ends the connection of whoever sends more than 2,000,000."""
LEAST = 20_000
"""Bytes below which a picture is not worth sending."""
LARGE = 100_000
"""Bytes from which a broker is likely to mind."""
CUTS, CUTS_OF_SMALL = 2, 10
"""Connections that were lost over one picture until smaller ones are sent; brokers and networks fail as well."""
LARGER_AFTER_S = 3600.0
"""Seconds until twice as large pictures are tried again."""

CODES = {
    "mqtt_away": (
        "The MQTT broker is unreachable.",
        "start the broker, or correct MQTT_SERVER_ADDRESS; MQTT_TLS where it wants TLS",
    ),
    "mqtt_refused": (
        "The MQTT broker refuses this user, password or client id.",
        "set MQTT_USERNAME and MQTT_PASSWORD as the broker has them, and let this user read and write our topics",
    ),
    "mqtt_tls": (
        "The MQTT broker's certificate is not accepted, or it speaks no TLS on this port.",
        "set MQTT_CA_FILE to the certificate of the broker's authority, and connect by a name that is in the "
        "broker's own; without TLS unset MQTT_TLS",
    ),
    "mqtt_cut": (
        "The MQTT broker ended the connection while the event was under way.",
        "look at the broker's log: a restart passes; two clients with one id, a topic that this user may not write, "
        "and a limit for the size of messages do not",
    ),
    "mqtt_timeout": (
        "The MQTT broker did not confirm in time.",
        "look at the broker's load; nothing, if it passes: the service tries again",
    ),
    "mqtt_unsendable": (
        "MQTT has no such topic.",
        "choose a shorter MQTT_PREFIX, or a shorter name for the camera",
    ),
}
"""Code -> what happened, and what to do about it."""


class Mqtt:
    """Publishes each inspection as messages of its camera's topics."""

    title = "MQTT"
    notifies = False
    Settings = MqttPublisherSettings

    def __init__(
        self,
        settings: MqttPublisherSettings,
        context: PublisherContext,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = context.name or MQTT
        self.abandon_after: dict[str, float] = {}
        self._settings = settings
        self._context = context
        self._clock = clock
        self._topics = topics = MqttTopics(settings.prefix, context.cameras)
        birth = f"{settings.discovery_prefix}/status" if settings.discovery_prefix else ""
        self._remembered = Remembered(context.data_dir / "mqtt" / f"{self.name}.json")
        self._announcer = Announcer(
            context,
            topics,
            discovery=self._devices,
            birth=birth,
            off_delay=settings.off_delay,
            remembered=self._remembered,
        )
        # Where one of several replicas ends, the others go on.
        offline = None if context.replica else Outgoing(topics.status, OFFLINE, retain=True)
        self.connection = Connection(
            f"publisher {self.name}",
            settings.broker,
            client_id=settings.client(f"publisher-{context.replica}" if context.replica else "publisher"),
            subscriptions=[birth] if birth else [],
            on_message=self._received,
            on_connect=self._connected,
            will=offline,
        )
        thread = ConnectionThread(f"publisher {self.name}", self.connection, tick=self._tick, farewell=offline)
        self.threads = (thread,)
        self._most = MOST
        self._larger_at = 0.0
        self._cuts: dict[str, int] = {}
        if context.telling is not None:
            context.telling.listen(self.connection.wake)

    def publish(self, inspection: Inspection) -> None:
        """Publish one event and return when the broker has all of its messages.

        Raises `PublishUnavailable` or `PublishRejected` (`mqtt_unsendable`). A picture that cannot be read or is too
        large costs the event its picture, not the event.
        """
        picture = self._picture(inspection)
        try:
            self.connection.publish(list(self._messages(inspection, picture)), timeout=TIMEOUT)
        except Transient as error:
            if error.code == "mqtt_cut" and picture:
                self._suspect(inspection.id, len(picture))
            raise PublishUnavailable(error.code, error.detail) from None
        except Permanent as error:
            raise PublishRejected(error.code, error.detail) from None
        if picture:
            self._cuts.clear()
        self._told(inspection)

    def _messages(self, inspection: Inspection, picture: bytes) -> Iterator[Outgoing]:
        """The picture first: who is told of the event may look at once."""
        camera, snapshot, context = inspection.camera, inspection.snapshot, self._context

        def told(what: str, payload: bytes, *, retain: bool = True) -> Outgoing:
            return Outgoing(self._topics.camera(camera, what), payload, retain=retain)

        link = context.picture_url(inspection.id) if snapshot.path else ""
        person = events.kind_of(inspection) == "person"
        if self._is_newest(inspection):
            for what in ("image", "person_image") if person else ("image",):
                if link:
                    yield told(f"{what}_url", link.encode())
                elif picture:
                    yield told(what, picture)
            yield told("state", events.state(inspection))
            if person:
                yield told("last_seen", snapshot.taken_at.isoformat().encode())
            if self._is_there(inspection):
                yield told("person", ON)
        page = context.event_url(inspection.id)
        yield told("event", events.event(inspection, picture_url=link, event_url=page), retain=False)

    def _is_newest(self, inspection: Inspection) -> bool:
        """Whether it says how things are: a later one may have been told before an earlier one that had to wait."""
        at = inspection.snapshot.taken_at.timestamp()
        return inspection.camera in self._context.cameras and self._remembered.is_newest(inspection.camera, at)

    def _is_there(self, inspection: Inspection) -> bool:
        """Whether somebody may be there still, who was seen: an event that had to wait tells of the past."""
        age = time.time() - inspection.snapshot.taken_at.timestamp()
        return events.kind_of(inspection) == "person" and age < self._settings.off_delay

    def _told(self, inspection: Inspection) -> None:
        if self._is_newest(inspection):
            self._remembered.told(inspection.camera, inspection.snapshot.taken_at.timestamp())
            if self._is_there(inspection):
                self._announcer.person(inspection.camera)

    def _picture(self, inspection: Inspection) -> bytes:
        """The picture as bytes, where it is not told as a link."""
        if self._most < MOST and self._clock() >= self._larger_at:
            self._most, self._larger_at = min(2 * self._most, MOST), self._clock() + LARGER_AFTER_S
        path = inspection.snapshot.path
        if not path or self._context.picture_url(inspection.id) or self._most < LEAST:
            return b""
        try:
            return events.fitted(durable.read(path), self._most)
        except OSError as error:
            log.warning("picture gone, event goes without", event_id=inspection.id, reason=error.strerror)
            return b""

    def _suspect(self, event_id: str, size: int) -> None:
        """A connection was lost over a picture; the broker may take no message of that size, and never will."""
        self._cuts[event_id] = self._cuts.get(event_id, 0) + 1
        if self._cuts[event_id] >= (CUTS if size >= LARGE else CUTS_OF_SMALL):
            self._cuts.clear()
            self._most, self._larger_at = size // 2, self._clock() + LARGER_AFTER_S
            log.warning("the broker ends the connection over pictures: smaller ones for a while", bytes=self._most)

    # -- in the connection's thread ---------------------------------------------------------------

    def _devices(self) -> dict[str, bytes]:
        if not self._settings.discovery_prefix:
            return {}
        discovery = Discovery(
            self._settings,
            self._topics,
            service=self._context.device_name,
            version=self._context.version,
            linked=bool(self._context.picture_url("0" * 32)),
        )
        return discovery.messages(self._context.cameras)

    def _received(self, message: Received) -> None:
        self._announcer.received(message)
        self.connection.acknowledge(message.receipt)

    def _connected(self) -> None:
        for message in self._announcer.connected():
            self.connection.send(message)
        self._tick()
        self._context.target_recovered()

    def _tick(self) -> None:
        if self.connection.connected:
            for message in self._announcer.due():
                self.connection.send(message)
