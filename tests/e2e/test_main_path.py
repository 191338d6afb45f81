"""The main path: a trigger in; a picture taken, looked at, told and kept."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.broker import Broker
from tests.e2e.conftest import Launch, service_process
from tests.e2e.peers import Consumer, House, Received, Sensor, trigger
from tests.e2e.pictures import jpeg, stamp_of
from tests.e2e.process import PROJECT, ServiceProcess, until
from tests.simulators.camera import PASSWORD, CameraSimulator
from tests.simulators.rekognition import Rekognition

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CONTRACT = {
    "device_key": str,
    "device_label": str,
    "type": str,
    "image": bytes,
    "image_timestamp": str,
    "storage_url": str,
    "storage_path": str,
    "event_id": str,
    "person_count": int,
    "labels": list,
    "detector": str,
    "decision": str,
    "decision_reasons": dict,
    "problem": str,
    "delay_s": float,
    "thumbnail_url": str,
    "animation_url": str,
    "frames": int,
    "best": str,
    "origin": str,
}
"""DESIGN.md's event, without `event_detail`, which is there only when a person is."""

PHOTOGRAPHS = Path(os.environ.get("SNAPSHOT_TEST_PICTURES") or PROJECT.parent / "shared/data")
"""Photographs are no part of the project; where they are, they are looked at."""


@pytest.fixture(scope="module")
def home(broker: Broker) -> House:
    return House(broker.url, "test-main-path")


