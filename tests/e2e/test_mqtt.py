"""Triggers over MQTT and events back, with the whole service in between, which is killed and started again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.process import ServiceProcess, until
from tests.mosquitto import Mosquitto, Peer, peer

AT = "snapshots/hall-camera/"


@pytest.fixture(scope="module")
def mosquitto() -> Iterator[Mosquitto]:
    with Mosquitto() as one:
        yield one


def service(folder: Path, mosquitto: Mosquitto) -> ServiceProcess:
    mapped = {"topic": "zigbee2mqtt/+", "camera": "Hall Camera", "when": {"contact": False}}
    config = {
        "cameras": [{"kind": "demo", "location": "Hall", "label": "The hall"}],
        "mqtt": {"server_address": mosquitto.address, "topics": [mapped]},
    }
    return ServiceProcess(folder, config=config, forked=True)


def events(assistant: Peer, count: int) -> list[dict[str, object]]:
    """All events so far, which must be so many; one may be heard twice."""

    def heard() -> list[dict[str, object]]:
        told = [json.loads(payload) for payload in assistant.all(f"{AT}event")]
        return list({one["event_id"]: one for one in told}.values())

    assistant.wait(lambda: len(heard()) >= count, what=f"{count} events")
    assert len(heard()) == count
    return heard()


def test_a_trigger_over_mqtt_comes_back_as_event_and_image_whatever_is_killed_in_between(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    with peer(mosquitto.port) as assistant, service(tmp_path, mosquitto) as process:
        process.start().wait_ready()
        assistant.wait(lambda: assistant.last("snapshots/status") == b"online", what="it is there")
        assistant.wait(lambda: assistant.last(f"{AT}notifications") == b"ON", what="states")
        assert len([topic for topic, _, _ in assistant.messages if topic.endswith("/config")]) == 2
        assert process.check("triggers from mqtt")["ok"]

        assistant.say(f"{AT}snapshot/set", "PRESS")
        (event,) = events(assistant, 1)
        assert (event["device_key"], event["origin"], event["problem"]) == ("Hall Camera", "mqtt", "")
        assert (assistant.last(f"{AT}image") or b"").startswith(b"\xff\xd8\xff")
        assert json.loads(assistant.last(f"{AT}state") or b"")["event_id"] == event["event_id"]

        assistant.say("zigbee2mqtt/door", json.dumps({"contact": True}))
        assistant.say("zigbee2mqtt/door", "offline")
        assistant.say("zigbee2mqtt/door", json.dumps({"contact": False, "battery": 90}))
        _, mapped = events(assistant, 2)
        stored = process.http("GET", f"/api/snapshots/{mapped['event_id']}").json()
        assert stored["active_input"] == {"contact": False, "battery": 90}
        assert process.metric("triggers_total", origin="mqtt", outcome="not_json") == 1

        assistant.say("snapshots/mode/set", "night")
        assistant.say(f"{AT}notifications/set", "OFF")
        assistant.wait(lambda: assistant.last("snapshots/mode") == b"night", what="the mode")
        assistant.wait(lambda: assistant.last(f"{AT}notifications") == b"OFF", what="the switch")

        process.kill()
        assistant.wait(lambda: assistant.last("snapshots/status") == b"offline", what="the last will")
        assistant.say(f"{AT}snapshot/set", "while it was away")
        process.start().wait_ready()
        events(assistant, 3)
        assert assistant.last("snapshots/status") == b"online"

        mosquitto.stop()
        until(lambda: not process.check("triggers from mqtt")["ok"], what="it notices")
        process.http("POST", "/api/cameras/hall/trigger?wait=20")
        mosquitto.start()
        events(assistant, 4)
        assert (assistant.last("snapshots/mode"), assistant.last(f"{AT}notifications")) == (b"night", b"OFF")

        process.terminate()
        assert process.wait() == 0
        assistant.wait(lambda: assistant.last("snapshots/status") == b"offline", what="it says that it ends")
