"""Keeps what the broker holds for us as it should be: devices, states, and nothing of cameras that are gone."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from app.publishers import PublisherContext
from app.publishers.mqtt.remembered import Remembered
from app.wire.topics import NOTIFICATIONS, OFF, OFFLINE, ON, ONLINE, MqttTopics
from pylib.errors import Failure
from pylib.mqtt.broker import Outgoing
from pylib.mqtt.connection import Received

LONGEST_WAIT_S = 5.0
"""Seconds within which a Home Assistant that has started is told everything: it has many to listen to."""
FIGURES_EVERY_S = 60.0
GONE_AFTER_S = 5.0
"""Seconds after which what was sent has arrived, if the connection is still the same."""
OF_CAMERA = (
    *("status", "person", NOTIFICATIONS, "state", "last_seen"),
    *("image", "person_image", "image_url", "person_image_url"),
)
"""What the broker may hold of a camera."""


class Announcer:
    """Compares, about once a second, what should be with what was sent, and sends the difference.

    `changed` and `person` may be called from any thread, everything else belongs to the connection's.
    """

    def __init__(
        self,
        context: PublisherContext,
        topics: MqttTopics,
        *,
        discovery: Callable[[], Mapping[str, bytes]],
        birth: str,
        off_delay: float,
        remembered: Remembered,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`birth`: where Home Assistant says that it has started."""
        self._context = context
        self._topics = topics
        self._discovery = discovery
        self._birth = birth
        self._off_delay = off_delay
        self._remembered = remembered
        self._clock = clock
        self._devices: Mapping[str, bytes] = {}
        self._sent: dict[str, bytes] = {}
        self._again_at: float | None = None
        self._gone_at: float | None = None
        self._figures = b""
        self._figures_at: float | None = None
        self._lock = threading.Lock()
        self._person_until: dict[str, float] = {}

    def person(self, camera: str) -> None:
        """Somebody was seen there, and the broker has been told."""
        with self._lock:
            self._person_until[camera] = self._clock() + self._off_delay

    def connected(self) -> Iterable[Outgoing]:
        """A new connection: what it begins with."""
        self._devices = self._discovery()
        self._sent.clear()
        self._again_at = None
        held, ours = self._remembered.topics, self._retained()
        self._remembered.keep(held | ours)
        self._gone_at = self._clock() + GONE_AFTER_S
        return [Outgoing(topic, b"", retain=True) for topic in sorted(held - ours)]

    def received(self, message: Received) -> None:
        """Home Assistant says that it has started, or that it ends."""
        if message.topic == self._birth and message.payload == ONLINE and not message.retained:
            self._again_at = self._clock() + random.uniform(0, LONGEST_WAIT_S)

    def due(self) -> list[Outgoing]:
        """What is to be sent now."""
        now = self._clock()
        if self._again_at is not None and now >= self._again_at:
            self._again_at = None
            self._sent.clear()
        if self._gone_at is not None and now >= self._gone_at:
            self._gone_at = None
            self._remembered.keep(self._retained())
        wanted = {**self._devices, **self._states(now)}
        messages = [
            Outgoing(topic, payload, retain=True)
            for topic, payload in wanted.items()
            if self._sent.get(topic) != payload
        ]
        self._sent.update(wanted)
        return messages

    def _states(self, now: float) -> dict[str, bytes]:
        topics, telling = self._topics, self._context.telling
        states = {topics.status: ONLINE}
        with self._lock:
            seen = dict(self._person_until)
        for camera in self._context.cameras:
            states[topics.camera(camera, "status")] = ONLINE if self._context.reachable(camera) else OFFLINE
            states[topics.camera(camera, "person")] = ON if now < seen.get(camera, now) else OFF
        with suppress(Failure):  # the journal's thread says it in the log
            if telling is not None:
                states[topics.mode] = telling.mode.encode()
                for camera in self._context.cameras:
                    states[topics.camera(camera, NOTIFICATIONS)] = OFF if telling.snoozed(camera) else ON
            states[topics.figures] = self._this_month(now)
        return states

    def _this_month(self, now: float) -> bytes:
        if self._figures_at is None or now >= self._figures_at:
            figures = self._context.figures()
            self._figures_at = now + FIGURES_EVERY_S
            body = {
                "calls": figures.calls,
                "cost_usd": round(figures.cost_usd, 2),
                "oldest_undelivered_s": round(figures.oldest_undelivered_s),
            }
            self._figures = json.dumps(body).encode()
        return self._figures

    def _retained(self) -> set[str]:
        """All that the broker may hold for us."""
        topics = self._topics
        of_cameras = {topics.camera(camera, what) for camera in self._context.cameras for what in OF_CAMERA}
        return {topics.status, topics.mode, topics.figures, *of_cameras, *self._devices}
