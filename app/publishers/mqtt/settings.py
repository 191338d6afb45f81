"""The settings of events on an MQTT broker, and of Home Assistant's discovery there."""

from __future__ import annotations

from pydantic import Field

from pylib.mqtt.settings import MqttSettings, Prefix


class MqttPublisherSettings(MqttSettings):
    """Events on an MQTT broker, and devices for Home Assistant."""

    discovery_prefix: Prefix = Field(
        default="homeassistant",
        max_length=100,
        description="Beginning of Home Assistant's discovery topics; empty for no devices there.",
    )
    device_discovery: bool = Field(
        default=True,
        description="One discovery message a device, as Home Assistant has it from 2024.11 on; false for older ones.",
    )
    off_delay: int = Field(
        default=60,
        ge=1,
        le=86_400,
        description="Seconds after which a person counts as gone that was seen at a camera.",
    )
