"""Bad triggers, bad cameras, bad settings: one clear line, one counted outcome, and no cost to anybody else."""

from __future__ import annotations

import json
import math
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import pytest

from tests.broker import Broker, free_ports
from tests.e2e.conftest import Launch, service_process
from tests.e2e.peers import Consumer, House, Sensor
from tests.e2e.process import ServiceProcess, until
from tests.simulators.camera import CameraSimulator

HEALTHY = ("Yard", "Porch", "Shed")
CAMERA_TIMEOUT = 1.5
STUCK = ("Attic", "Cellar", "Loft", "Den")
STUCK_FOR = 20.0

BAD_CAMERAS = {
    "refuse": "disconnected",
    "hang": "timeout",
    "drip": "timeout",
    "drip-headers": "timeout",
    "401": "login_refused",
    "500": "camera_error",
    "html": "not_a_picture",
    "empty": "empty",
    "truncated": "truncated",
    "truncated-unannounced": "truncated",
    "huge": "too_large",
    "huge-unannounced": "too_large",
    "bomb": "pixel_bomb",
    "not-an-image": "not_a_picture",
    "gibberish": "not_http",
    "redirect": "wrong_address",
}
"""What a camera does -> the code of the problem that its events carry."""


def body(**changes: Any) -> bytes:
    """A good trigger with some fields changed; `...` leaves one out."""
    output = {"device_key": "Yard Camera", "device_label": "Yard"}
    whole = {"timestamp": time.time(), "output_triggered": output} | changes
    packed: bytes = msgpack.packb({name: value for name, value in whole.items() if value is not ...})
    return packed


def output(**changes: Any) -> bytes:
    """The same for fields of `output_triggered`."""
    whole = {"device_key": "Yard Camera", "device_label": "Yard"} | changes
    return body(output_triggered={name: value for name, value in whole.items() if value is not ...})


MALFORMED = {
    "nothing at all": (b"", "not_messagepack"),
    "not MessagePack": (b"\xc1 open the door", "not_messagepack"),
    "half a MessagePack": (body()[:-5], "not_messagepack"),
    "half a JSON": (b'{"timestamp": 1', "not_json"),
    "a list": (msgpack.packb([1, 2]), "not_a_map"),
    "a number": (b"1", "not_a_map"),
    "no timestamp": (body(timestamp=...), "missing_field"),
    "no output": (body(output_triggered=...), "missing_field"),
    "no device_key": (output(device_key=...), "missing_field"),
    "no device_label": (output(device_label=...), "missing_field"),
    "an output that is text": (body(output_triggered="Yard Camera"), "mistyped_field"),
    "a device_key that is a number": (output(device_key=7), "mistyped_field"),
    "a device_label that is a list": (output(device_label=["Yard"]), "mistyped_field"),
    "an active_input that is text": (body(active_input="Gate"), "mistyped_field"),
    "device_params that are a map": (output(device_params={"ip": "10.0.0.1"}), "mistyped_field"),
    "a timestamp that is a list": (body(timestamp=[2026]), "mistyped_field"),
    "a timestamp that is a word": (body(timestamp="yesterday"), "bad_timestamp"),
    "a timestamp in milliseconds": (body(timestamp=time.time() * 1000), "bad_timestamp"),
    "a timestamp that is no number": (body(timestamp=math.nan), "bad_timestamp"),
    "a timestamp beyond all years": (body(timestamp=1e300), "bad_timestamp"),
    "an unknown camera": (output(device_key="Yrad Camera"), "unknown_camera"),
    "20 MB": (bytes(20_000_000), "too_large"),
    "20 MB in a field": (body(active_input={"film": bytes(20_000_000)}), "too_large"),
}
"""Name -> message, and the code of what is wrong with it."""


@pytest.fixture(scope="module")
def home(broker: Broker) -> House:
    return House(broker.url, "test-bad-input")


