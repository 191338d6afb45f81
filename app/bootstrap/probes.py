"""Health probes for each thread, connection and outlet, and gauges of backlogs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from app.bootstrap.core import Core
from app.bootstrap.outcomes import check_all, expect_all, seen
from app.bootstrap.outlets import Outlet
from app.bootstrap.uploads import quarantine_of
from app.messages import Inspection
from app.monitoring.metrics import SnapshotMetrics
from app.monitoring.sentences import NOT_USED
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
    expect_all(core)
    health, metrics, data_dir = core.health, core.metrics, core.settings.data_dir
    for thread in threads:
        health.add(thread.name, progress(thread), live=True)
        if isinstance(thread, ZmqRelay):
            metrics.queue(thread.name, lambda relay=thread: relay.waiting)  # type: ignore[misc]
    health.add("rules", _rules(core.rules), critical=False, alarm=True)
    health.add("disk", disk_free(data_dir, at_least=LEAST_DISK))
    connections = [one for one in broker if one is not None]
    if connections:
        health.add("broker", _connected(connections))
    for outlet in outlets:
        health.add(outlet.probe_name, seen(core, outlet), critical=False, alarm=True)
    for listener in connections:
        if isinstance(listener, ZMQListener):
            health.add("dead letters", _dead_letters(listener), critical=False, alarm=True)
    health.add("rejected uploads", quarantine_of(core.settings).status, critical=False, alarm=True)
    check_all(core)
    metrics.disk(data_dir)
    core.live.listen(time_event(metrics))


def exposition(core: Core, outlets: Sequence[Outlet]) -> bytes:
    """The metrics in Prometheus' text format; the journal is asked for the age of backlogs."""
    for outlet in outlets:
        core.metrics.oldest_undelivered(outlet.name, core.journal.backlog(outlet.name).since)
    core.metrics.seen(core.outcomes.all(), core.health.checks())
    return core.metrics.render()


def time_event(metrics: SnapshotMetrics) -> Callable[[Inspection], None]:
    """Measures the seconds from a trigger to its event."""

    def listener(inspection: Inspection) -> None:
        snapshot = inspection.snapshot
        if snapshot.delay_s:  # a pushed picture has no trigger to count from
            metrics.event(snapshot.camera, snapshot.delay_s + time.time() - snapshot.taken_at.timestamp())

    return listener


def _rules(file: RulesFile) -> Callable[[], Status]:
    def probe() -> Status:
        count = len(file.book.rules)
        rules = f"{count} rule{'' if count == 1 else 's'}" if count else NOT_USED
        return Status(ok=not file.problems, detail="; ".join(file.problems) or rules)

    return probe


def _dead_letters(listener: ZMQListener) -> Callable[[], Status]:
    def probe() -> Status:
        count = listener.dead_letters
        if count is None:
            return Status(ok=True, detail="the broker has not said", state="untried")
        if not count:
            return Status(ok=True, detail="none")
        remedy = "`snapshot-processor dead-letters list` shows them"
        return Status(ok=True, detail=f"{count} triggers were refused or given up -> {remedy}", state="degraded")

    return probe


def _connected(connections: Sequence[ZMQListener | ConfirmedPublisher]) -> Callable[[], Status]:
    def probe() -> Status:
        closed = [connection.name for connection in connections if not connection.connected]
        return Status(ok=not closed, detail=f"not connected: {', '.join(closed)}" if closed else "connected")

    return probe
