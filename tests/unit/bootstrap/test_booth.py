"""The booth among the other parts: started by triggers and by the clock, with any camera of the service."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.booth.booth import Booth
from app.bootstrap.booth import begins_of
from app.bootstrap.service import Service
from app.bootstrap.sources import schedule_of, triggered
from app.cameras import CameraRejected, CameraUnavailable
from app.config.settings import load
from app.sources.rabbitmq import decoder
from pylib.rabbitmq.delivery import Delivery
from tests.fakes.cameras import FakeCamera, jpeg
from tests.fakes.journal import end

ENVIRON = {
    "OUTPUT_1_TYPE": "Camera",
    "OUTPUT_1_LOCATION": "Hall",
    "OUTPUT_1_KIND": "demo",
    "DETECTOR_KIND": "none",
    "BOOTH_ENABLED": "true",
    "BOOTH_CAMERA": "Hall Camera",
}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    with ExitStack() as opened:

        def make(**environ: str) -> Service:
            service = Service(load(None, {"DATA_DIR": str(tmp_path / "data"), **ENVIRON, **environ}), version="1")
            service.core.open()
            service.core.journal.database.start()
            opened.callback(end, service.core.journal)
            booth_of(service).open()
            return service

        yield make


def booth_of(service: Service) -> Booth:
    assert service.web is not None
    assert service.web.booth is not None
    return service.web.booth


def test_a_trigger_from_any_source_starts_the_booth_and_leaves_no_event(made: Callable[..., Service]) -> None:
    service = made()
    assert triggered(service.core) == {"Hall Camera": "Hall", "Booth Camera": "Photo booth"}
    body = {"timestamp": 1, "output_triggered": {"device_key": "booth camera", "device_label": "Buzzer"}}
    delivery = Delivery(json.dumps(body).encode(), content_type="application/json", receipt="1:1")
    trigger = decoder(triggered(service.core))(delivery)
    assert trigger.camera == "Booth Camera"
    begins_of(service.core, booth_of(service))[trigger.camera]()
    assert booth_of(service).look()[0].state == "countdown"


def test_without_a_booth_nothing_is_called_so(made: Callable[..., Service], tmp_path: Path) -> None:
    settings = load(None, {"DATA_DIR": str(tmp_path / "data"), **ENVIRON, "BOOTH_ENABLED": "false"})
    service = Service(settings, version="1")
    assert triggered(service.core) == {"Hall Camera": "Hall"}
    assert begins_of(service.core, None) == {}


def test_it_starts_by_the_clock_where_that_is_wanted(made: Callable[..., Service]) -> None:
    core = made(BOOTH_EVERY="0.01").core
    looks = schedule_of(core)
    assert looks is not None
    looks.start()
    (trigger,) = core.intake.poll(60)
    looks.stop()
    assert looks.join(60)
    assert (trigger.camera, trigger.origin) == ("Booth Camera", "schedule")


def test_a_camera_of_the_service_takes_the_pictures_as_its_triggers_do(made: Callable[..., Service]) -> None:
    service = made()
    channel, booth = service.channels["Hall Camera"], booth_of(service)
    channel.camera = FakeCamera(jpeg(160, 120))
    guest = booth.start().guest
    assert booth.picture(guest, 0, b"not looked at").taken == 1
    channel.camera = FakeCamera(CameraRejected("login_refused", "the camera refuses the login"))
    for code in ("login_refused", "login_refused", "circuit_open"):
        with pytest.raises(CameraUnavailable, match=code):
            booth.picture(guest, 1)
    assert booth.look()[0].taken == 1
