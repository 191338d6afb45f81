"""The album put together: what it hands out to the rest of the service."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
import structlog.testing

from app.bootstrap.service import Service
from app.bootstrap.web import WebParts
from app.config.settings import load
from pylib.runtime.circuit_breaker import State
from tests.bench.processes import free_port


def showing(data_dir: Path, **web: str) -> WebParts:
    """Of a service that does not run; `web` are settings in capitals."""
    environment = {f"WEB_{name}": value for name, value in web.items()}
    settings = load(None, {"DATA_DIR": str(data_dir), "WEB_PORT": str(free_port()), **environment})
    made = Service(settings, version="1.2.3").web
    assert made is not None
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_a_link_in_an_event_leads_to_the_public_address_and_is_signed(folder: Path) -> None:
    public = showing(folder, PUBLIC_URL="https://home.example/album")
    public.open()
    link = urlsplit(public.thumbnail_url("0" * 32))
    assert (link.netloc, link.path) == ("home.example", f"/album/api/snapshots/{'0' * 32}/thumbnail")
    assert "signature=" in link.query
    assert "/image?expires=" in public.links.picture_url("0" * 32)
    assert public.links.event_url("0" * 32) == f"https://home.example/album/snapshots/{'0' * 32}"
    snooze = public.links.snooze_url("Front Door Camera")
    assert snooze.startswith("https://home.example/album/snooze/front-door-camera?expires=")


def test_without_a_public_address_there_is_no_link_to_follow(folder: Path) -> None:
    links = showing(folder).links
    for link in (links.thumbnail_url, links.picture_url, links.event_url, links.snooze_url):
        assert link("0" * 32) == ""


def test_a_password_that_had_to_be_made_is_said_once(folder: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        showing(folder, HOST="0.0.0.0").open()
        showing(folder, HOST="0.0.0.0").open()
    said = [line["login_with"] for line in logs if "login_with" in line]
    assert len(said) == 1
    assert said[0] not in (folder / "web" / "password").read_text()


def test_somebody_who_asks_for_a_picture_ends_the_pause_of_a_camera(tmp_path: Path) -> None:
    settings = load(None, {"DATA_DIR": str(tmp_path), "OUTPUT_1_TYPE": "Camera", "OUTPUT_1_LOCATION": "Yard"})
    service = Service(settings, version="1.2.3")
    ((key, channel),) = service.channels.items()
    assert service.web is not None
    camera = service.web._context.cameras[key]
    for _ in range(3):
        channel.breaker.failed()
    assert camera.circuit() is State.OPEN
    assert camera.retry_in() > 0
    camera.try_now()
    assert camera.circuit() is State.HALF_OPEN
