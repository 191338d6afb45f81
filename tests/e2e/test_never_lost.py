"""The promise: whatever is killed, every accepted trigger ends in exactly one outcome, told at least once."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections.abc import Sequence
from typing import Any

import pytest

from tests.broker import Broker
from tests.e2e.conftest import Launch
from tests.e2e.ledger import Account, account
from tests.e2e.peers import Consumer, House, Sensor, stream
from tests.e2e.pictures import StampingCameras, jpeg
from tests.e2e.process import ServiceProcess, until

LOCATIONS = ("Front", "Yard", "Porch", "Shed", "Gate", "Hall")
KEYS = [f"{location} Camera" for location in LOCATIONS]


def stamping(cameras: StampingCameras, *locations: str) -> list[dict[str, Any]]:
    """Configuration of cameras behind the simulator."""
    return [
        {"location": one, "kind": "still", "url": cameras.url("stamped", one.lower())} for one in locations
    ]


def settled(sensors: Sequence[Sensor], consumer: Consumer, service: ServiceProcess) -> Account:
    """The account once nothing is on its way any more."""
    service.wait_ready()
    until(lambda: not account(sensors, consumer).lost, timeout=90, what="an event for every confirmed trigger")
    until(lambda: idle(service), timeout=30, what="an idle service")
    final = account(sensors, consumer)
    print(final)
    return final


def idle(service: ServiceProcess) -> bool:
    """Whether the service is owed nothing by anyone and owes nothing to anyone, for a second."""
    for _ in range(3):
        stages = [service.metric("stage_in_hand", stage=stage) for stage in ("fetch", "detect", "publish")]
        if any(stages) or not service.check("undelivered")["detail"].startswith("0 events"):
            return False
        time.sleep(0.4)
    return True


def unfinished(service: ServiceProcess) -> list[Any]:
    """What the journal of a stopped service says is undone; fails when it is damaged."""
    with sqlite3.connect(service.home / "data/journal.db") as journal:
        assert journal.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return journal.execute(
            "SELECT id FROM snapshots LEFT JOIN deliveries USING (seq) "
            "WHERE snapshots.state != 'inspected' OR deliveries.state IS NOT 'done'"
        ).fetchall()


def test_kill_9_and_broker_restarts_lose_and_double_nothing(
    launch: Launch, house: House, own_broker: Broker
) -> None:
    seed = int(os.environ.get("SNAPSHOT_TEST_SEED") or random.randrange(1_000_000))
    print(f"SNAPSHOT_TEST_SEED={seed}")
    chance = random.Random(seed)
    mishaps = ["kill"] * 5 + ["restart broker", "kill broker", "kill both"]
    chance.shuffle(mishaps)
    sensors = [Sensor(house, with_ids=True), Sensor(house, with_ids=False)]
    with StampingCameras(jpeg(), delay=0.03) as cameras, Consumer(house) as consumer:
        service = launch(house, cameras=stamping(cameras, *LOCATIONS)).start().wait_ready()
        with stream(sensors, KEYS, every=0.015):
            for mishap in mishaps:
                time.sleep(chance.uniform(0.2, 1.5))
                befall(mishap, service, own_broker, chance)
            time.sleep(1)
        final = settled(sensors, consumer, service)
    service.terminate()
    assert service.wait() == 0
    assert final.balanced, final
    assert final.sent > 200
    assert unfinished(service) == []
    assert not list((service.home / "data").rglob("*.part"))


def befall(mishap: str, service: ServiceProcess, broker: Broker, chance: random.Random) -> None:
    print(f"{time.monotonic():.2f} {mishap}")
    if mishap == "kill":
        service.kill()
        service.start()
        return
    if mishap == "restart broker":
        broker.stop()
    else:
        broker.kill()
    time.sleep(chance.uniform(0, 1))
    if mishap == "kill both":
        service.kill()
        service.start()
    broker.start()


def test_a_broker_that_is_away_costs_nothing_but_time(
    launch: Launch, house: House, own_broker: Broker, cameras: StampingCameras
) -> None:
    configured = stamping(cameras, "Yard")
    seasoned = launch(house, cameras=configured).start().wait_ready()
    ids = []
    with Consumer(house) as consumer:
        own_broker.stop()
        try:
            until(lambda: seasoned.http("GET", "/health/ready").status_code == 503)
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


def test_triggers_that_wait_for_a_slow_camera_outlast_the_broker(
    launch: Launch, house: House, own_broker: Broker
) -> None:
    with StampingCameras(jpeg(), delay=0.3) as cameras, Consumer(house) as consumer:
        service = launch(house, cameras=stamping(cameras, "Yard")).start().wait_ready()
        sensors = [Sensor(house, with_ids=True), Sensor(house, with_ids=False)]
        for _ in range(15):
            for sensor in sensors:
                sensor.send("Yard Camera")
        own_broker.restart()
        final = settled(sensors, consumer, service)
        assert final.balanced, final
        assert final.problems == {}
        assert cameras.load("yard").requests == 30


def test_an_event_that_nobody_listens_to_yet_is_kept_for_its_first_listener(
    launch: Launch, house: House, cameras: StampingCameras
) -> None:
    service = launch(house, cameras=stamping(cameras, "Yard")).start().wait_ready()
    event = service.http("POST", "/api/cameras/yard/trigger?wait=20").json()
    until(lambda: service.metric("deliveries_total", target="rabbitmq", outcome="nobody_listens"))
    with Consumer(house) as consumer:
        until(lambda: event["event_id"] in consumer.events, what="the event")


def test_sigterm_under_load_ends_in_time_and_loses_nothing(launch: Launch, house: House) -> None:
    steady = [Sensor(house, with_ids=True), Sensor(house, with_ids=False)]
    with StampingCameras(jpeg(), delay=0.05) as cameras, Consumer(house) as consumer, Sensor(house) as once:
        hanging = {"location": "Attic", "kind": "still", "url": cameras.url("hang"), "timeout": 8}
        service = launch(
            house,
            cameras=[*stamping(cameras, *LOCATIONS), hanging],
            environment={"SHUTDOWN_GRACE": "6"},
        )
        service.start().wait_ready()
        with stream(steady, KEYS, every=0.025):
            time.sleep(1)
            once.send("Attic Camera")
            time.sleep(0.5)
            service.terminate()
            assert service.wait(timeout=8) == 0
            time.sleep(0.5)
            service.start()
        final = settled([*steady, once], consumer, service)
        assert final.balanced, final
        assert final.problems == {"timeout": 1}


def test_a_second_signal_ends_it_at_once(launch: Launch, house: House, cameras: StampingCameras) -> None:
    hanging = {"location": "Attic", "kind": "still", "url": cameras.url("hang"), "timeout": 60}
    service = launch(house, cameras=[hanging]).start().wait_ready()
    service.http("POST", "/api/cameras/attic/trigger")
    until(lambda: service.metric("stage_in_hand", stage="fetch"))
    service.terminate()
    time.sleep(0.5)
    assert service.running
    service.terminate()
    assert service.wait(timeout=2) == 128 + signal.SIGTERM
