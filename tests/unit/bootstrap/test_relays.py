"""Relays: who is told of what, in which order, and under which names operators see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from app.bootstrap.outlets import Outlet, keepers, names
from app.bootstrap.relays import LIVE, Relays
from app.messages import Inspection, Snapshot, decode, encode
from app.monitoring.metrics import SnapshotMetrics
from app.monitoring.tracing import EventTracing
from pylib.observability.health import Status
from pylib.runtime.relay import Codec, Transport
from pylib.runtime.stage import Stage
from tests.fakes.decisions import told_to

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


class Quiet(Stage[Inspection]):
    """Does nothing."""

    def handle(self, message: Inspection) -> Iterable[Inspection]:
        return [message]


def an_outlet(name: str, *, keeps: bool = False, workers: int = 1) -> Outlet:
    return Outlet(
        name=name,
        title=name,
        relay_name=f"relay {name}",
        meter=f"meter {name}",
        stage=Quiet(),
        workers=workers,
        probe_name=name,
        probe=lambda: Status(ok=True),
        keeps=keeps,
    )


def told(*targets: str) -> Inspection:
    return told_to(Inspection(Snapshot("e1", "Yard Camera", "Yard", NOW, NOW, 0.0, "http")), targets)


OUTLETS = [an_outlet("rabbitmq"), an_outlet("s3", keeps=True, workers=3), an_outlet("folder", keeps=True)]


@pytest.fixture
def metrics() -> SnapshotMetrics:
    return SnapshotMetrics(version="0")


@pytest.fixture
def relays(metrics: SnapshotMetrics) -> Relays:
    return Relays(Transport(Codec(encode, decode)), metrics, EventTracing())


def test_outlets_are_told_apart_by_name_and_archives_by_what_they_keep() -> None:
    assert names(OUTLETS) == ["rabbitmq", "s3", "folder"]
    assert keepers(OUTLETS) == ["s3", "folder"]
    assert len({outlet.address for outlet in OUTLETS} | {LIVE}) == 4


@pytest.mark.parametrize(
    ("targets", "hear"),
    [
        ((), []),
        (("s3",), ["s3"]),
        (("folder", "rabbitmq"), ["rabbitmq", "folder"]),
        (("s3", "a publisher that is configured no more"), ["s3"]),
    ],
)
def test_an_inspection_goes_to_those_that_were_decided_for_and_always_to_this_process(
    relays: Relays, targets: tuple[str, ...], hear: list[str]
) -> None:
    options = relays.to_outlets(OUTLETS)
    address = {outlet.name: outlet.address for outlet in OUTLETS}
    assert options["sinks"] == [LIVE, *address.values()]
    assert options["route"](told(*targets)) == [LIVE, *(address[name] for name in hear)]


def test_what_was_decided_survives_the_way_from_thread_to_thread() -> None:
    assert decode(encode(told("s3", "folder"))) == told("s3", "folder")


def test_events_keep_their_order_by_camera_and_pictures_need_none_in_an_archive(relays: Relays) -> None:
    publisher, archive, _ = (relays.outlet(outlet) for outlet in OUTLETS)
    assert publisher._key(told()) == "Yard Camera"
    assert archive._key(told()) == "e1"
    assert publisher._identity(told()) == archive._identity(told()) == "e1"
    assert [publisher._pool.workers, archive._pool.workers] == [1, 3]
    assert archive.name == "relay s3"
    assert archive._source == OUTLETS[1].address


@pytest.mark.parametrize(
    ("make", "label"),
    [
        (lambda relays: relays.outlet(OUTLETS[1]), "meter s3"),
        (lambda relays: relays.stage("detect", Quiet(), source="inproc://a"), "detect"),
    ],
)
def test_what_a_relay_does_is_metered_under_its_name(
    relays: Relays, metrics: SnapshotMetrics, make: Callable[[Relays], Any], label: str
) -> None:
    make(relays)._work(told(), lambda message: [message])
    assert f'stage_seconds_count{{stage="{label}"}} 1.0' in metrics.render().decode()
