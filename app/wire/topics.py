"""The topics on an MQTT broker: the contract with Home Assistant and every other program there."""

from __future__ import annotations

from collections.abc import Iterable

from app.naming import Names, slug

ONLINE, OFFLINE = b"online", b"offline"
ON, OFF = b"ON", b"OFF"

SNAPSHOT, NOTIFICATIONS = "snapshot", "notifications"
"""What a camera can be told, as the last level but one of a topic that ends with `/set`."""


class MqttTopics:
    """Where each camera is on the broker: `<prefix>/<camera>/...`."""

    def __init__(self, prefix: str, cameras: Iterable[str]) -> None:
        """`cameras`: device keys. Two whose names come out alike are numbered, in this order."""
        self.prefix = prefix
        self._words: dict[str, str] = {}
        for camera in cameras:
            word, number = slug(camera), 1
            while word in self._words.values():
                number += 1
                word = f"{slug(camera)}-{number}"
            self._words[camera] = word
        self._cameras = {word: camera for camera, word in self._words.items()}
        self._spelled = Names((camera, camera) for camera in self._words)

    @property
    def status(self) -> str:
        """Whether the service is there: `online`, or `offline`, which the broker says when it has lost us."""
        return f"{self.prefix}/status"

    @property
    def mode(self) -> str:
        """The mode of the home; with `/set` behind it, what is to become it."""
        return f"{self.prefix}/mode"

    @property
    def figures(self) -> str:
        """What the service has done this month, and what waits, as JSON."""
        return f"{self.prefix}/figures"

    def camera(self, camera: str, what: str) -> str:
        """A topic of this camera."""
        return f"{self.prefix}/{self._words.get(camera) or slug(camera)}/{what}"

    def command(self, what: str) -> str:
        """The filter of all topics that tell cameras something."""
        return f"{self.prefix}/+/{what}/set"

    def camera_of(self, topic: str) -> tuple[str | None, str]:
        """The device key that a topic below the prefix is about, None where there is none; and how it names it."""
        word = topic.removeprefix(f"{self.prefix}/").partition("/")[0]
        return self._cameras.get(word) or self._spelled.find(word), word
