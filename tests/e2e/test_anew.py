"""The service starts itself anew after its cameras were changed: as the same process, with nothing lost."""

from __future__ import annotations

import socket
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.process import ServiceProcess, until
from tests.fakes.cameras import jpeg
from tests.fakes.http_double import HttpDouble, Reply, Seen, http_double

CAMERAS = 4
TRIGGERS = 5
"""For each camera."""


def config_of(service: ServiceProcess) -> dict[str, Any] | None:
    """None while nobody answers."""
    try:
        known: dict[str, Any] = service.http("GET", "/api/config/cameras", timeout=5).json()
    except requests.RequestException:
        return None
    return known


def anew(service: ServiceProcess, before: str) -> dict[str, Any]:
    """What the process says that comes after this one."""

    def answer() -> dict[str, Any] | None:
        assert service.running, service.log[-3000:]
        known = config_of(service)
        return known if known and known["process"] != before else None

    return until(answer, what="it answers again")


def is_there(service: ServiceProcess, event: str) -> bool:
    return service.http("GET", f"/api/snapshots/{event}").status_code == 200


def slow(camera: HttpDouble, go_on: threading.Event) -> None:
    def answer(_: Seen) -> Reply:
        go_on.wait(60)
        return Reply(headers={"Content-Type": "image/jpeg"}, body=[jpeg(64, 48)])

    camera.answer = answer


@pytest.mark.long
def test_what_was_accepted_is_done_after_it_and_a_change_that_does_not_start_is_taken_back(tmp_path: Path) -> None:
    go_on, port = threading.Event(), socket.socket()
    port.bind(("0.0.0.0", 0))
    port.listen()
    with http_double() as camera:
        slow(camera, go_on)
        cameras = [{"kind": "still", "location": f"C{n}", "url": f"{camera.url}/{n}.jpg"} for n in range(CAMERAS)]
        environment = {"FTP_PORT": str(port.getsockname()[1])}
        with ServiceProcess(tmp_path, config={"cameras": cameras}, environment=environment) as service:
            service.start().wait_ready()
            pid, known = service.pid, config_of(service)
            assert known is not None
            accepted = [
                service.http("POST", f"/api/cameras/c{number}/trigger").json()["event_id"]
                for _ in range(TRIGGERS)
                for number in range(CAMERAS)
            ]
            until(lambda: len(camera.seen) == CAMERAS, what="all cameras are asked")
            wish = {"settings": {"kind": "demo", "location": "New"}, "version": known["version"]}
            assert service.http("POST", "/api/config/cameras", json=wish).status_code == 200
            after = anew(service, known["process"])
            assert "New Camera" in [one["device_key"] for one in after["cameras"]]
            assert service.pid == pid
            go_on.set()
            for event in accepted:
                until(partial(is_there, service, event), what=event)
            found = service.http("GET", "/api/snapshots?limit=100").json()["snapshots"]
            assert sorted(one["event_id"] for one in found) == sorted(accepted)
            assert not [one["problem"] for one in found if one["problem"]]
            assert len(service.log_lines("started")) == 2
            # Its FTP server, which this login asks for, finds its port taken.
            wish = {"settings": {"location": "Pushing"}, "ftp_login": True}
            assert service.http("POST", "/api/config/cameras", json=wish).status_code == 200
            back = anew(service, after["process"])
            assert "in use" in back["refusal"]
            assert [one["device_key"] for one in back["cameras"]] == [one["device_key"] for one in after["cameras"]]
            assert "Pushing" in (tmp_path / "config.yml.refused").read_text()
            assert service.pid == pid
            service.terminate()
            assert service.wait() == 0
    port.close()
