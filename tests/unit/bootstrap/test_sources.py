"""Trigger sources: each hears of its own triggers, and the schedule runs where a camera asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.bootstrap.service import Service
from app.config.settings import load
from app.messages import ObjectCreated
from app.sources import new_trigger
from app.sources.buckets.notifications import FoundObject
from pylib.rabbitmq.listener import ZMQListener
from pylib.runtime.relay import ZmqFeeder, ZmqRelay

CAMERA = {"OUTPUT_1_TYPE": "Camera", "OUTPUT_1_LOCATION": "Yard", "OUTPUT_1_KIND": "demo", "DETECTOR_KIND": "none"}
BROKER = {"RABBITMQ_SERVER_ADDRESS": "127.0.0.1:9"}
OTHER = {"SOURCE_1_KIND": "rabbitmq", "SOURCE_1_NAME": "neighbour", "SOURCE_1_SERVER_ADDRESS": "127.0.0.1:9"}


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Service]:
    def make(**environ: str) -> Service:
        return Service(load(None, {"DATA_DIR": str(tmp_path / "data"), **CAMERA, **environ}), version="1")

    return make


def test_an_acknowledgement_goes_to_the_source_that_brought_the_trigger(
    made: Callable[..., Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = made(**BROKER, **OTHER)
    heard: list[tuple[str, str]] = []
    for name, source in service.sources._sources.items():
        monkeypatch.setattr(source, "acknowledge", lambda receipt, name=name: heard.append((name, receipt)))
    trigger = new_trigger("Yard Camera", label="Yard", origin="neighbour", receipt="7")
    service.sources.acknowledge(trigger)
    service.sources.acknowledge(replace(trigger, origin="rabbitmq", receipt="8"))
    service.sources.acknowledge(replace(trigger, origin="http"))
    service.sources.acknowledge(replace(trigger, receipt=""))
    assert heard == [("neighbour", "7"), ("rabbitmq", "8")]


def test_every_source_has_its_thread_and_the_broker_of_the_section_is_the_one_that_is_watched(
    made: Callable[..., Service],
) -> None:
    service = made(**BROKER, **OTHER)
    threads = service.sources.threads
    assert len(threads) == 2
    assert [thread for thread in service.threads if thread in threads] == threads
    assert isinstance(service.sources.listener, ZMQListener)
    assert service.sources.listener is threads[0]
    assert made(**OTHER).sources.listener is None
    assert made().sources.threads == []


def test_a_folder_that_thumbnails_go_to_as_well_brings_its_pictures(made: Callable[..., Service]) -> None:
    queue = {"SOURCE_1_KIND": "bucket", "SOURCE_1_BUCKETS": "home-pictures"}
    service = made(**queue, PUBLISHER_1_KIND="thumbnails", PUBLISHER_1_PREFIX="uploads")
    watched = service.sources._sources["bucket"]._watched  # type: ignore[attr-defined]
    picture = FoundObject("home-pictures", "uploads/garden/cat.jpg", datetime.now(UTC))
    assert watched.created(picture, origin="bucket")


def test_each_source_of_objects_is_collected_by_itself(made: Callable[..., Service]) -> None:
    kinds = {f"SOURCE_{number}_KIND": "bucket" for number in (1, 2)}
    buckets = {f"SOURCE_{number}_BUCKETS": "photos" for number in (1, 2)}
    service = made(**kinds, **buckets, SOURCE_2_NAME="second")
    relays = {thread.name: thread for thread in service.threads if isinstance(thread, ZmqRelay)}
    for name in ("bucket", "second"):
        feeder = service.sources._sources[name].thread
        assert isinstance(feeder, ZmqFeeder)
        assert feeder._sink == relays[f"collect {name}"]._source
        created = ObjectCreated("", "", "", "", "photos", "yard/a.jpg", timestamp=datetime.now(UTC))
        assert relays[f"collect {name}"]._key(created) == "photos/yard/a.jpg", "one of a key at a time"
