"""What those who look after the service see of it: health, exit statuses, monitors, Sentry."""

from __future__ import annotations

import gzip
import re
import signal
import sqlite3
import time
from collections.abc import Iterator

import pytest

from tests.broker import Broker, free_ports
from tests.e2e.conftest import Launch
from tests.e2e.mishaps import stamping
from tests.e2e.peers import House
from tests.e2e.process import until
from tests.fakes.http_double import HttpDouble, http_double
from tests.simulators.camera import CameraSimulator

UUID = "5d2f5f3e-0c1b-4d4a-9d2c-7f0f6a1e9b11"
KEY = "cronitor-k3y"


@pytest.fixture
def outside() -> Iterator[HttpDouble]:
    with http_double() as double:
        yield double


def test_the_health_command_tells_a_live_service_from_none(launch: Launch, house: House) -> None:
    service = launch(house).start().wait_ready()
    alive = service.command("health")
    assert (alive.returncode, alive.stderr) == (0, "")
    assert {line.split()[0] for line in alive.stdout.splitlines()[1:]} <= {"ok", "-"}  # or nobody has asked it yet
    service.terminate()
    assert service.wait() == 0
    dead = service.command("health")
    assert dead.returncode == 1
    assert str(service.port) in dead.stderr
    assert "Traceback" not in dead.stderr


def test_a_service_without_its_broker_is_live_and_not_ready(launch: Launch) -> None:
    service = launch(environment={"RABBITMQ_SERVER_ADDRESS": f"127.0.0.1:{free_ports(1)[0]}"})
    service.start().wait_ready(but=["broker"])
    assert service.http("GET", "/health/live").status_code == 200
    assert service.http("GET", "/health/ready").status_code == 503
    health = service.command("health")
    assert health.returncode == 0
    assert re.search("WRONG +broker +not connected: listener, publisher", health.stdout)


def test_a_second_service_in_the_same_folder_is_refused(launch: Launch) -> None:
    first = launch().start().wait_ready()
    second = launch(home="second", environment={"DATA_DIR": first.environment["DATA_DIR"]}).command("run")
    assert second.returncode == 1
    (line,) = second.stderr.splitlines()
    assert first.environment["DATA_DIR"] in line
    assert first.http("GET", "/health/ready").status_code == 200


def test_a_signal_ends_it_in_good_order_from_the_first_instant_on(launch: Launch, cameras: CameraSimulator) -> None:
    service = launch(cameras=stamping(cameras, "Yard"))
    service.forked = False
    for delay in (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6):
        # A signal that comes while the interpreter itself is loaded waits for its first line of ours.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        try:
            service.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        time.sleep(delay)
        service.terminate()
        assert service.wait() == 0, f"after {delay} s"
    service.start().wait_ready()
    service.terminate()
    assert service.wait() == 0
    with sqlite3.connect(service.home / "data/journal.db") as journal:
        assert journal.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert "Traceback" not in service.log


def test_monitors_hear_that_all_is_well_and_their_keys_stay_secret(
    launch: Launch, house: House, outside: HttpDouble
) -> None:
    environment = {
        "HC_PING_URL": f"{outside.url}/ping/{UUID}",
        "CRONITOR_MONITOR_KEY": KEY,
        "MONITORS_CRONITOR_BASE_URL": outside.url,
        "MONITORS_INTERVAL": "2",
        "LOG_LEVEL": "debug",
    }
    service = launch(house, environment=environment).start().wait_ready()
    wanted = {f"/ping/{UUID}/start", f"/ping/{UUID}", f"/{KEY}/ok"}
    until(lambda: wanted <= {seen.path for seen in outside.seen}, what="pings")
    assert not [seen for seen in outside.seen if seen.path.endswith("/fail")]
    outside.answer = lambda _: 500
    until(lambda: len(service.log_lines("monitor does not take our reports")) == 2, what="a line for each")
    service.terminate()
    assert service.wait() == 0
    assert UUID not in service.log
    assert KEY not in service.log


def test_monitors_hear_what_is_wrong(launch: Launch, outside: HttpDouble) -> None:
    environment = {
        "HC_PING_URL": f"{outside.url}/ping/{UUID}",
        "CRONITOR_MONITOR_KEY": KEY,
        "MONITORS_CRONITOR_BASE_URL": outside.url,
        "MONITORS_INTERVAL": "1",
        "RABBITMQ_SERVER_ADDRESS": f"127.0.0.1:{free_ports(1)[0]}",
    }
    launch(environment=environment).start()
    # On a busy machine other parts may be named, too, which are still on their way.
    away = "broker: not connected"
    until(lambda: any(away in seen.body.decode() for seen in outside.seen if seen.path == f"/ping/{UUID}/fail"))
    until(lambda: any(away in seen.query["msg"][0] for seen in outside.seen if seen.path == f"/{KEY}/fail"))


def test_sentry_hears_of_an_error_without_its_secrets(launch: Launch, broker: Broker, outside: HttpDouble) -> None:
    environment = {
        "SENTRY_DSN": f"http://public@127.0.0.1:{outside.port}/1",
        "RABBITMQ_SERVER_ADDRESS": f"amqp://guest:w0rd-of-honour@{broker.address.address}",
    }
    service = launch(environment=environment).start()

    def reported() -> list[bytes]:
        envelopes = [_unpacked(seen.body) for seen in outside.seen if seen.path == "/api/1/envelope/"]
        return [envelope for envelope in envelopes if b"broker refuses" in envelope]

    event = until(reported, what="a report of the refused login")[0]
    assert b"refuses this user name or password" in event
    service.terminate()
    assert service.wait() == 0
    for told in (*reported(), service.log.encode()):
        assert b"w0rd-of-honour" not in told


def _unpacked(body: bytes) -> bytes:
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
