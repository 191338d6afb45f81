"""What the service was seen to do: health, monitors and metrics say the same of it, because all ask one model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.bootstrap import probes
from app.bootstrap.outcomes import REFUSALS
from app.bootstrap.service import Service
from app.config.settings import load
from app.messages import Snapshot
from pylib.observability.health import Check
from tests.bench.processes import free_port
from tests.fakes.pictures import encoded, scene

YARD, SHED = "Yard Camera", "Shed Camera"


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Service]:
    """A service with two cameras, a detector that nobody serves, and an archive; its journal runs, nothing else."""

    def made(**environ: str) -> Service:
        given = {
            "DATA_DIR": str(tmp_path / "data"),
            "ARCHIVE_DIR": str(tmp_path / "archive"),
            "OUTPUT_1_TYPE": "Camera",
            "OUTPUT_1_LOCATION": "Yard",
            "OUTPUT_2_TYPE": "Camera",
            "OUTPUT_2_LOCATION": "Shed",
            "OUTPUT_1_KIND": "demo",
            "OUTPUT_2_KIND": "demo",
            "DETECTOR_KIND": "codeproject",
            "DETECTOR_URL": f"http://127.0.0.1:{free_port()}",
        }
        return Service(load(None, {**given, **environ}), version="1.2.3")

    return made


@contextmanager
def recording(service: Service) -> Iterator[Service]:
    core = service.core
    core.settings.data_dir.mkdir(exist_ok=True)
    core.journal.open()
    core.outcomes.open()
    core.journal.database.start()
    try:
        yield service
    finally:
        core.journal.database.stop()
        assert core.journal.database.join(5)


def taken(service: Service, event_id: str) -> Snapshot:
    path = service.core.settings.data_dir / f"{event_id}.jpg"
    path.write_bytes(encoded(scene()))
    now = datetime.now(UTC)
    snapshot = Snapshot(event_id, YARD, "Yard", now, now, 1.0, "http", str(path))
    service.core.journal.record(snapshot)
    return snapshot


def look(service: Service, event_id: str) -> None:
    """As the detect stage does it."""
    (relay,) = (thread for thread in service.threads if thread.name == "detect")
    list(relay.stage.handle(taken(service, event_id)))  # type: ignore[attr-defined]


def check(service: Service, name: str) -> Check:
    (found,) = (one for one in service.core.health.checks() if one.name == name)
    return found


def gauges(service: Service, name: str) -> dict[str, float]:
    lines = probes.exposition(service.core, service.outlets).decode().splitlines()
    rows = (line.rpartition(" ") for line in lines if line.startswith(f"{name}{{"))
    return {labels.removeprefix(name): float(value) for labels, _, value in rows}


def test_what_was_not_tried_is_said_and_is_no_alarm(make: Callable[..., Service]) -> None:
    with recording(make()) as service:
        assert check(service, "cameras") == Check(
            "cameras", True, "not tried yet: Yard, Shed; 0 of 2 working", False, False, True, "untried"
        )
        assert check(service, "detector").state == "untried"
        assert "not tried yet" in check(service, "archived to folder").detail
        assert "cameras" not in service.core.health.problem()


def test_a_detector_that_fails_on_every_picture_is_said_everywhere_with_what_to_do(
    make: Callable[..., Service],
) -> None:
    with recording(make()) as service:
        look(service, "a1")
        look(service, "a2")
        found = check(service, "detector")
        assert (found.ok, found.state) == (False, "failing")
        assert "failed 2 times in a row, never seen to work: unreachable: " in found.detail
        assert " -> " in found.detail
        assert f"detector: {found.detail}" in service.core.health.problem()
        assert gauges(service, "check_state")['{check="detector"}'] == 3
        assert gauges(service, "failures_in_a_row")['{name="codeproject",subject="detector"}'] == 2
        assert gauges(service, "last_success_timestamp_seconds")['{name="codeproject",subject="detector"}'] == 0
        assert service.core.health.report()["state"] == "failing"


def test_a_camera_that_fails_is_named_and_the_others_are_counted(make: Callable[..., Service]) -> None:
    with recording(make()) as service:
        service.core.tally.snapshot(YARD, "ok")
        service.core.tally.snapshot(SHED, "login_refused: it answered 401")
        found = check(service, "cameras")
        assert not found.ok
        assert found.detail.startswith("Shed: failed, never seen to work: login_refused: it answered 401 -> ")
        assert found.detail.endswith("; 1 of 2 working")
        service.core.tally.snapshot(SHED, "ok")
        assert (check(service, "cameras").state, check(service, "cameras").detail) == ("working", "2 of 2 working")


def test_an_archive_that_fails_is_no_alarm_before_it_is_late(make: Callable[..., Service]) -> None:
    with recording(make()) as service:
        service.core.tally.archiving("folder", "disk_full: no room")
        found = check(service, "archived to folder")
        assert (found.ok, found.state) == (True, "degraded")
        assert "disk_full: no room" in found.detail
        service.core.tally.archiving("folder", "ok")
        assert check(service, "archived to folder").detail == "nothing waits"


def test_one_failure_fails_what_is_asked_and_not_what_tries_again_or_is_sent_by_others(
    make: Callable[..., Service],
) -> None:
    service = make(RABBITMQ_SERVER_ADDRESS="broker", MQTT_SERVER_ADDRESS="broker", INDEX_URL="postgresql://db/index")
    assert {(one.subject, one.name): (one.tolerance, one.optional) for one in service.core.outcomes.expected} == {
        ("camera", YARD): (1, False),
        ("camera", SHED): (1, False),
        ("detector", "codeproject"): (1, False),
        ("publisher", "rabbitmq"): (0, False),
        ("publisher", "mqtt"): (0, False),
        ("publisher", "index"): (0, False),
        ("archive", "folder"): (0, False),
        ("upload", "uploads"): (REFUSALS, True),
        ("trigger", "rabbitmq"): (REFUSALS, False),
        ("trigger", "mqtt"): (REFUSALS, True),
    }


def test_all_works_once_every_part_was_seen_to(make: Callable[..., Service]) -> None:
    with recording(make()) as service:
        tally = service.core.tally
        for camera in (YARD, SHED):
            tally.snapshot(camera, "ok")
        tally.archiving("folder", "ok")
        parts = ("cameras", "detector", "archived to folder")
        assert [check(service, one).state for one in parts] == ["working", "untried", "working"]
        tally.detection("codeproject", "ok")
        assert [check(service, one).state for one in parts] == ["working"] * 3
        worked = gauges(service, "last_success_timestamp_seconds")['{name="codeproject",subject="detector"}']
        assert worked == pytest.approx(time.time(), abs=600)


def test_a_refused_upload_counts_against_uploads_and_never_against_a_camera_that_can_be_asked(
    make: Callable[..., Service],
) -> None:
    with recording(make(FTP_USER="camera", FTP_PASS="secret")) as service:
        assert check(service, "uploads received").state == "untried"
        service.core.tally.upload("", "unknown_camera: no folder of a camera's")
        assert (check(service, "uploads received").state, check(service, "cameras").state) == ("degraded", "untried")
        service.core.tally.upload(SHED, "ok")
        service.core.tally.upload(SHED, "truncated: it is cut short")
        assert check(service, "uploads received").detail.startswith("Uploads: failed")
        assert [one.state for one in service.core.outcomes.all("camera")] == ["untried", "working"]
        assert gauges(service, "snapshots_total") == {
            '{camera="unknown",outcome="unknown_camera"}': 1,
            '{camera="Shed Camera",outcome="ok"}': 1,
            '{camera="Shed Camera",outcome="truncated"}': 1,
        }


def test_what_a_camera_that_only_sends_sent_tells_how_it_does(make: Callable[..., Service]) -> None:
    with recording(make(FTP_USER="camera", FTP_PASS="secret", OUTPUT_2_KIND="foscam")) as service:
        service.core.tally.upload(SHED, "truncated: it is cut short")
        assert check(service, "cameras").detail.startswith("Shed: failed, never seen to work: truncated: ")
