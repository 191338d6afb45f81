"""Health probes for each thread, connection and outlet, and gauges of backlogs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from app.bootstrap.core import Core
from app.bootstrap.outlets import Outlet
from app.journal import Journal
from app.messages import Inspection
from app.monitoring.metrics import SnapshotMetrics
from app.rules.file import RulesFile
from pylib.observability.health import Status, disk_free, progress
from pylib.rabbitmq.listener import ZMQListener
from pylib.rabbitmq.publisher import ConfirmedPublisher
from pylib.runtime.relay import ZmqRelay
from pylib.runtime.threads import ManagedThread

LEAST_DISK = 200_000_000
"""Bytes that must be free for the service to call itself ready."""


def observe(
    core: Core,
    threads: Sequence[ManagedThread],
    outlets: Sequence[Outlet],
    *,
    broker: Sequence[ZMQListener | ConfirmedPublisher | None],
) -> None:
    """Have operators see how every thread and outlet is, and the connections without which there is no service."""
    health, metrics, data_dir = core.health, core.metrics, core.settings.data_dir
    for thread in threads:
        health.add(thread.name, progress(thread), live=True)
        if isinstance(thread, ZmqRelay):
            metrics.queue(thread.name, lambda relay=thread: relay.waiting)  # type: ignore[misc]
    health.add("rules", _rules(core.rules), critical=False)
    health.add("disk", disk_free(data_dir, at_least=LEAST_DISK))
    if connections := [one for one in broker if one is not None]:
        health.add("broker", _connected(connections))
    for outlet in outlets:
        health.add(outlet.probe_name, outlet.probe, critical=False, alarm=outlet.alarm)
    metrics.disk(data_dir)
    core.live.listen(time_event(metrics))


def exposition(metrics: SnapshotMetrics, journal: Journal, outlets: Sequence[Outlet]) -> bytes:
    """The metrics in Prometheus' text format; the journal is asked for the age of backlogs."""
    for outlet in outlets:
        metrics.oldest_undelivered(outlet.name, journal.backlog(outlet.name).since)
    return metrics.render()


def time_event(metrics: SnapshotMetrics) -> Callable[[Inspection], None]:
    """Measures the seconds from a trigger to its event."""

    def listener(inspection: Inspection) -> None:
        snapshot = inspection.snapshot
        if snapshot.delay_s:  # a pushed picture has no trigger to count from
            metrics.event(snapshot.camera, snapshot.delay_s + time.time() - snapshot.taken_at.timestamp())

    return listener


def _rules(file: RulesFile) -> Callable[[], Status]:
    def probe() -> Status:
        return Status(ok=not file.problems, detail="; ".join(file.problems) or f"{len(file.book.rules)} rules")

    return probe


def _connected(connections: Sequence[ZMQListener | ConfirmedPublisher]) -> Callable[[], Status]:
    def probe() -> Status:
        closed = [connection.name for connection in connections if not connection.connected]
        return Status(ok=not closed, detail=f"not connected: {', '.join(closed)}" if closed else "connected")

    return probe
