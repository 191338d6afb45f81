"""An ONVIF device that takes pictures and says itself when, with the whole service behind it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.e2e.process import ServiceProcess, until
from tests.fakes.pictures import busy, encoded
from tests.simulators.onvif import PASSWORD, USERNAME, OnvifDevice

MOTION = "RuleEngine/CellMotionDetector/Motion"


def service(folder: Path, device: OnvifDevice) -> ServiceProcess:
    login = {"username": USERNAME, "password": PASSWORD}
    config = {
        "cameras": [{"kind": "onvif", "location": "Porch", "address": device.address, **login}],
        "sources": [
            {"kind": "onvif", "camera": "porch camera"},
            {"kind": "onvif", "name": "away", "camera": "Porch Camera", "address": "127.0.0.1:1"},
        ],
    }
    return ServiceProcess(folder, config=config, forked=True)


def test_what_a_camera_sees_by_itself_is_recorded_once_whatever_is_restarted(tmp_path: Path) -> None:
    with (
        OnvifDevice(encoded(busy(64, 48)), login="token", clock_ahead=timedelta(days=-1)) as device,
        service(tmp_path, device) as process,
    ):

        def stored(count: int) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = process.http("GET", "/api/snapshots").json()["snapshots"]
            assert len(found) <= count
            return found if len(found) == count else []

        def moves(count: int) -> dict[str, Any]:
            """The event that comes of it."""
            until(lambda: process.check("triggers from onvif")["ok"], what="the subscription")
            device.tell(MOTION, "Initialized", IsMotion="false")
            for _ in range(3):
                device.tell(MOTION, IsMotion="true")
            return until(lambda: stored(count), what=f"{count} events")[0]

        process.start().wait_ready()
        event = moves(1)
        assert (event["device_key"], event["origin"], event["problem"]) == ("Porch Camera", "onvif", "")
        assert not process.check("triggers from away")["ok"]

        process.kill()
        device.restart()
        process.start().wait_ready()
        moves(2)

        device.restart()
        until(lambda: process.log_lines("no events come, said once", source="onvif"), what="it notices")
        moves(3)

        process.terminate()
        assert process.wait() == 0
        assert device.unsubscribed
        assert PASSWORD not in process.log
