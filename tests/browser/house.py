"""A service with a past, on drawn cameras and one that is broken, as a process of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from app.archives.folder import MARKER
from tests.browser.seeds import ZONE, Seed, Seeder
from tests.e2e.process import READY_WITHIN, ServiceProcess, until

PASSWORD = "open sesame"

CAMERAS: list[dict[str, Any]] = [
    {"kind": "demo", "location": "Front Door"},
    {"kind": "demo", "location": "Garden"},
    {"kind": "demo", "location": "Driveway"},
    {"kind": "still", "location": "Garage", "url": "http://127.0.0.1:9/picture.jpg"},  # nobody listens there
]


@contextmanager
def house(
    home: Path,
    seeds: Iterable[Seed],
    environment: Mapping[str, str] | None = None,
    *,
    cameras: Sequence[dict[str, Any]] = CAMERAS,
) -> Iterator[ServiceProcess]:
    """Such a service, running and ready; `environment` are settings besides."""
    Seeder(home / "data").sow(*seeds)
    archive = home / "archive"
    archive.mkdir()
    (archive / MARKER).touch()  # it is the one that has all these pictures
    settings = {"TIME_ZONE": ZONE.key, "ARCHIVE_DIR": str(archive), **(environment or {})}
    with ServiceProcess(home, environment=settings, config={"cameras": [*cameras]}, forked=True) as service:
        service.start()
        wait_until_ready(service)
        yield service
        service.terminate()
        assert service.wait() == 0, "it did not end in good order"


def wait_until_ready(service: ServiceProcess) -> None:
    """Return when it answers that it is, which it does without a password too."""
    until(lambda: _is_ready(service), timeout=READY_WITHIN, what="the service is ready")


def _is_ready(service: ServiceProcess) -> bool:
    assert service.running, service.log[-5_000:]
    try:
        return service.http("GET", "/health/ready").status_code == 200
    except requests.ConnectionError:
        return False
