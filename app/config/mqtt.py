"""The section `mqtt`: one broker for both directions."""

from __future__ import annotations

from app.publishers.mqtt.settings import MqttPublisherSettings
from app.sources.mqtt import MqttSourceSettings


class MqttSection(MqttPublisherSettings, MqttSourceSettings):
    """The MQTT broker that triggers come from and events go to."""
