"""Builds the collect stage, and the job that forgets old objects."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from app.bootstrap.core import Core
from app.pipeline.collect import Collect
from app.sources import ObjectSource
from app.uploads.capture_time import CaptureTime
from pylib.runtime.periodic import Every, Periodic

WORKERS = 8
"""Objects of one source that are collected at once: reading waits for the network, decoding needs the processor."""
REMEMBERED_S = 15 * 86_400.0
"""What queues announced is remembered for longer than SQS keeps a message, which is 14 days at most."""
FORGET_EVERY_S = 3600.0


def collect_of(core: Core, sources: Mapping[str, ObjectSource], capture_time: CaptureTime) -> Collect:
    """The collect stage over these sources, by name."""
    return Collect(
        sources,
        journal=core.journal,
        cache=core.cache,
        capture_time=capture_time,
        labels=core.labels,
        max_pixels=core.settings.max_pixels,
        adjustments=core.adjustments,
        attempts=core.attempts,
        count_source=lambda source, outcome: core.outcomes.report("trigger", source, outcome),
        # Whoever may write to a bucket may name cameras: a series each would have no end.
        count=lambda camera, outcome: core.metrics.snapshot(camera if camera in core.labels else "unknown", outcome),
    )


def forgetting(core: Core, sources: Mapping[str, ObjectSource]) -> Periodic:
    """The job that forgets objects which no queue can announce again."""
    queues = [name for name, source in sources.items() if source.queued]
    forget = partial(core.journal.forget_old_objects, queues, older_than=REMEMBERED_S)
    return Periodic("objects", forget, Every(FORGET_EVERY_S))
