"""Triggers from an MQTT broker: our own topics, and those of others that are mapped to a camera."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

import structlog
from pydantic import AfterValidator, Field

from app.messages import Trigger
from app.naming import CameraNames, UnknownCamera
from app.rules.telling import MODES
from app.sources import SourceContext, new_trigger
from app.sources.conditions import Condition
from app.sources.parts import Parts
from app.wire import MalformedTrigger, carried, checked_active_input, checked_burst, fields, parse_timestamp, trace
from app.wire.topics import NOTIFICATIONS, OFF, ON, SNAPSHOT, MqttTopics
from pylib.errors import Failure, Permanent
from pylib.mqtt.connection import Connection, Received
from pylib.mqtt.settings import MqttSettings
from pylib.mqtt.subscribed import Subscribed
from pylib.mqtt.topics import is_filter, matches
from pylib.settings.fields import MapFromText, Section

log = structlog.get_logger(__name__)

MAX_PAYLOAD = 64 * 1024
"""Bytes of a message that are looked at."""
TOPIC_SHOWN = 200
"""Characters of a topic in the log; it may have 65,535."""
JSON = "application/json"

CODES = {
    "unknown_mode": ("The home has no such mode.", f"send one of {', '.join(MODES)}"),
    "not_on_or_off": ("Notifications are switched by ON and OFF.", "send one of these two words"),
}
"""Code -> what happened, and what to do about it; what all triggers have stands in `app/wire/triggers.py`."""


def _filter(value: str) -> str:
    if not is_filter(value):
        raise ValueError("must be a topic, in which + stands for one level and # for the rest")
    return value


def _holdable(when: dict[str, Any]) -> dict[str, Any]:
    Condition(when)
    return when


class MappedTopic(Section):
    """A topic of another program, whose messages have a camera take a picture."""

    topic: Annotated[str, AfterValidator(_filter)] = Field(
        max_length=500, description="The topic; `+` stands for any one level, `#` at the end for all the rest."
    )
    camera: str = Field(min_length=1, max_length=200, description="The camera, as triggers name it.")
    when: Annotated[dict[str, Any], MapFromText, AfterValidator(_holdable)] = Field(
        default={},
        description="What the message's JSON has to say, by dotted path: a value, a list of values, or bounds (above,"
        " below). Empty for every message.",
    )
    payload: str = Field(
        default="", max_length=200, description="What the message has to be, word for word, where it is no JSON: `ON`."
    )

    def holds(self, message: bytes) -> bool:
        """Whether this message is a trigger. Raises `Permanent` (`not_json`, `not_a_map`) where it cannot say so."""
        if self.payload and message.strip() != self.payload.encode():
            return False
        if not self.when:
            return True
        return Condition(self.when).holds(fields.unpack(message, JSON))


class MqttSourceSettings(MqttSettings):
    """Triggers from an MQTT broker."""

    topics: tuple[MappedTopic, ...] = Field(
        default=(), description="Topics of other programs that are triggers, under a condition."
    )


class Mqtt:
    """Receives triggers; each is acknowledged when its outcome is recorded, and comes again if it never was."""

    title = "a sensor, over MQTT"
    Settings = MqttSourceSettings

    def __init__(self, settings: MqttSourceSettings, context: SourceContext) -> None:
        self._context = context
        self._topics = MqttTopics(settings.prefix, context.cameras)
        self._names = CameraNames(context.cameras)
        self._mapped = list(self._mapped_to_cameras(settings.topics))
        self._triggers: list[Trigger] = []
        self._said: set[tuple[str, str]] = set()
        self._parts = Parts()
        topics = subscriptions(settings)
        subscribed = Subscribed(context.data_dir / "mqtt" / f"{context.name}-subscriptions.json", topics)
        self.connection = Connection(
            context.name,
            settings.broker,
            client_id=settings.client("triggers"),
            subscriptions=topics,
            gone=subscribed.gone,
            on_message=self.receive,
            on_connect=subscribed.set_up,
            on_settled=lambda receipts: context.settled(self._parts.settled(receipts)),
            persistent=True,
        )
        self.thread = context.feeder(self)

    @property
    def connected(self) -> bool:
        """Whether the broker is there, and lets us listen; where another replica listens, as if it were."""
        return self.connection.connected or not self._context.leads()

    def poll(self, timeout: float) -> Iterable[Trigger]:
        """What has come, letting the connection run for so long at most.

        Of several replicas the leader listens, under the name that all of them have at the broker: that keeps what was
        not acknowledged for the next leader, and ends the connection of the one before.
        """
        if not self._context.leads():
            self.connection.close()
            self.thread.stopping.wait(timeout)
            return ()
        self.connection.pump(timeout)
        triggers, self._triggers = self._triggers, []
        return triggers

    def acknowledge(self, receipt: str) -> None:
        """Acknowledge it to the broker; done by the feeder's thread."""
        if message := self._parts.done(receipt):
            self.connection.acknowledge(message)

    def close(self) -> None:
        """What was not acknowledged comes again with the next start."""
        self.connection.close()

    def _mapped_to_cameras(self, topics: Iterable[MappedTopic]) -> Iterator[tuple[MappedTopic, str]]:
        """Those whose camera there is; the others are told, and nothing else is lost."""
        for mapped in topics:
            try:
                yield mapped, self._names.find(mapped.camera)
            except UnknownCamera as error:
                log.error("topic not mapped", topic=mapped.topic, reason=str(error))

    # -- in the connection's loop -----------------------------------------------------------------

    def receive(self, message: Received) -> None:
        """A message has come: `poll` returns the triggers that it is."""
        try:
            # How things were before we came is no trigger.
            triggers = [] if message.retained else list(self._triggers_of(message))
        except Failure as error:
            # Commands are about now: one that could not be recorded would undo later ones if it came again.
            problem = "malformed message" if isinstance(error, Permanent) else "not carried out"
            log.warning(problem, topic=message.topic[:TOPIC_SHOWN], reason=str(error))
            self._context.count(self._context.name, error.code)
            triggers = []
        receipts = self._parts.of(message.receipt, len(triggers)) if message.receipt else [""] * len(triggers)
        self._triggers += [replace(one, receipt=receipt) for one, receipt in zip(triggers, receipts, strict=True)]
        if message.receipt and not triggers:
            self.connection.acknowledge(message.receipt)

    def _triggers_of(self, message: Received) -> Iterator[Trigger]:
        """Carry out what the message commands; the triggers that it is, one a camera. Raises `Failure`."""
        if len(message.payload) > MAX_PAYLOAD:
            raise MalformedTrigger("too_large", f"a message of more than {MAX_PAYLOAD} bytes")
        topic, topics = message.topic, self._topics
        if topic == f"{topics.mode}/set":
            self._set_mode(message.payload)
        elif matches(topic, topics.command(NOTIFICATIONS)):
            self._switch_notifications(self._camera(topic), message.payload)
        elif matches(topic, topics.command(SNAPSHOT)):
            yield self._asked_for(message, self._camera(topic))
        for mapped, camera in self._mapped:
            if matches(topic, mapped.topic) and self._holds(mapped, message):
                yield self._trigger(message, camera, active_input=_passed_on(message.payload))

    def _camera(self, topic: str) -> str:
        camera, word = self._topics.camera_of(topic)
        return camera or self._names.find(word)

    def _set_mode(self, payload: bytes) -> None:
        try:
            self._context.telling.set_mode(_word(payload).lower())
        except ValueError as error:
            raise MalformedTrigger("unknown_mode", str(error)) from None

    def _switch_notifications(self, camera: str, payload: bytes) -> None:
        word = _word(payload).upper().encode()
        if word == ON:
            self._context.telling.wake(camera)
        elif word == OFF:
            self._context.telling.snooze(camera)
        else:
            raise MalformedTrigger("not_on_or_off", "notifications are switched by ON and OFF")

    def _asked_for(self, message: Received, camera: str) -> Trigger:
        """A trigger in the contract's words, as far as there are any: `timestamp`, `active_input`, `burst`, trace."""
        if not fields.is_json(message.payload):
            return self._trigger(message, camera)
        body = fields.unpack(message.payload, JSON)
        at = parse_timestamp(body["timestamp"]) if "timestamp" in body else None
        return replace(
            self._trigger(message, camera, timestamp=at, active_input=checked_active_input(body.get("active_input"))),
            burst=checked_burst(body.get("burst")),
            traceparent=trace.traceparent(fields.as_text(body.get("traceparent")) or ""),
            baggage=trace.baggage(fields.as_text(body.get("baggage")) or ""),
        )

    def _holds(self, mapped: MappedTopic, message: Received) -> bool:
        try:
            return mapped.holds(message.payload)
        except Permanent as error:
            if (mapped.topic, error.code) not in self._said:
                self._said.add((mapped.topic, error.code))
                log.warning("not what this topic should carry, said once", topic=mapped.topic, reason=str(error))
            self._context.count(self._context.name, error.code)
            return False

    def _trigger(
        self,
        message: Received,
        camera: str,
        *,
        timestamp: datetime | None = None,
        active_input: dict[str, Any] | None = None,
    ) -> Trigger:
        # MQTT has no ids of messages: what is delivered again is known by what it says, while it may come again.
        said = hashlib.sha256(b"\0".join((camera.encode(), message.topic.encode(), message.payload)))
        trigger = new_trigger(
            camera,
            label=self._context.cameras[camera],
            origin=self._context.name,
            timestamp=timestamp,
            active_input=active_input,
            key=f"sha:{said.hexdigest()}" if message.receipt else "",
        )
        return replace(trigger, queued=message.queued, redelivered=message.redelivered)


def subscriptions(settings: MqttSourceSettings) -> list[str]:
    """The topics that it listens to."""
    topics = MqttTopics(settings.prefix, ())
    own = [topics.command(SNAPSHOT), topics.command(NOTIFICATIONS), f"{topics.mode}/set"]
    return list(dict.fromkeys([*own, *(mapped.topic for mapped in settings.topics)]))


def _passed_on(payload: bytes) -> dict[str, Any] | None:
    """The message as a sensor's own description, if it is a map."""
    try:
        return carried(fields.from_json(payload))
    except Permanent:
        return None


def _word(payload: bytes) -> str:
    return payload[:100].decode(errors="replace").strip()
