"""Where each camera is on an MQTT broker."""

from __future__ import annotations

import pytest

from app.wire.topics import MqttTopics
from pylib.mqtt.topics import is_topic


def test_a_camera_has_its_name_in_small_letters_below_the_prefix() -> None:
    topics = MqttTopics("home/cams", ["Front Door Camera"])
    assert topics.camera("Front Door Camera", "event") == "home/cams/front-door-camera/event"
    assert topics.command("snapshot") == "home/cams/+/snapshot/set"


@pytest.mark.parametrize("name", ["A/B#+\0 Camera", "$SYS Camera", "+ #", "Haustür Camera", "\x1b[31m"])
def test_any_name_makes_a_topic(name: str) -> None:
    topic = MqttTopics("snapshots", [name]).camera(name, "event")
    assert is_topic(topic)
    assert topic.count("/") == 2


def test_two_that_come_out_alike_are_numbered() -> None:
    cameras = ["Front Door Camera", "Front-Door Camera", "Front Door! Camera"]
    topics = MqttTopics("s", cameras)
    words = [topics.camera(camera, "x") for camera in cameras]
    assert words == ["s/front-door-camera/x", "s/front-door-camera-2/x", "s/front-door-camera-3/x"]
    assert [topics.camera_of(topic)[0] for topic in words] == cameras


@pytest.mark.parametrize(
    ("topic", "camera", "word"),
    [
        ("s/haustür-camera/snapshot/set", "Haustür Camera", "haustür-camera"),
        ("s/haustuer-camera/snapshot/set", "Haustür Camera", "haustuer-camera"),
        ("s/Haustür Camera/snapshot/set", "Haustür Camera", "Haustür Camera"),
        ("s/cellar/snapshot/set", None, "cellar"),
    ],
)
def test_a_camera_is_found_in_any_spelling(topic: str, camera: str | None, word: str) -> None:
    assert MqttTopics("s", ["Haustür Camera", "Yard Camera"]).camera_of(topic) == (camera, word)
