"""Dead letters from the command line: seen without their logins, put back, or dropped."""

from __future__ import annotations

import re

import msgpack
import pytest

from tests.broker import Broker
from tests.e2e.conftest import Launch
from tests.e2e.mishaps import stamping
from tests.e2e.peers import Consumer, House, Sensor, trigger
from tests.e2e.process import ServiceProcess, until
from tests.simulators.camera import CameraSimulator


@pytest.fixture
def service(launch: Launch, house: House, cameras: CameraSimulator) -> ServiceProcess:
    return launch(house, cameras=stamping(cameras, "Yard")).start().wait_ready()


@pytest.fixture
def dead(house: House) -> str:
    """The queue's name."""
    return f"{house.exchange}.snapshot.triggers.dead"


def refused(service: ServiceProcess, house: House, broker: Broker, dead: str, *bodies: bytes) -> None:
    """Have the service refuse these."""
    with Sensor(house) as sensor:
        for number, body in enumerate(bodies, 1):
            sensor.send_raw(body, message_id=f"m{number}")
            until(lambda number=number: broker.waiting(dead) == number)  # type: ignore[misc]


def ids(listing: str) -> list[str]:
    return [line.split()[0] for line in listing.splitlines()[1:]]


def test_what_was_refused_is_listed_without_logins_and_stays(
    service: ServiceProcess, house: House, broker: Broker, dead: str
) -> None:
    params = "bob:hunter2@10.0.0.9:88"
    unknown = trigger("Yrad Camera", device_params=params)
    refused(service, house, broker, dead, unknown, unknown[:-1], b"\xc1\x1b[2J \xff")
    listings = [service.command("dead-letters", "list") for _ in range(2)]
    assert [(one.returncode, one.stderr) for one in listings] == [(0, "3 dead letters\n")] * 2
    assert listings[0].stdout == listings[1].stdout
    _, first, second, third = listings[0].stdout.splitlines()
    assert "  Yrad Camera  unknown_camera: no camera 'Yrad Camera'; did you mean 'Yard Camera'?  " in first
    assert '"device_params": "***"' in first
    assert re.search("no camera +not_messagepack", second)
    assert "not_messagepack" in third
    assert "\\x1b[2J" in third
    assert "hunter2" not in listings[0].stdout
    assert broker.waiting(dead) == 3


def test_what_is_understood_now_is_put_back_and_answered(
    service: ServiceProcess, house: House, broker: Broker, dead: str, cameras: CameraSimulator, launch: Launch
) -> None:
    refused(service, house, broker, dead, trigger("Shed Camera", active_input={"number": 7}), b"\xc1")
    service.terminate()
    assert service.wait() == 0
    corrected = launch(house, home="corrected", cameras=stamping(cameras, "Yard", "Shed"))
    assert corrected.command("dead-letters", "retry").stdout == "1 put back, 1 left\n"
    assert broker.waiting(dead) == 1
    with Consumer(house) as consumer:
        corrected.start().wait_ready()
        (event,) = until(lambda: consumer.of("Shed Camera"), what="the event")
    assert (event.number, event.entry["problem"]) == (7, "")


def test_a_trigger_that_lay_dead_for_long_is_stale_and_has_no_picture_of_another_moment(
    service: ServiceProcess, house: House, broker: Broker, dead: str
) -> None:
    with broker.channel() as channel:
        channel.basic_publish("", dead, trigger("Yard Camera", timestamp=1_700_000_000))
    with Consumer(house) as consumer:
        assert service.command("dead-letters", "retry").stdout == "1 put back, 0 left\n"
        (event,) = until(lambda: consumer.of("Yard Camera"), what="the event")
    assert event.entry["problem"].startswith("stale: ")


def test_those_that_are_named_are_dropped_and_others_stay(
    service: ServiceProcess, house: House, broker: Broker, dead: str
) -> None:
    refused(service, house, broker, dead, b"\xc1 one", b"\xc1 two", b"\xc1 three")
    first, _, third = ids(service.command("dead-letters", "list").stdout)
    asked = service.command("dead-letters", "drop", first)
    assert (asked.returncode, broker.waiting(dead)) == (1, 3)
    assert service.command("dead-letters", "drop", "--yes", first, third).stdout == "2 dropped\n"
    ((_, left),) = broker.take(dead)
    assert left == b"\xc1 two"


def test_looking_at_a_letter_again_and_again_does_not_wear_it_out(
    service: ServiceProcess, house: House, broker: Broker, dead: str
) -> None:
    refused(service, house, broker, dead, msgpack.packb([1]))
    for _ in range(12):
        with broker.channel() as channel:
            method, _, _ = channel.basic_get(dead)
            assert method
        until(lambda: broker.waiting(dead))
    listing = service.command("dead-letters", "list").stdout
    ((properties, body),) = broker.take(dead)
    assert (body, "not_a_map" in listing) == (msgpack.packb([1]), True)
    assert properties.headers.get("x-delivery-count", 0) < 5
    assert properties.headers["x-death"]
