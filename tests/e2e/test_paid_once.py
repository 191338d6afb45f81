"""A picture is paid for once: by a service that is killed, by two cameras, and by looking again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.pictures import jpeg
from tests.e2e.process import PROJECT, ServiceProcess, until
from tests.simulators.rekognition import Rekognition

DIES = """
import os

from app.journal import Journal

Journal.inspect = lambda *_: os.kill(os.getpid(), 9)
"""
"""The service with this in it is killed when the answer is there and the event is not recorded yet."""


@pytest.fixture
def rekognition() -> Iterator[Rekognition]:
    with Rekognition() as double:
        yield double


def upload(service: ServiceProcess, camera: str) -> str:
    headers = {"Content-Type": "image/jpeg"}
    answer = service.http("POST", f"/api/snapshots?camera={camera}", data=jpeg(320, 240), headers=headers)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["event_id"])


def seen(service: ServiceProcess, event_id: str) -> dict[str, object]:
    """The event, once the detector has looked."""

    def looked_at() -> dict[str, object] | None:
        answer = service.http("GET", f"/api/snapshots/{event_id}")
        return answer.json() if answer.status_code == 200 and answer.json()["detector"] else None

    return until(looked_at, what="the picture was looked at")


def test_a_picture_is_paid_for_once_whatever_happens(launch: Launch, rekognition: Rekognition) -> None:
    environment = {
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "DETECTOR_KIND": "rekognition",
        "DETECTOR_REGION": "eu-central-1",
        "DETECTOR_ENDPOINT_URL": rekognition.url,
        "DETECTOR_MONTHLY_CAP": "2",
    }
    cameras = [{"kind": "demo", "location": place} for place in ("Yard", "Door")]
    service = launch(environment=environment, cameras=cameras)
    deadly = service.home / "deadly"
    deadly.mkdir()
    (deadly / "sitecustomize.py").write_text(DIES)
    forked, service.forked = service.forked, False
    service.environment["PYTHONPATH"] = f"{deadly}:{PROJECT}"
    service.start().wait_ready()
    first = upload(service, "yard")
    assert service.wait() == -9
    assert len(rekognition.calls) == 1

    service.forked = forked
    service.environment["PYTHONPATH"] = str(PROJECT)
    service.start().wait_ready()
    assert seen(service, first)["person_count"] == 2
    second = seen(service, upload(service, "door"))
    assert (second["detector"], second["person_count"]) == ("rekognition", 2)
    asked = service.command("redetect", "--since", "1d")
    assert asked.returncode == 0, asked.stderr
    assert "2 pictures" in asked.stdout
    until(lambda: [job["state"] for job in service.http("GET", "/api/jobs").json()["jobs"]] == ["done"])
    assert service.http("POST", f"/api/snapshots/{first}/detection").json()["labels"]
    assert len(rekognition.calls) == 1

    costs = service.http("GET", "/api/costs").json()
    assert (costs["calls"], costs["cost_usd"]) == (1, 0.001)
    assert costs["cameras"] == [{"device_key": "Yard Camera", "calls": 1, "cost_usd": 0.001}]
    assert costs["detectors"][0]["monthly_calls"] == 2
