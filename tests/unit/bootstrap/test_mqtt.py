"""One section makes a broker of both directions; what the publisher cannot know comes from the other parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.bootstrap.service import Service
from app.config.settings import load
from app.publishers import Figures
from app.publishers.mqtt import Mqtt as Publisher
from app.sources.mqtt import Mqtt as Source
from pylib.settings.draft import ConfigError
from tests.fakes.archives import a_picture, recorded

YARD = "Yard Camera"
CAMERA = {"OUTPUT_1_TYPE": "Camera", "OUTPUT_1_LOCATION": "Yard", "OUTPUT_1_KIND": "demo", "DETECTOR_KIND": "none"}
BROKER = {"MQTT_SERVER_ADDRESS": "127.0.0.1:9"}


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Service]:
    def make(**environ: str) -> Service:
        return Service(load(None, {"DATA_DIR": str(tmp_path / "data"), **CAMERA, **environ}), version="1")

    return make


@contextmanager
def recording(service: Service) -> Iterator[None]:
    """The service's journal works, as when it runs."""
    service.core.journal.open()
    service.core.journal.database.start()
    try:
        yield
    finally:
        service.core.journal.database.stop()
        service.core.journal.database.join(10)


def test_a_broker_takes_events_and_brings_triggers(made: Callable[..., Service]) -> None:
    service = made(**BROKER)
    assert [type(publisher) for publisher in service.publishing.publishers] == [Publisher]
    assert [type(source) for source in service.sources._sources.values()] == [Source]
    names = [thread.name for thread in service.threads]
    assert {"mqtt", "publish mqtt", "publisher mqtt"} <= set(names)
    assert len(names) == len(set(names))
    assert names.index("fetch") < names.index("mqtt") < names.index("publish mqtt") < names.index("publisher mqtt")
    with recording(service):
        (check,) = [check for check in service.core.health.checks() if check.name == "triggers from mqtt"]
    assert (check.ok, check.critical, check.alarm) == (False, False, True)
    assert made().publishing.publishers == []


def test_a_second_broker_needs_a_name(made: Callable[..., Service]) -> None:
    other = {"PUBLISHER_1_KIND": "mqtt", "PUBLISHER_1_SERVER_ADDRESS": "127.0.0.1:9"}
    with pytest.raises(ConfigError, match="give it a `name`"):
        made(**other)
    service = made(**BROKER, **other, PUBLISHER_1_NAME="office", PUBLISHER_1_PREFIX="office")
    assert [publisher.name for publisher in service.publishing.publishers] == ["mqtt", "office"]


def test_the_publisher_knows_which_cameras_answer_and_what_waits(made: Callable[..., Service]) -> None:
    service = made(**BROKER)
    context = service.publishing._context
    assert context.reachable(YARD)
    service.channels[YARD].breaker.failed(final=True)
    assert not context.reachable(YARD)
    with recording(service):
        assert context.figures() == Figures(calls=0, cost_usd=0.0, oldest_undelivered_s=0.0)
        recorded(service.core.journal, a_picture(None), "mqtt")
        assert 0 < context.figures().oldest_undelivered_s < 60