@pytest.fixture(scope="module")
def service(
    home: House, cameras: CameraSimulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    configured = [
        {"location": "Yard", "kind": "still", "url": cameras.url("stamped", "yard")},
        {"location": "Porch", "kind": "foscam", "label": "The porch"},
        {"location": "Hall", "kind": "demo"},
    ]
    sensors = [{"type": "Beam", "location": "Gate"}]
    process = service_process(
        tmp_path_factory.mktemp("main"),
        home,
        environment={"DETECTOR_KIND": "hog"},
        cameras=configured,
        inputs=sensors,
        booth={"enabled": True, "camera": "Hall"},
    )
    with process:
        yield process.start().wait_ready()


@pytest.fixture(scope="module")
def consumer(home: House, service: ServiceProcess) -> Iterator[Consumer]:
    with Consumer(home) as one:
        yield one


@pytest.fixture
def sensor(home: House, consumer: Consumer) -> Iterator[Sensor]:
    with Sensor(home) as one:
        yield one


def answer(sensor: Sensor, consumer: Consumer, body: bytes, **properties: Any) -> Received:
    """The event that this message leads to; the consumer must have no other to come."""
    before = len(consumer.events)
    sensor.send_raw(body, **properties)
    until(lambda: len(consumer.events) > before, what="the event")
    return consumer.latest[before]


def test_a_trigger_comes_back_as_an_event_with_the_camera_s_own_bytes(
    sensor: Sensor, consumer: Consumer, cameras: CameraSimulator, service: ServiceProcess
) -> None:
    event = answer(sensor, consumer, trigger("Yard Camera"), message_id="door-1")
    asked = cameras.load("yard").requests
    assert stamp_of(event.entry["image"]) == f"yard {asked}"
    assert event.entry["image"].replace(f"yard {asked}".encode(), b"").endswith(cameras.picture[2:])
    assert Path(event.entry["storage_path"]).read_bytes() == event.entry["image"]
    assert Path(event.entry["storage_path"]).is_relative_to(service.home / "data")


def test_an_event_has_every_field_of_the_contract_in_its_type(sensor: Sensor, consumer: Consumer) -> None:
    now = time.time()
    event = answer(sensor, consumer, trigger("Yard Camera", timestamp=now, active_input={"pin": 4}))
    assert event.routing_key == "event.notify.snapshot.garage.image"
    assert {name: type(value) for name, value in event.entry.items()} == CONTRACT
    assert event.message_id == event.entry["event_id"]
    assert datetime.fromisoformat(event.body["timestamp"]).timestamp() == pytest.approx(now, abs=1e-3)
    assert event.entry["image_timestamp"] == str(int(now))
    assert event.entry["device_key"] == "Yard Camera"
    assert event.entry["device_label"] == "The Yard Camera"
    assert event.entry["type"] == "camera"
    assert event.entry["origin"] == "rabbitmq"
    assert event.entry["problem"] == ""
    assert event.entry["detector"] == "hog"
    assert event.body["active_input"] == {"pin": 4}
    assert 0 <= event.entry["delay_s"] < 20


def test_a_trigger_in_json_says_the_same(sensor: Sensor, consumer: Consumer) -> None:
    body = {
        "timestamp": "2026-03-29T01:30:00+01:00",
        "active_input": {"device_key": "Gate Beam"},
        "output_triggered": {"device_key": "Yard Camera", "device_label": "Höf"},
        "traceparent": TRACEPARENT,
        "baggage": "door=front",
    }
    event = answer(sensor, consumer, json.dumps(body).encode(), content_type="application/json")
    assert datetime.fromisoformat(event.body["timestamp"]) == datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    assert event.entry["device_label"] == "Höf"
    assert event.body["active_input"] == {"device_key": "Gate Beam"}
    assert {name: event.headers[name] for name in ("traceparent", "baggage")} == {
        "traceparent": TRACEPARENT,
        "baggage": "door=front",
    }


def test_json_is_understood_without_its_content_type(sensor: Sensor, consumer: Consumer) -> None:
    body = {"timestamp": 0, "output_triggered": {"device_key": "Yard Camera", "device_label": "Yard"}}
    event = answer(sensor, consumer, json.dumps(body).encode())
    assert event.entry["image_timestamp"] == "0"
    assert stamp_of(event.entry["image"])


def test_a_trigger_brings_the_camera_s_address_and_login(
    sensor: Sensor, consumer: Consumer, cameras: CameraSimulator, service: ServiceProcess
) -> None:
    params = f"admin:{PASSWORD}@{cameras.address},554"
    event = answer(sensor, consumer, trigger("Porch Camera", device_params=params))
    assert (event.entry["problem"], event.entry["image"]) == ("", cameras.picture)
    assert cameras.seen[-1].query == {"cmd": "snapPicture2", "usr": "admin", "pwd": PASSWORD}


def test_no_login_stays_in_logs_events_or_on_disk(
    sensor: Sensor, consumer: Consumer, cameras: CameraSimulator, service: ServiceProcess
) -> None:
    for password in (PASSWORD, "f0lly&wr/ong"):
        answer(sensor, consumer, trigger("Porch Camera", device_params=f"admin:{password}@{cameras.address}"))
    assert consumer.latest[-1].entry["problem"].startswith("login_refused: ")
    kept = [
        service.log.encode(),
        repr(consumer.events).encode(),
        service.http("GET", "/api/snapshots").content,
    ]
    kept += [path.read_bytes() for path in (service.home / "data").rglob("*") if path.is_file()]
    for trace in (PASSWORD, PASSWORD[1:], "p%40ss", "f0lly&wr/ong", "f0lly%26"):
        assert not [place for place in kept if trace.encode() in place]


def test_heartbeats_name_every_device_every_five_seconds(consumer: Consumer, service: ServiceProcess) -> None:
    before = len(consumer.heartbeats)
    until(lambda: len(consumer.heartbeats) > before, timeout=30, what="a heartbeat")
    (heartbeat,) = consumer.heartbeats[before:]
    assert heartbeat.routing_key == "event.heartbeat.snapshot"
    assert heartbeat.body == {
        "inputs": [{"type": "Beam", "location": "Gate", "device_key": "Gate Beam"}],
        "outputs": [
            {"type": "Camera", "location": place, "device_key": f"{place} Camera"}
            for place in ("Yard", "Porch", "Hall")
        ],
    }


def test_a_buzzer_starts_the_booth_and_leaves_no_event(
    service: ServiceProcess, sensor: Sensor, consumer: Consumer
) -> None:
    before = len(consumer.events)
    sensor.send_raw(trigger("Booth Camera"), message_id="buzzer")
    until(lambda: service.http("GET", "/api/booth").json()["state"] != "ready", what="the booth to start")
    event = answer(sensor, consumer, trigger("Yard Camera"))  # by which the buzzer's would have come
    assert (len(consumer.events), event.entry["device_key"]) == (before + 1, "Yard Camera")


def test_a_trigger_by_http_waits_for_its_event(service: ServiceProcess, consumer: Consumer) -> None:
    answer = service.http("POST", "/api/cameras/yard/trigger?wait=20", json={"active_input": {"by": "hand"}})
    assert answer.status_code == 200
    event = answer.json()
    assert (event["device_key"], event["problem"], event["origin"]) == ("Yard Camera", "", "http")
    picture = service.http("GET", f"/api/snapshots/{event['event_id']}/image")
    assert picture.headers["content-type"] == "image/jpeg"
    published = until(lambda: consumer.events.get(event["event_id"]), what="the event")[0]
    assert published.entry["image"] == picture.content
    assert published.body["active_input"] == {"by": "hand"}


def test_a_trigger_by_http_is_accepted_at_once_without_waiting(service: ServiceProcess, consumer: Consumer) -> None:
    answer = service.http("POST", "/api/cameras/Yard Camera/trigger")
    assert answer.status_code == 202
    until(lambda: answer.json()["event_id"] in consumer.events, what="the event")
    assert service.http("GET", answer.json()["url"]).json()["problem"] == ""


def test_hog_sees_the_person_who_walks_past_the_demo_camera(service: ServiceProcess, consumer: Consumer) -> None:
    def seen() -> dict[str, Any] | None:
        found = service.http("POST", "/api/cameras/hall/trigger?wait=20").json()
        return dict(found) if found["person_count"] else None

    event = until(seen, timeout=60, what="somebody in the hall")
    assert event["decision"] == "person"
    assert event["labels"][0]["name"] == "Person"
    published = until(lambda: consumer.events.get(event["event_id"]), what="the event")[0]
    detail = f"{event['person_count']} person(s) and {len(event['labels'])} things"
    assert published.entry["event_detail"] == detail
    annotated = service.http("GET", f"/api/snapshots/{event['event_id']}/annotated")
    assert annotated.headers["content-type"] == "image/jpeg"


def test_the_command_line_triggers_and_watches(service: ServiceProcess, tmp_path: Path) -> None:
    with ServiceProcess(service.home / "watching") as watcher:
        watcher.environment = service.environment
        (watcher.home / "config.yml").write_text((service.home / "config.yml").read_text())
        watcher.start("watch", "--count", "1", "--timeout", "30", "--save", str(tmp_path))
        until(lambda: "listening" in watcher.log)
        sent = service.command("trigger", "Yard Camera", "--label", "By hand")
        assert (sent.returncode, sent.stderr) == (0, "")
        assert watcher.wait() == 0
        assert "By hand" in watcher.log
    (picture,) = tmp_path.glob("*.jpg")
    assert stamp_of(picture.read_bytes()).startswith("yard ")


def test_without_a_broker_the_command_line_triggers_by_http(launch: Launch, cameras: CameraSimulator) -> None:
    camera = {"location": "Yard", "kind": "still", "url": cameras.url("stamped", "yard")}
    service = launch(cameras=[camera], environment={"WEB_PASSWORD": "open sesame"}).start().wait_ready()
    sent = service.command("trigger", "Yard Camera", "--json")
    assert (sent.returncode, sent.stderr) == (0, "")
    event = json.loads(sent.stdout)
    assert (event["device_key"], event["problem"]) == ("Yard Camera", "")
    assert service.http("GET", "/api/snapshots").status_code == 401


@pytest.mark.long
def test_a_hundred_cameras_are_served_from_the_environment_alone(launch: Launch, house: House) -> None:
    keys = [f"Cam {number:03} Camera" for number in range(100)]
    environment = {}
    for number, key in enumerate(keys, start=1):
        environment[f"OUTPUT_{number}_TYPE"] = "Camera"
        environment[f"OUTPUT_{number}_LOCATION"] = key.removesuffix(" Camera")
    with CameraSimulator(jpeg(), delay=0.2) as simulator:
        service = launch(house, environment=environment).start().wait_ready()
        with Consumer(house) as consumer, Sensor(house) as sensor:
            for key in keys * 2:
                user = key.removesuffix(" Camera").replace(" ", "")
                sensor.send(key, device_params=f"{user}:{PASSWORD}@{simulator.address}")
            until(lambda: len(consumer.events) == 200, timeout=60, what="200 events")
        assert not (service.home / "config.yml").exists()
        for key in keys:
            first, second = consumer.of(key)
            assert (first.entry["problem"], second.entry["problem"]) == ("", "")
            numbers = [sent.number for sent in sensor.ledger if sent.camera == key]
            assert [first.number, second.number] == numbers
        assert {load.at_once for load in simulator.loads.values()} == {1}
        assert len(simulator.loads) == 100


def test_rekognition_says_what_is_in_the_picture_and_its_absence_is_only_a_problem(
    launch: Launch, house: House, cameras: CameraSimulator
) -> None:
    camera = {"location": "Yard", "kind": "still", "url": cameras.url("stamped", "yard")}
    with Rekognition() as cloud, Consumer(house) as consumer, Sensor(house) as sensor:
        environment = {
            "DETECTOR_KIND": "",
            "AWS_ENDPOINT_URL_REKOGNITION": cloud.url,
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "AKIATEST",
            "AWS_SECRET_ACCESS_KEY": "hush",
        }
        launch(house, environment=environment, cameras=[camera]).start().wait_ready()
        seen = sensor.send("Yard Camera")
        (event,) = until(lambda: consumer.about(seen), what="the event")
        assert (event.entry["detector"], event.entry["decision"], event.entry["person_count"]) == (
            "rekognition",
            "person",
            2,
        )
        assert event.entry["event_detail"] == f"2 person(s) and {len(event.entry['labels'])} things"
        cloud.faults.extend(["access_denied"] * 5)
        unseen = sensor.send("Yard Camera")
        (event,) = until(lambda: consumer.about(unseen), what="the event")
        assert event.entry["problem"].startswith("access_denied: ")
        assert stamp_of(event.entry["image"]).startswith("yard ")


def test_the_demo_shows_somebody_without_a_broker_and_ends_with_ctrl_c(launch: Launch) -> None:
    demo = launch(environment={"DETECTOR_KIND": "hog", "LOG_FORMAT": "console"})
    demo.start("demo", "--every", "1")
    until(lambda: re.search(r"(?m)^[\d:]{8}  [\w ]{12} 1 person$", demo.log), timeout=60)
    demo.signal(signal.SIGINT)
    assert demo.wait() == 0
    assert "Traceback" not in demo.log


if (PHOTOGRAPHS / "person.jpg").exists():

    @pytest.mark.parametrize(("photograph", "decision"), [("person.jpg", "person"), ("giraffe.jpg", "clear")])
    def test_hog_tells_a_photograph_of_a_person_from_one_of_a_giraffe(
        launch: Launch, house: House, photograph: str, decision: str
    ) -> None:
        picture = (PHOTOGRAPHS / photograph).read_bytes()
        with CameraSimulator(picture) as simulator, Consumer(house) as consumer, Sensor(house) as sensor:
            camera = {"location": "Meadow", "kind": "still", "url": simulator.url("ok")}
            launch(house, environment={"DETECTOR_KIND": "hog"}, cameras=[camera]).start().wait_ready()
            sent = sensor.send("Meadow Camera")
            (event,) = until(lambda: consumer.about(sent), what="the event")
        assert event.entry["image"] == picture
        assert (event.entry["decision"], event.entry["detector"]) == (decision, "hog")
        assert bool(event.entry["person_count"]) is (decision == "person")
