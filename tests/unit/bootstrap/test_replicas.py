"""A service that is one of several: what it has besides, and where triggers go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bootstrap.service import Service
from app.config.settings import load
from app.sources import new_trigger

YARD = "Yard Camera"
REPLICA = {
    "OUTPUT_1_TYPE": "Camera",
    "OUTPUT_1_LOCATION": "Yard",
    "OUTPUT_1_KIND": "demo",
    "OUTPUT_1_EVERY": "60",
    "DETECTOR_KIND": "none",
    "RABBITMQ_SERVER_ADDRESS": "127.0.0.1:9",
    "MQTT_SERVER_ADDRESS": "127.0.0.1:9",
    "REPLICAS_GROUP": "home",
}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(load(None, {"DATA_DIR": str(tmp_path), **REPLICA}), version="1.2.3")
    service.core.journal.open()
    service.core.journal.database.start()
    yield service
    service.core.journal.database.stop()
    assert service.core.journal.database.join(5)


def test_it_has_shards_in_place_of_the_queue_of_a_service_alone(service: Service) -> None:
    names = [thread.name for thread in service.threads]
    stream = ["schedule", "requests", "group", "forward", "fetch", "shards", "mqtt", "forwarder", "publisher"]
    assert [name for name in names if name in {*stream, "listener"}] == stream


def test_triggers_of_this_process_go_to_the_shards_and_the_cameras_take_none_from_the_record(service: Service) -> None:
    threads = {thread.name: thread for thread in service.threads}
    service.core.intake.submit(new_trigger(YARD, label="Yard", origin="http"))
    assert list(threads["fetch"].stage.pending()) == []  # type: ignore[attr-defined]
    assert threads["requests"]._sink == threads["mqtt"]._sink == "inproc://forwards"  # type: ignore[attr-defined]


def test_what_is_answered_is_acknowledged_to_its_shard_wherever_it_came_from(service: Service) -> None:
    told: list[str] = []
    shards = {thread.name: thread for thread in service.threads}["shards"]
    shards.acknowledge = told.append  # type: ignore[attr-defined]
    service.sources.acknowledge(new_trigger(YARD, label="Yard", origin="http"))
    assert told == []
    service.sources.acknowledge(new_trigger(YARD, label="Yard", origin="http", receipt="1:7"))
    assert told == ["1:7"]


def test_while_it_hears_nobody_it_neither_leads_nor_owns_cameras(service: Service) -> None:
    assert (service.core.work.leads, service.core.work.owns(YARD)) == (False, False)
    (check,) = [one for one in service.core.health.checks() if one.name == "replicas"]
    assert (check.ok, check.alarm, check.critical) == (False, True, False)
    assert b"replica_leads 0.0" in service.core.metrics.render()