def _patience(location: str) -> float:
    """Seconds: only who is to run into a timeout needs a short one, on a busy machine too."""
    return CAMERA_TIMEOUT if BAD_CAMERAS.get(location) == "timeout" else 60


@pytest.fixture(scope="module")
def service(
    home: House, cameras: CameraSimulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    good = {one: cameras.url("stamped", one.lower()) for one in HEALTHY}
    bad = {one: cameras.url(one) for one in BAD_CAMERAS}
    bad["absent"] = f"http://127.0.0.1:{free_ports(1)[0]}/picture.jpg"
    configured = [
        {"location": location, "kind": "still", "url": url, "timeout": _patience(location)}
        for location, url in (good | bad).items()
    ]
    configured += [
        {"location": location, "kind": "still", "url": cameras.url("hang"), "timeout": STUCK_FOR} for location in STUCK
    ]
    with service_process(tmp_path_factory.mktemp("bad"), home, cameras=configured) as process:
        yield process.start().wait_ready()


@pytest.fixture(scope="module")
def consumer(home: House, service: ServiceProcess) -> Iterator[Consumer]:
    with Consumer(home) as one:
        yield one


@pytest.fixture
def sensor(home: House, consumer: Consumer) -> Iterator[Sensor]:
    with Sensor(home) as one:
        yield one


@pytest.mark.parametrize(("message", "code"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_trigger_is_set_aside_with_one_line_and_one_count(
    message: bytes, code: str, broker: Broker, sensor: Sensor, consumer: Consumer, service: ServiceProcess
) -> None:
    lines = len(service.log_lines("malformed message"))
    counted = service.metric("triggers_total", origin="rabbitmq", outcome=code)
    sensor.send_raw(message)
    ((_, dead),) = broker.take("test-bad-input.snapshot.triggers.dead")
    assert dead == message
    assert service.metric("triggers_total", origin="rabbitmq", outcome=code) == counted + 1
    (line,) = service.log_lines("malformed message")[lines:]
    assert line["reason"].startswith(f"{code}: ")
    assert len(json.dumps(line)) < 500
    sent = sensor.send("Yard Camera")
    until(lambda: consumer.about(sent), what="the event of the next good trigger")


@pytest.mark.parametrize("header", ["traceparent", "baggage"])
def test_a_trace_of_any_size_costs_the_events_behind_it_nothing(
    header: str, consumer: Consumer, service: ServiceProcess
) -> None:
    bad = service.http("POST", "/api/cameras/yard/trigger", headers={header: "x" * 200_000})
    good = service.http("POST", "/api/cameras/yard/trigger").json()
    until(lambda: good["event_id"] in consumer.events, what="the event of the trigger behind it")
    if bad.status_code == 202:  # else it was refused before anybody looked at it
        (event,) = until(lambda: consumer.events.get(bad.json()["event_id"]), what="its own event")
        assert header not in {**event.headers, **event.body}


@pytest.mark.parametrize(("behaviour", "code"), [*BAD_CAMERAS.items(), ("absent", "refused")])
def test_a_bad_answer_of_a_camera_becomes_one_event_with_its_problem(
    behaviour: str, code: str, sensor: Sensor, consumer: Consumer, service: ServiceProcess
) -> None:
    camera = f"{behaviour} Camera"
    sent = sensor.send(camera)
    (event,) = until(lambda: consumer.about(sent), what="the event")
    assert event.entry["problem"].startswith(f"{code}: ")
    assert len(event.entry["problem"]) < 200
    assert (event.entry["image"], event.entry["decision"]) == (b"", "unknown")
    assert service.metric("snapshots_total", camera=camera, outcome=code) == 1
    assert len(service.log_lines("no picture", event_id=event.message_id)) == 1


def test_cameras_that_hang_cost_the_others_nothing(sensor: Sensor, consumer: Consumer, service: ServiceProcess) -> None:
    for location in STUCK:
        sensor.send(f"{location} Camera")
    until(lambda: service.metric("stage_in_hand", stage="fetch") >= len(STUCK))
    for _ in range(10):
        for location in HEALTHY:
            began = time.monotonic()
            sent = sensor.send(f"{location} Camera")
            (event,) = until(lambda sent=sent: consumer.about(sent))  # type: ignore[misc]
            assert event.entry["problem"] == ""
            assert event.at - began < STUCK_FOR / 10
    assert service.metric("stage_in_hand", stage="fetch") >= len(STUCK)


def test_an_address_outside_the_camera_networks_is_not_asked(
    sensor: Sensor, consumer: Consumer, launch: Launch, house: House
) -> None:
    sent = sensor.send("Yard Camera", device_params="admin:secret@93.184.216.34:80")
    (event,) = until(lambda: consumer.about(sent), what="the event")
    assert event.entry["problem"].startswith("address_not_allowed: ")
    assert "secret" not in event.entry["problem"]


# -- settings -------------------------------------------------------------------------------------

BAD_ENVIRONMENT = {
    "WEB_PORT": "99999",
    "OUTPUT_1_TYPE": "Camera",
    "RABBITMQ_SERVER_ADDRESS": "http://broker",
    "DETECTOR_KIND": "hogg",
    "TZ": "Europe/Bärlin",
    "WEB_PASSWORD_FILE": "/nowhere/at/all",
    "OUTPUT_3_TYPE": "Camera",
    "OUTPUT_3_LOCATION": "Yard",
    "OUTPUT_3_KIND": "still",
    "OUTPUT_3_URL": "ftp://admin:hush@camera/",
}
BAD_CONFIG = {
    "rabitmq": {},
    "max_age": "long",
    "web": {"prot": 80},
    "camera_networks": ["home"],
    "cameras": [
        {"location": "Hall", "kind": "demo"},
        {"location": "Hall", "kind": "demo"},
        {"location": "Porch", "kind": "foscan"},
        {"kind": "demo"},
    ],
}
COMPLAINTS = [
    ["WEB_PORT", "65535"],
    ["OUTPUT_1_LOCATION", "required"],
    ["RABBITMQ_SERVER_ADDRESS", "amqp(s)://"],
    ["DETECTOR_KIND", "did you mean hog"],
    ["TZ", "Europe/Berlin"],
    ["WEB_PASSWORD_FILE", "No such file"],
    ["OUTPUT_3_URL", "http://"],
    ["rabitmq", "did you mean rabbitmq", "line "],
    ["max_age", "number", "line "],
    ["web.prot", "did you mean port", "line "],
    ["camera_networks", "192.168.1.0/24", "line "],
    ["cameras[1]", "'Hall Camera'", "line "],
    ["cameras[2]", "did you mean foscam", "line "],
    ["cameras[3]", "location", "line "],
]
"""What the lines about them say, one for each."""


def test_every_bad_setting_gets_one_clear_line_and_none_stops_at_the_first(launch: Launch) -> None:
    ended = launch(environment=BAD_ENVIRONMENT, **BAD_CONFIG).command("run")
    assert ended.returncode == 78
    lines = ended.stderr.splitlines()
    said = [[line for line in lines if all(part in line for part in parts)] for parts in COMPLAINTS]
    assert [len(found) for found in said] == [1] * len(COMPLAINTS)
    assert len(lines) == len(COMPLAINTS)
    assert "hush" not in ended.stderr


def test_a_configuration_that_is_not_there_is_named(launch: Launch) -> None:
    ended = launch(environment={"CONFIG_FILE": "/nowhere/config.yml"}).command("run")
    assert ended.returncode == 78
    (line,) = ended.stderr.splitlines()
    assert "/nowhere/config.yml" in line


def test_a_configuration_that_is_not_yaml_is_named_with_its_line(launch: Launch) -> None:
    service = launch()
    (service.home / "config.yml").write_text("web:\n  port: 80\n bad\n")
    ended = service.command("run")
    assert ended.returncode == 78
    (line,) = ended.stderr.splitlines()
    assert "config.yml" in line
    assert "line 3" in line


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_data_folder_that_cannot_be_written_is_named(launch: Launch, tmp_path: Path, command: str) -> None:
    file = tmp_path / "file"
    file.touch()
    ended = launch(environment={"DATA_DIR": str(file / "data")}).command(command)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    (line,) = [line for line in (ended.stdout + ended.stderr).splitlines() if "Not a directory" in line]
    assert str(file) in line


def test_a_damaged_journal_is_named(launch: Launch) -> None:
    service = launch()
    (service.home / "data").mkdir()
    (service.home / "data/journal.db").write_bytes(b"this was a journal once" * 100)
    ended = service.command("run")
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert "journal.db" in line


def test_a_web_port_that_is_taken_is_named_with_the_setting(launch: Launch) -> None:
    service = launch()
    with socket.create_server(("127.0.0.1", service.port)):
        ended = service.command("run")
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert "WEB_PORT" in ended.stderr.splitlines()[-1]


# -- check ----------------------------------------------------------------------------------------


def test_check_finds_nothing_wrong_where_nothing_is(launch: Launch, house: House, cameras: CameraSimulator) -> None:
    camera = {"location": "Yard", "kind": "still", "url": cameras.url("stamped", "yard")}
    ended = launch(house, environment={"DETECTOR_KIND": "hog"}, cameras=[camera]).command("check")
    assert [line for line in ended.stdout.splitlines() if line.startswith("WRONG")] == []
    assert (ended.returncode, ended.stderr) == (0, "")
    assert {line.split()[1].rstrip(":") for line in ended.stdout.splitlines() if line.startswith("ok")} >= {
        "configuration",
        "secrets",
        "disk",
        "broker",
        "camera",
        "detector",
        "album",
    }


def test_check_names_all_that_is_wrong_and_what_to_do(launch: Launch, cameras: CameraSimulator) -> None:
    configured = [
        {"location": "Yard", "kind": "still", "url": cameras.url("stamped", "yard")},
        {
            "location": "Login",
            "kind": "still",
            "url": cameras.url("401"),
            "username": "a",
            "password": "hush",
        },
        {"location": "Absent", "kind": "still", "url": f"http://127.0.0.1:{free_ports(1)[0]}/"},
        {"location": "Page", "kind": "still", "url": cameras.url("html")},
        {"location": "Slow", "kind": "still", "url": cameras.url("hang"), "timeout": 1},
    ]
    broker = {"server_address": f"127.0.0.1:{free_ports(1)[0]}"}
    ended = launch(rabbitmq=broker, cameras=configured).command("check")
    assert (ended.returncode, ended.stderr) == (1, "")
    lines = ended.stdout.splitlines()
    wrong = {line.split(": ")[0].removeprefix("WRONG").strip(): i for i, line in enumerate(lines) if "WRONG" in line}
    assert set(wrong) == {
        "broker",
        "camera Login Camera",
        "camera Absent Camera",
        "camera Page Camera",
        "camera Slow Camera",
    }
    assert all(lines[place + 1].startswith("        -> ") for place in wrong.values())
    assert "ok      camera Yard Camera" in ended.stdout
    assert "hush" not in ended.stdout


def test_check_names_a_broker_that_refuses_the_login(launch: Launch, broker: Broker) -> None:
    address = broker.address
    environment = {"RABBITMQ_SERVER_ADDRESS": address.address, "RABBITMQ_PASSWORD": "wrong-one"}
    ended = launch(environment=environment).command("check")
    assert ended.returncode == 1
    (line,) = [line for line in ended.stdout.splitlines() if line.startswith("WRONG")]
    assert line.startswith("WRONG   broker: ")
    assert "refuses this user name or password" in line
    assert "wrong-one" not in ended.stdout + ended.stderr
