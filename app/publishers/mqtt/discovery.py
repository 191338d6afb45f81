"""What Home Assistant reads to know our devices (https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from app.publishers.mqtt.settings import MqttPublisherSettings
from app.rules.telling import MODES
from app.wire.topics import NOTIFICATIONS, SNAPSHOT, MqttTopics

EVENT_TYPES = ("person", "clear", "unknown")
"""What an event may be: somebody was seen, nobody was, or nothing looked."""

Component = dict[str, Any]


class Discovery:
    """One device a camera, and one for the service."""

    def __init__(
        self, settings: MqttPublisherSettings, topics: MqttTopics, *, service: str, version: str, linked: bool
    ) -> None:
        """`service`: its name for people; `linked`: pictures are told as links, not as bytes."""
        self._settings = settings
        self._topics = topics
        self._service = service
        self._version = version
        self._linked = linked

    def messages(self, cameras: Mapping[str, str]) -> dict[str, bytes]:
        """Topic -> payload, all of them retained. `cameras`: device key -> label."""
        devices = [(self._device("", self._service, "Service"), self._of_service())]
        devices += [(self._device(key, label, "Camera"), self._of_camera(key)) for key, label in cameras.items()]
        form = self._whole if self._settings.device_discovery else self._piecewise
        return {
            f"{self._settings.discovery_prefix}/{topic}/config": json.dumps(payload).encode()
            for device, components in devices
            for topic, payload in form(device, components)
        }

    def _whole(self, device: dict[str, Any], components: dict[str, Component]) -> Iterator[tuple[str, dict[str, Any]]]:
        yield f"device/{_id(device)}", {"device": device, "origin": self._origin, "components": components}

    def _piecewise(
        self, device: dict[str, Any], components: dict[str, Component]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """As Home Assistant before 2024.11 reads it: a message for each entity, which says what its device is."""
        for name, component in components.items():
            own = {option: value for option, value in component.items() if option != "platform"}
            yield f"{component['platform']}/{_id(device)}/{name}", {**own, "device": device, "origin": self._origin}

    @property
    def _origin(self) -> dict[str, str]:
        return {"name": "snapshot-processor", "sw_version": self._version}

    def _device(self, camera: str, name: str, model: str) -> dict[str, Any]:
        device: dict[str, Any] = {
            "identifiers": [self._identifier(camera)],
            "name": name,
            "manufacturer": "snapshot-processor",
            "model": model,
            "sw_version": self._version,
        }
        return {**device, "via_device": self._identifier("")} if camera else device

    def _identifier(self, camera: str) -> str:
        """The same for as long as the camera has its name, and of letters and digits only; empty for the service."""
        name = f"{self._settings.prefix}\0{camera}".encode()
        return f"snapshots_{hashlib.sha256(name).hexdigest()[:12]}"

    def _of_camera(self, camera: str) -> dict[str, Component]:
        def topic(what: str) -> str:
            return self._topics.camera(camera, what)

        service, whole = [self._topics.status], [self._topics.status, topic("status")]
        state, diagnostic = {"state_topic": topic("state")}, {"entity_category": "diagnostic"}
        components: dict[str, tuple[str, str, list[str], Component]] = {
            "image": ("image", "Last picture", whole, self._image(topic("image"))),
            "person_image": ("image", "Last person", whole, self._image(topic("person_image"))),
            "person": (
                "binary_sensor",
                "Person",
                whole,
                {"state_topic": topic("person"), "device_class": "occupancy", "off_delay": self._settings.off_delay},
            ),
            "reachable": (
                "binary_sensor",
                "Reachable",
                service,
                {
                    "state_topic": topic("status"),
                    "payload_on": "online",
                    "payload_off": "offline",
                    "device_class": "connectivity",
                    **diagnostic,
                },
            ),
            "event": (
                "event",
                "Event",
                whole,
                {"state_topic": topic("event"), "event_types": list(EVENT_TYPES), "device_class": "motion"},
            ),
            "persons": (
                "sensor",
                "Persons",
                whole,
                {**state, "value_template": "{{ value_json.persons }}", "state_class": "measurement"},
            ),
            "last_seen": (
                "sensor",
                "Last seen",
                whole,
                {"state_topic": topic("last_seen"), "device_class": "timestamp"},
            ),
            "labels": ("sensor", "Labels", whole, {**state, "value_template": "{{ value_json.labels }}"}),
            "problem": (
                "sensor",
                "Problem",
                service,
                {**state, "value_template": "{{ value_json.problem }}", **diagnostic},
            ),
            "snapshot": ("button", "Take a picture", whole, {"command_topic": f"{topic(SNAPSHOT)}/set"}),
            "notifications": (
                "switch",
                "Notifications",
                service,
                {"state_topic": topic(NOTIFICATIONS), "command_topic": f"{topic(NOTIFICATIONS)}/set"},
            ),
        }
        return {name: self._component(camera, name, *parts) for name, parts in components.items()}

    def _of_service(self) -> dict[str, Component]:
        figures = {"state_topic": self._topics.figures, "entity_category": "diagnostic"}
        components: dict[str, tuple[str, str, Component]] = {
            "mode": (
                "select",
                "Mode",
                {
                    "state_topic": self._topics.mode,
                    "command_topic": f"{self._topics.mode}/set",
                    "options": list(MODES),
                },
            ),
            "calls": (
                "sensor",
                "Detector calls this month",
                {**figures, "value_template": "{{ value_json.calls }}", "state_class": "total_increasing"},
            ),
            "cost": (
                "sensor",
                "Detector cost this month",
                {
                    **figures,
                    "value_template": "{{ value_json.cost_usd }}",
                    "device_class": "monetary",
                    "unit_of_measurement": "USD",
                },
            ),
            "oldest_undelivered": (
                "sensor",
                "Oldest undelivered event",
                {
                    **figures,
                    "value_template": "{{ value_json.oldest_undelivered_s }}",
                    "device_class": "duration",
                    "unit_of_measurement": "s",
                    "state_class": "measurement",
                },
            ),
        }
        return {
            name: self._component("", name, platform, title, [self._topics.status], options)
            for name, (platform, title, options) in components.items()
        }

    def _image(self, topic: str) -> Component:
        if self._linked:
            return {"url_topic": f"{topic}_url"}
        return {"image_topic": topic, "content_type": "image/jpeg"}

    def _component(
        self, camera: str, key: str, platform: str, name: str, available: list[str], options: Component
    ) -> Component:
        return {
            "platform": platform,
            "unique_id": f"{self._identifier(camera)}_{key}",
            "name": name,
            "availability": [{"topic": topic} for topic in available],
            "availability_mode": "all",
            "qos": 1,
            **options,
        }


def _id(device: Mapping[str, Any]) -> str:
    identifier: str = device["identifiers"][0]
    return identifier
