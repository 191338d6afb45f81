"""Pictures that are being archived while the service is killed: each is there once, whole, after the next start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from hashlib import md5
from pathlib import Path

import pytest

from tests.e2e.archive_faults import AT_ONCE, Remote, remote_drive, remote_s3
from tests.e2e.conftest import Launch
from tests.e2e.mishaps import stamping
from tests.e2e.process import ServiceProcess, until
from tests.fakes.http_double import http_double
from tests.simulators.camera import CameraSimulator

REMOTES: dict[str, Callable[[Path], AbstractContextManager[Remote]]] = {"drive": remote_drive, "s3": remote_s3}
COUNT = 10


@pytest.fixture(params=REMOTES)
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Remote]:
    with REMOTES[request.param](tmp_path) as one:
        yield one


def take(service: ServiceProcess, count: int) -> dict[str, str]:
    """Have so many pictures taken; event id -> MD5 of the picture in the cache."""
    taken = {}
    for _ in range(count):
        event = service.http("POST", "/api/cameras/yard/trigger?wait=20").json()
        taken[event["event_id"]] = md5(Path(event["storage_path"]).read_bytes()).hexdigest()
    return taken


def waiting(service: ServiceProcess, remote: Remote) -> str:
    detail: str = service.check(f"archived to {remote.name}")["detail"]
    return detail


@pytest.mark.parametrize("stored", [False, True], ids=["half of the bytes", "stored and not answered"])
@pytest.mark.long
def test_kill_9_in_the_middle_of_uploads_leaves_one_file_for_each_event(
    launch: Launch, cameras: CameraSimulator, remote: Remote, stored: bool
) -> None:
    service = launch(cameras=stamping(cameras, "Yard"), environment=remote.environment).start().wait_ready()
    pictures = take(service, 2)
    until(lambda: len(remote.files()) == 2, what="the first pictures in the archive")
    remote.stall(stored=stored)
    pictures |= take(service, COUNT)
    until(lambda: remote.stalled == AT_ONCE, what="uploads that stand still")
    assert len(remote.files()) == 2 + (AT_ONCE if stored else 0)
    service.kill()
    service.start().wait_ready()
    until(lambda: len(remote.files()) == len(pictures), timeout=60, what="every picture in the archive")
    until(lambda: waiting(service, remote).startswith("nothing waits"), timeout=60, what="nothing left to archive")
    assert remote.files() == {event_id: [digest] for event_id, digest in pictures.items()}


@pytest.mark.long
def test_monitors_hear_of_an_archive_that_waits_for_a_person_and_the_service_stays_ready(
    launch: Launch, cameras: CameraSimulator, tmp_path: Path
) -> None:
    with remote_drive(tmp_path) as drive, http_double() as outside:
        environment = {**drive.environment, "HC_PING_URL": f"{outside.url}/ping", "MONITORS_INTERVAL": "1"}
        token = Path(environment["GOOGLE_DRIVE_CREDENTIALS_FILE"])
        away = token.rename(tmp_path / "away")
        service = launch(cameras=stamping(cameras, "Yard"), environment=environment).start().wait_ready()
        pictures = take(service, 1)
        ping = until(lambda: [seen for seen in outside.seen if seen.path == "/ping/fail"], what="an alarm")[0]
        assert ping.body.startswith(b"archived to google_drive: no_token: ")
        assert service.http("GET", "/health/ready").status_code == 200
        assert len(service.log_lines("archive waits for a person", target="google_drive")) == 1
        service.kill()
        away.rename(token)
        service.start().wait_ready()
        until(lambda: drive.files() == {one: [digest] for one, digest in pictures.items()}, timeout=60)
        outside.seen.clear()
        until(lambda: [seen for seen in outside.seen if seen.path == "/ping"], what="the end of the alarm")
