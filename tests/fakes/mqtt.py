"""A connection to an MQTT broker that keeps what it is given."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pylib.errors import Failure
from pylib.mqtt.broker import Outgoing


class FakeConnection:
    """In place of `pylib.mqtt.connection.Connection`; while `failure` is set, `publish` raises it."""

    def __init__(self) -> None:
        self.connected = True
        self.failure: Failure | None = None
        self.sent: list[Outgoing] = []
        self.acknowledged: list[str] = []

    def publish(self, messages: Sequence[Outgoing], *, timeout: float) -> None:
        assert timeout == 15.0
        if self.failure is not None:
            raise self.failure
        self.sent += messages

    def send(self, message: Outgoing) -> None:
        self.sent.append(message)

    def acknowledge(self, receipt: str) -> None:
        self.acknowledged.append(receipt)

    def take(self) -> dict[str, bytes]:
        """What was sent since the last look, by topic."""
        sent, self.sent = self.sent, []
        assert len({message.topic for message in sent}) == len(sent)
        return {message.topic: message.payload for message in sent}

    def said(self, topic: str) -> Any:
        """The JSON that was last sent there."""
        return json.loads(next(message.payload for message in reversed(self.sent) if message.topic == topic))
