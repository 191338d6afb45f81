"""The composition: what runs and in which order, who is told, and what an operator sees of it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest

from app.bootstrap import jobs, monitoring, probes, publishing
from app.bootstrap.jobs import JOBS
from app.bootstrap.monitoring import SETTLED_S
from app.bootstrap.publishing import LATE_S
from app.bootstrap.relays import BURSTS, INSPECTIONS, SNAPSHOTS, TRIGGERS, UPLOADS
from app.bootstrap.service import Service
from app.config.settings import load
from app.detectors import DetectorRejected, Question
from app.jobs import Keep
from app.journal import Backoff, Job
from app.messages import Detection, Inspection, Snapshot
from pylib.errors import Permanent
from pylib.files.lock import FolderInUse, FolderLock
from pylib.observability.health import Check, Status
from pylib.runtime.relay import ZmqRelay
from pylib.runtime.threads import ManagedThread
from tests.fakes.http_double import HttpDouble, http_double
from tests.fakes.pictures import encoded, scene

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
YARD = "Yard Camera"
CAMERA = {"OUTPUT_1_TYPE": "Camera", "OUTPUT_1_LOCATION": "Yard", "OUTPUT_1_KIND": "demo", "DETECTOR_KIND": "none"}
BROKER = {"RABBITMQ_SERVER_ADDRESS": "127.0.0.1:9"}
EVERYTHING = {
    **CAMERA,
    **BROKER,
    "OUTPUT_1_EVERY": "60",
    "FTP_USER": "camera",
    "FTP_PASS": "secret",
    "HC_PING_URL": "http://127.0.0.1:9/ping",
    "SHUTDOWN_GRACE": "7",
    "FETCH_WORKERS": "3",
    "MAX_PENDING": "11",
}


class Idle(ManagedThread):
    """Feeds nothing."""

    def run(self) -> None:
        self.stopping.wait()


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Service]:
    """A service that does not run, with its data below `tmp_path`."""

    def make(*extra: ManagedThread, **environ: str) -> Service:
        given = {"DATA_DIR": str(tmp_path / "data"), "ARCHIVE_DIR": str(tmp_path / "archive"), **CAMERA, **environ}
        return Service(load(None, given), version="1.2.3", extra=extra)

    return make


@contextmanager
def recording(service: Service) -> Iterator[Service]:
    """With the journal open."""
    service.core.settings.data_dir.mkdir(exist_ok=True)
    service.core.journal.open()
    service.core.journal.database.start()
    try:
        yield service
    finally:
        service.core.journal.database.stop()
        assert service.core.journal.database.join(5)


def relays(service: Service) -> dict[str, ZmqRelay[object]]:
    return {thread.name: thread for thread in service.threads if isinstance(thread, ZmqRelay)}


def checks(service: Service) -> dict[str, Check]:
    return {check.name: check for check in service.core.health.checks()}


def happened(service: Service, event_id: str, *, origin: str = "http", delay_s: float = 1.0) -> Inspection:
    """Something was looked at by the detect stage, as the relay has it done."""
    path = service.core.settings.data_dir / f"{event_id}.jpg"
    path.write_bytes(encoded(scene()))
    snapshot = Snapshot(event_id, YARD, "Yard", NOON, datetime.now(UTC), delay_s, origin, str(path))
    service.core.journal.record(snapshot)
    list(relays(service)["detect"].stage.handle(snapshot))
    return Inspection(snapshot, "", Detection())


def test_all_threads_stand_in_the_order_of_the_stream(made: Callable[..., Service]) -> None:
    service = made(Idle("sensor"), **EVERYTHING, UPLOADS_SETTLE="2")
    assert [thread.name for thread in service.supervisor.threads] == [
        "sensor",
        "web",
        "schedule",
        "heartbeat",
        "monitors",
        "memory",
        "quarantine",
        "ftp",
        "retention",
        "requests",
        "uploads",
        "http uploads",
        "fetch",
        "burst",
        "listener",
        "receive",
        "detect",
        "settle",
        "publish",
        "archive folder",
        "live",
        "publisher",
        "old jobs",
        "films",
        "running films",
        "jobs",
        "database journal",
    ]


def test_a_stream_that_stays_open_ends_after_the_stages_that_ask_for_its_pictures(made: Callable[..., Service]) -> None:
    gate = {"TYPE": "Camera", "LOCATION": "Gate", "KIND": "rtsp", "URL": "rtsp://127.0.0.1:9/", "WARM": "true"}
    service = made(**EVERYTHING, **{f"OUTPUT_2_{name}": value for name, value in gate.items()})
    names = [thread.name for thread in service.supervisor.threads]
    assert names[names.index("fetch") :][:4] == ["fetch", "burst", "rtsp Gate Camera", "listener"]


def test_what_is_not_configured_does_not_run(made: Callable[..., Service]) -> None:
    names = {thread.name for thread in made(WEB_ENABLED="false", UPLOADS_SETTLE="0").threads}
    absent = {"web", "http uploads", "schedule", "heartbeat", "monitors", "ftp", "settle", "publish", "publisher"}
    assert not names & (absent | {"listener"})
    assert names >= {"requests", "uploads", "fetch", "detect", "archive folder", "live", "database journal"}


def test_the_threads_get_what_the_settings_say(made: Callable[..., Service]) -> None:
    service = made(**EVERYTHING)
    assert service.supervisor._grace == 7
    assert relays(service)["fetch"].stage._max_age == service.core.settings.max_age  # type: ignore[attr-defined]
    assert relays(service)["fetch"]._max_waiting == 11
    assert relays(service)["fetch"]._pool.workers == 3
    assert relays(service)["publish"]._pool.workers == 1, "or events would lose their order"


@pytest.mark.parametrize("settle", ["0", "2"])
def test_every_address_has_one_that_pulls_and_one_that_pushes(made: Callable[..., Service], settle: str) -> None:
    service = made(**EVERYTHING, UPLOADS_SETTLE=settle)
    pulled = [relay._source for relay in relays(service).values()]
    pushed = {sink for relay in relays(service).values() for sink in relay._sinks}
    assert len(pulled) == len(set(pulled))
    assert set(pulled) == pushed | {TRIGGERS, UPLOADS, JOBS}
    assert relays(service)["fetch"]._sinks == (SNAPSHOTS, BURSTS)
    assert relays(service)["burst"]._sinks == relays(service)["receive"]._sinks == (SNAPSHOTS,)
    last = relays(service)["settle" if settle != "0" else "detect"]
    assert set(last._sinks) == {relays(service)[name]._source for name in ("live", "publish", "archive folder")}
    if settle != "0":
        assert relays(service)["detect"]._sinks == (INSPECTIONS,)


def test_what_happened_is_owed_to_the_broker_and_to_each_archive(made: Callable[..., Service]) -> None:
    with recording(made(**BROKER, UPLOADS_SETTLE="0")) as service:
        happened(service, "a1")
        happened(service, "a2", origin="ftp")
        assert [service.core.journal.backlog(target).count for target in ("rabbitmq", "folder")] == [2, 2]


def test_what_cameras_push_is_held_back_until_its_group_is_whole(made: Callable[..., Service]) -> None:
    with recording(made(**BROKER, UPLOADS_SETTLE="2")) as service:
        for number, origin in enumerate(["ftp", "mail", "folder"]):
            happened(service, f"a{number}", origin=origin)
        assert service.core.journal.backlog("rabbitmq").count == 0
        happened(service, "b1", origin="http")
        assert service.core.journal.backlog("rabbitmq").count == service.core.journal.backlog("folder").count == 1


def test_every_thread_is_watched_and_what_no_restart_mends_is_only_said(made: Callable[..., Service]) -> None:
    with recording(made(**EVERYTHING)) as service:
        named = checks(service)
    assert [name for name, check in named.items() if check.live] == [thread.name for thread in service.threads]
    assert all(named[thread.name].critical for thread in service.threads)
    others = {name: (check.critical, check.alarm) for name, check in named.items() if not check.live}
    assert others == {
        "failed jobs": (False, True),
        "rules": (False, True),
        "disk": (True, True),
        "broker": (True, True),
        "undelivered": (False, True),
        "archived to folder": (False, True),
        "dead letters": (False, True),
        "missing files": (False, True),
        "rejected uploads": (False, True),
        "cameras": (False, True),
        "uploads received": (False, True),
        "triggers": (False, True),
    }
    assert named["broker"].detail == "not connected: listener, publisher"
    assert not named["broker"].ok


def test_without_a_broker_nobody_misses_one(made: Callable[..., Service]) -> None:
    with recording(made()) as service:
        assert not set(checks(service)) & {"broker", "undelivered"}


def test_rules_that_are_wrong_are_said(made: Callable[..., Service], tmp_path: Path) -> None:
    with recording(made()) as service:
        assert (checks(service)["rules"].ok, checks(service)["rules"].detail) == (True, "not used")
        (tmp_path / "data/rules.yml").write_text("rules: [{name: a, outlets: [fone]}]")
        wrong = checks(service)["rules"]
        assert not wrong.ok
        assert wrong.detail.endswith("rules[0].outlets[0] (line 1): 'fone' tells nobody: configure one in `publishers`")


def test_a_disk_that_is_nearly_full_is_no_place_to_work(
    made: Callable[..., Service], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = SimpleNamespace(free=200_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: free if folder == tmp_path / "data" else None)
    with recording(made()) as service:
        assert checks(service)["disk"].ok
        free.free -= 1
        assert not checks(service)["disk"].ok


def test_the_broker_is_well_only_while_both_connections_are(made: Callable[..., Service]) -> None:
    listener, publisher = (SimpleNamespace(name=name, connected=True) for name in ("listener", "publisher"))
    probe = probes._connected([listener, publisher])  # type: ignore[list-item]
    assert probe() == Status(ok=True, detail="connected")
    publisher.connected = False
    assert probe() == Status(ok=False, detail="not connected: publisher")


def test_what_is_owed_to_the_broker_for_a_minute_is_said(
    made: Callable[..., Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    with recording(made(**BROKER)) as service:
        assert checks(service)["undelivered"].ok
        happened(service, "a1")
        assert checks(service)["undelivered"].ok
        later = time.time() + LATE_S
        monkeypatch.setattr(publishing, "time", SimpleNamespace(time=lambda: later))
        late = checks(service)["undelivered"]
    assert not late.ok
    assert late.detail.startswith("1 event waits, for 6")


def test_an_event_that_was_given_up_is_counted_where_the_others_are(made: Callable[..., Service]) -> None:
    with recording(made(**BROKER)) as service:
        happened(service, "a1")
        happened(service, "a2")
        service.core.journal.abandon("a1", "rabbitmq", problem="broke_connection: it did")
        undelivered = checks(service)["undelivered"]
    assert undelivered.ok
    assert undelivered.detail == "1 event waits, for 0 s; 1 given up, the last: broke_connection: it did; not tried yet"


def test_a_broker_that_is_back_gets_at_once_what_it_is_owed(made: Callable[..., Service]) -> None:
    with recording(made(**BROKER)) as service:
        happened(service, "a1")
        for target in ("rabbitmq", "folder"):
            service.core.journal.postpone("a1", target, problem="away", backoff=Backoff(600, 600))
        assert service.core.journal.pending("rabbitmq", limit=9) == []
        (publisher,) = service.publishing.publishers
        publisher.connection._on_connect()  # type: ignore[attr-defined]
        assert [one.id for one in service.core.journal.pending("rabbitmq", limit=9)] == ["a1"]
        assert relays(service)["publish"]._recheck_now.is_set()
        assert service.core.journal.pending("folder", limit=9) == [], "which is not back"


def test_metrics_have_a_line_for_every_queue_camera_and_target(made: Callable[..., Service]) -> None:
    with recording(made(**EVERYTHING)) as service:
        happened(service, "a1")
        service.supervisor._on_restart("fetch")
        lines = probes.exposition(service.core, service.outlets).decode().splitlines()
    assert 'thread_restarts_total{thread="fetch"} 1.0' in lines
    shown = {line.rpartition(" ")[0] for line in lines}
    assert shown >= {f'queue_depth{{queue="{name}"}}' for name in relays(service)}
    assert shown >= {f'stage_in_hand{{stage="{name}"}}' for name in ("fetch", "detect", "publish", "folder")}
    assert shown >= {f'oldest_undelivered_seconds{{target="{target}"}}' for target in ("rabbitmq", "folder")}
    assert shown >= {f'camera_circuit_state{{camera="{YARD}"}}', "disk_free_bytes", "live_viewers"}


def test_what_a_month_had_before_the_start_counts(made: Callable[..., Service]) -> None:
    service = made(DETECTOR_KIND="rekognition", DETECTOR_REGION="eu-central-1", DETECTOR_MONTHLY_CAP="1")
    with recording(service):
        service.core.journal.keep_answer(
            b"earlier", None, detector="rekognition", settings="", camera=YARD, cost_usd=0.001
        )
        assert service.detection.this_month() == (1, 0.001)
        with pytest.raises(DetectorRejected, match="All 1 calls"):
            service.core.lookers["rekognition"].look(b"picture", Question(YARD))
        page = service.core.metrics.render().decode()
    assert 'detector_calls_total{detector="rekognition",outcome="monthly_cap"} 1.0' in page


def test_the_time_from_a_trigger_to_its_event_is_measured_and_of_what_was_pushed_there_is_none(
    made: Callable[..., Service],
) -> None:
    with recording(made()) as service:
        service.core.live.handle(happened(service, "a1", delay_s=3.0))
        service.core.live.handle(happened(service, "a2", origin="ftp", delay_s=0.0))
    page = service.core.metrics.render().decode()
    assert f'event_seconds_count{{camera="{YARD}"}} 1.0' in page
    total = next(line for line in page.splitlines() if line.startswith("event_seconds_sum"))
    assert 3 <= float(total.rpartition(" ")[2]) < 60


@pytest.fixture
def watcher() -> Iterator[HttpDouble]:
    with http_double() as double:
        yield double


def test_what_is_wrong_right_after_the_start_is_nobody_s_alarm(
    made: Callable[..., Service], watcher: HttpDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(monotonic=lambda: 1000.0, time=time.time)
    monkeypatch.setattr(monitoring, "time", clock)
    with recording(made(**BROKER, HC_PING_URL=f"{watcher.url}/ping")) as service:
        (monitors,) = (thread for thread in service.threads if thread.name == "monitors")
        report = monitors._action  # type: ignore[attr-defined]
        report()
        assert watcher.seen == []
        clock.monotonic = lambda: 1000.0 + SETTLED_S
        report()
    assert watcher.seen[-1].path == "/ping/fail"
    assert watcher.seen[-1].body.startswith(b"web: not running; ")


def test_a_data_directory_in_use_is_refused_before_anything_in_it_is_touched(made: Callable[..., Service]) -> None:
    service = made()
    lock = FolderLock(service.core.settings.data_dir)
    lock.acquire()
    with pytest.raises(FolderInUse):
        service.open()
    lock.release()
    assert [path.name for path in service.core.settings.data_dir.iterdir()] == [".lock"]


def test_a_picture_whose_message_a_kill_cut_short_is_gone_after_the_next_start(
    made: Callable[..., Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = made(WEB_ENABLED="no")
    monkeypatch.setattr(service.supervisor, "take_signals", lambda: None)
    left = service.core.settings.data_dir / "messages" / "phone" / "1.jpg"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"a picture")
    service.open()
    service.core.journal.database.start()
    service.core.journal.database.stop()
    assert service.core.journal.database.join(5)
    service.lock.release()
    assert not left.exists()


class Counting:
    """Does its jobs at once, or never."""

    kind: ClassVar[str] = "count"
    title: ClassVar[str] = "Counting"

    def run(self, job: Job, keep: Keep) -> None:
        keep(1, 0.5)
        if job.key == "bad":
            raise Permanent("damaged", "no picture")


def test_jobs_are_done_beside_the_pipeline_and_people_hear_of_those_that_fail(
    made: Callable[..., Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "kinds_of", lambda *_parts: [Counting()])
    service = made()
    relay = relays(service)["jobs"]
    with recording(service):
        journal = service.core.journal
        journal.enqueue_job("count", "bad", {})
        journal.enqueue_job("count", "good", {})
        (text,) = [line for line in service.core.metrics.render().decode().splitlines() if "jobs_waiting{" in line]
        assert text == 'jobs_waiting{kind="count"} 2.0'
        assert jobs_check(service) == (True, "none has failed")
        relay.start()
        try:
            deadline = time.monotonic() + 30
            while journal.jobs_waiting("count") and time.monotonic() < deadline:
                time.sleep(0.01)
        finally:
            relay.stop()
            assert relay.join(30)
        assert {job.key: job.state for job in journal.jobs()} == {"good": "done", "bad": "failed"}
        assert jobs_check(service) == (False, "1 failed, the last: Counting bad: damaged: no picture")
    counted = {line for line in service.core.metrics.render().decode().splitlines() if line.startswith("jobs_total{")}
    assert counted == {
        'jobs_total{kind="count",outcome="ok"} 1.0',
        'jobs_total{kind="count",outcome="damaged"} 1.0',
    }


def jobs_check(service: Service) -> tuple[bool, str]:
    (found,) = [check for check in service.core.health.checks() if check.name == "failed jobs"]
    assert found.alarm
    assert not found.critical
    return found.ok, found.detail


def test_a_camera_at_an_address_is_made_with_its_first_trigger_and_one_that_loads_something_at_once(
    made: Callable[..., Service],
) -> None:
    service = made(OUTPUT_2_TYPE="Camera", OUTPUT_2_LOCATION="Door", OUTPUT_2_KIND="still", OUTPUT_2_URL="http://x/")
    assert [channel.label for channel in service.channels.made] == ["Yard"]
    assert service.channels["Door Camera"].label == "Door"
