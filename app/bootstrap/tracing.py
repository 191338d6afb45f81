"""Builds what traces events."""

from __future__ import annotations

import structlog

from app.config.settings import Settings
from app.monitoring.metrics import SnapshotMetrics
from app.monitoring.tracing import EventTracing
from pylib.runtime.threads import ManagedThread
from pylib.tracing import Tracer

log = structlog.get_logger(__name__)


def tracing_of(
    settings: Settings, *, version: str, metrics: SnapshotMetrics
) -> tuple[EventTracing, tuple[ManagedThread, ...]]:
    """The tracing of events, and the thread that sends the spans, where a collector is configured."""
    tracing = settings.tracing
    if not tracing.endpoint:
        return EventTracing(), ()
    from pylib.otlp import OtlpExport

    resource = {
        "service.name": settings.app_name,
        "service.version": version,
        "service.instance.id": settings.device_name,
    }
    try:
        export = OtlpExport(tracing.endpoint, headers=tracing.headers, resource=resource, count=metrics.spans)
    except ImportError:
        log.error("no traces: the package is not installed", remedy="pip install 'snapshot-processor[tracing]'")
        return EventTracing(), ()
    return EventTracing(Tracer(export.put), ratio=tracing.ratio), (export,)
