"""What Home Assistant reads to know our devices. The golden files pass the schemas of its release 2025.1.4."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.publishers.mqtt.discovery import Discovery
from app.publishers.mqtt.settings import MqttPublisherSettings
from app.wire.topics import MqttTopics

GOLDEN = Path(__file__).parent / "golden"
CAMERAS = {"Haustür Camera": "Die Haustür"}
ROOT = {"device", "origin", "components"}
"""Home Assistant refuses a whole device over one root key that it does not know."""


def messages(*, linked: bool = False, **settings: Any) -> dict[str, Any]:
    made = MqttPublisherSettings(server_address="broker", **settings)
    discovery = Discovery(made, MqttTopics(made.prefix, CAMERAS), service="garage", version="1.2.3", linked=linked)
    return {topic: json.loads(payload) for topic, payload in discovery.messages(CAMERAS).items()}


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("devices", {}),
        ("devices-linked", {"linked": True, "prefix": "attic/cams", "off_delay": 15, "discovery_prefix": "ha"}),
        ("entities", {"device_discovery": False}),
    ],
)
def test_it_is_what_stands_in_the_golden_file(name: str, settings: dict[str, Any]) -> None:
    file = GOLDEN / f"{name}.json"
    assert messages(**settings) == json.loads(file.read_text(encoding="utf-8"))


def test_a_device_has_no_root_key_but_those_that_are_known() -> None:
    for topic, payload in messages().items():
        assert re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", topic)
        assert set(payload) == ROOT
        assert payload["device"]["identifiers"]
        assert payload["origin"]["name"]


def test_every_entity_has_an_id_that_no_other_has_and_says_when_it_is_available() -> None:
    components = [component for payload in messages().values() for component in payload["components"].values()]
    ids = [component["unique_id"] for component in components]
    assert len(set(ids)) == len(ids) == 15
    for component in components:
        assert {"topic": "snapshots/status"} in component["availability"]
        assert component["availability_mode"] == "all"


def test_an_image_is_a_link_or_bytes_and_never_both() -> None:
    for linked, there, absent in ((True, "url_topic", "image_topic"), (False, "image_topic", "url_topic")):
        *_, camera = messages(linked=linked).values()
        for name in ("image", "person_image"):
            assert there in camera["components"][name]
            assert absent not in camera["components"][name]
        assert ("content_type" in camera["components"]["image"]) is not linked


def test_two_services_at_one_broker_have_devices_of_their_own() -> None:
    assert not messages().keys() & messages(prefix="attic").keys()


def test_the_older_form_says_the_same_entity_by_entity() -> None:
    whole = [
        (payload["device"], name, one) for payload in messages().values() for name, one in payload["components"].items()
    ]
    pieces = messages(device_discovery=False)
    assert len(pieces) == len(whole)
    for device, name, component in whole:
        platform = component.pop("platform")
        piece = pieces[f"homeassistant/{platform}/{device['identifiers'][0]}/{name}/config"]
        assert piece == {**component, "device": device, "origin": {"name": "snapshot-processor", "sw_version": "1.2.3"}}
