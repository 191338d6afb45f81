"""The promise: whatever is killed, every accepted trigger ends in exactly one outcome, told at least once."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from tests.broker import Broker
from tests.e2e.conftest import Launch
from tests.e2e.disk import small_disk
from tests.e2e.ledger import account
from tests.e2e.mishaps import befall, settled, stamping
from tests.e2e.peers import Caller, Consumer, House, Sender, Sensor, stream
from tests.e2e.pictures import jpeg
from tests.e2e.process import ServiceProcess, until
from tests.simulators.camera import CameraSimulator

LOCATIONS = ("Front", "Yard", "Porch", "Shed", "Gate", "Hall")
KEYS = [f"{location} Camera" for location in LOCATIONS]


def unfinished(service: ServiceProcess) -> list[Any]:
    """What the journal of a stopped service says is undone; fails when it is damaged."""
    with sqlite3.connect(service.home / "data/journal.db") as journal:
        assert journal.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return journal.execute(
            "SELECT id FROM snapshots LEFT JOIN deliveries USING (seq) "
            "WHERE snapshots.state != 'inspected' OR deliveries.state IS NOT 'done'"
        ).fetchall()


def test_kill_9_and_broker_restarts_lose_and_double_nothing(launch: Launch, house: House, own_broker: Broker) -> None:
    seed = int(os.environ.get("SNAPSHOT_TEST_SEED") or random.randrange(1_000_000))
    print(f"SNAPSHOT_TEST_SEED={seed}")
    chance = random.Random(seed)
    mishaps = ["kill"] * 3 + ["restart broker", "kill broker"]
    chance.shuffle(mishaps)
    with CameraSimulator(jpeg(), delay=0.03) as cameras, Consumer(house) as consumer:
        service = launch(house, cameras=stamping(cameras, *LOCATIONS)).start().wait_ready()
        senders: list[Sender] = [Sensor(house, with_ids=True), Sensor(house, with_ids=False), Caller(service)]
        with stream(senders, KEYS, every=0.1):
            for mishap in mishaps:
                time.sleep(chance.uniform(0.2, 1.5))
                befall(mishap, service, own_broker, chance)
            time.sleep(1)
        final = settled(senders, consumer, service)
    service.terminate()
    assert service.wait() == 0
    assert final.balanced, final
    assert final.sent > 100
    assert unfinished(service) == []
    assert not list((service.home / "data").rglob("*.part"))


@pytest.mark.long
def test_a_broker_that_is_away_costs_nothing_but_time(
    launch: Launch, house: House, own_broker: Broker, cameras: CameraSimulator
) -> None:
    configured = stamping(cameras, "Yard")
    seasoned = launch(house, cameras=configured).start().wait_ready()
    ids = []
    with Consumer(house) as consumer:
        own_broker.stop()
        try:
            until(lambda: seasoned.http("GET", "/health/ready").status_code == 503, timeout=180)
            late = launch(house, home="late", cameras=configured, environment={"APP_NAME": f"{house.exchange}-late"})
            late.start().wait_ready(but=["broker"])
            for service in (seasoned, late) * 5:
                answer = service.http("POST", "/api/cameras/yard/trigger?wait=20")
                assert (answer.status_code, answer.json()["problem"]) == (200, "")
                ids.append(answer.json()["event_id"])
                assert service.http("GET", "/health/live").status_code == 200
        finally:
            own_broker.start()
        until(lambda: consumer.events.keys() >= set(ids), timeout=90, what="all events of the outage")
        pids = seasoned.pid, late.pid
        with Sensor(house) as sensor:
            sent = sensor.send("Yard Camera")  # both services serve it: each has a queue of its own
            until(lambda: consumer.about(sent), what="the event of a trigger after the outage")
        assert (seasoned.pid, late.pid) == pids
        assert seasoned.running
        assert late.running
    assert {event.message_id for event in consumer.latest} == {*ids, consumer.about(sent)[0].message_id}


@pytest.mark.long
def test_a_trigger_that_outlasted_its_moment_is_told_without_a_picture(
    launch: Launch, house: House, cameras: CameraSimulator
) -> None:
    service = launch(house, cameras=stamping(cameras, "Yard"), environment={"MAX_AGE": "2"})
    service.start().wait_ready()
    with Consumer(house) as consumer, Sensor(house) as sensor:
        service.kill()
        late = sensor.send("Yard Camera")
        time.sleep(2.5)
        service.start()
        (event,) = until(lambda: consumer.about(late), what="the event")
        assert event.entry["problem"].startswith("stale: ")
        assert (event.entry["image"], event.entry["delay_s"] > 2) == (b"", True)
        fresh = sensor.send("Yard Camera")
        (event,) = until(lambda: consumer.about(fresh), what="the event")
        assert event.entry["problem"] == ""


@pytest.mark.long
def test_triggers_that_wait_for_a_slow_camera_outlast_the_broker(
    launch: Launch, house: House, own_broker: Broker
) -> None:
    with CameraSimulator(jpeg(), delay=1) as cameras, Consumer(house) as consumer:
        # No room for a second copy of each, which is what the broker delivers when it is back.
        service = launch(house, cameras=stamping(cameras, "Yard"), environment={"MAX_PENDING": "16", "MAX_AGE": "600"})
        service.start().wait_ready()
        sensors = [Sensor(house, with_ids=True), Sensor(house, with_ids=False)]
        for _ in range(8):
            for sensor in sensors:
                sensor.send("Yard Camera")
        own_broker.restart()
        final = settled(sensors, consumer, service)
        assert final.balanced, final
        assert final.problems == {}
        assert cameras.load("yard").requests == 16


@pytest.mark.long
def test_a_full_disk_stops_nothing_for_good(
    tmp_path: Path, launch: Launch, house: House, cameras: CameraSimulator
) -> None:
    sensors = [Sensor(house, with_ids=True), Sensor(house, with_ids=False)]
    with small_disk(tmp_path / "small") as disk, Consumer(house) as consumer:
        service = launch(
            house,
            cameras=stamping(cameras, *LOCATIONS),
            environment={
                "DATA_DIR": str(disk.folder / "data"),
                "RETENTION_MIN_FREE_GB": "0",  # never so much free here, and the ledger looks at old pictures
                "RETENTION_HARD_FREE_GB": "0",
                "MAX_AGE": "600",
            },
        )
        service.start().wait_ready(but=["disk"])
        with stream(sensors, KEYS, every=0.05):
            time.sleep(1)
            disk.fill(service)
            time.sleep(3)
            told = len(consumer.events)
            answer = service.http("POST", "/api/cameras/yard/trigger")
            assert (answer.status_code, answer.json()["error"].partition(":")[0]) == (
                503,
                "database_unavailable",
            )
            time.sleep(1)
            assert len(consumer.events) == told
            assert service.http("GET", "/health/live").status_code == 200
            disk.free(service)
        until(lambda: not account(sensors, consumer).lost, timeout=240, what="all events of the full disk")
        assert account(sensors, consumer).repeated <= 1  # what the disk could not note was told once

        disk.fill(service)
        for sensor in sensors:
            sensor.send("Yard Camera")
        time.sleep(0.5)
        service.kill()
        disk.free(service.start())
        final = settled(sensors, consumer, service, but=["disk"])
        service.kill()
    assert final.balanced, final
    assert final.problems == {}


def test_an_event_that_nobody_listens_to_yet_is_kept_for_its_first_listener(
    launch: Launch, house: House, cameras: CameraSimulator
) -> None:
    service = launch(house, cameras=stamping(cameras, "Yard")).start().wait_ready()
    event = service.http("POST", "/api/cameras/yard/trigger?wait=20").json()
    until(lambda: service.metric("deliveries_total", target="rabbitmq", outcome="nobody_listens"))
    with Consumer(house) as consumer:
        until(lambda: event["event_id"] in consumer.events, what="the event")


@pytest.mark.long
def test_sigterm_under_load_ends_in_time_and_loses_nothing(launch: Launch, house: House) -> None:
    steady = [Sensor(house, with_ids=True), Sensor(house, with_ids=False)]
    with CameraSimulator(jpeg(), delay=0.05) as cameras, Consumer(house) as consumer, Sensor(house) as once:
        hanging = {"location": "Attic", "kind": "still", "url": cameras.url("hang"), "timeout": 5}
        service = launch(
            house,
            cameras=[*stamping(cameras, *LOCATIONS), hanging],
            environment={"SHUTDOWN_GRACE": "4", "MAX_AGE": "600"},
        )
        service.start().wait_ready()
        with stream(steady, KEYS, every=0.025):
            time.sleep(1)
            once.send("Attic Camera")
            time.sleep(0.5)
            service.terminate()
            assert service.wait() == 0
            time.sleep(0.5)
            service.start()
        final = settled([*steady, once], consumer, service)
        assert final.balanced, final
        assert final.problems == {"timeout": 1}


def test_a_second_signal_ends_it_at_once(launch: Launch, house: House, cameras: CameraSimulator) -> None:
    hanging = {"location": "Attic", "kind": "still", "url": cameras.url("hang"), "timeout": 120}
    service = launch(house, cameras=[hanging], environment={"SHUTDOWN_GRACE": "300"}).start().wait_ready()
    service.http("POST", "/api/cameras/attic/trigger")
    until(lambda: service.metric("stage_in_hand", stage="fetch"))
    service.terminate()
    time.sleep(0.5)
    assert service.running
    service.terminate()
    assert service.wait() == 128 + signal.SIGTERM
