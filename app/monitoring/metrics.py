"""The service's metrics beyond those of its stages: triggers, pictures, detector calls, deliveries."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import get_args

from prometheus_client import Gauge

from app.monitoring.outcomes import Outcome
from pylib.observability.health import Check
from pylib.observability.health import State as Health
from pylib.observability.metrics import Metrics, never_raising
from pylib.runtime.circuit_breaker import State

_ANSWER_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)
_EVENT_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300)
_STATES = get_args(Health)
_CIRCUITS = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}


class SnapshotMetrics(Metrics):
    """The service's metrics.

    Label values are configured names, kinds and failure codes, never a sender's text: each is a series.
    """

    def __init__(self, *, version: str) -> None:
        super().__init__(version=version)
        self._triggers = self.counter("triggers_total", "Triggers received.", ["origin", "outcome"])
        self._snapshots = self.counter(
            "snapshots_total", "Snapshots recorded: ok, or why there is no picture.", ["camera", "outcome"]
        )
        self._frames = self.counter(
            "burst_frames_total", "Further pictures of events: ok, alike, or why there is none.", ["camera", "outcome"]
        )
        self._detections = self.counter("detector_calls_total", "Calls of a detector.", ["detector", "outcome"])
        self._cost = self.counter("detector_cost_usd_total", "What the detector's calls cost.", ["detector"])
        self._camera_cost = self.counter("camera_cost_usd_total", "What looking at pictures cost.", ["camera"])
        self._deliveries = self.counter(
            "deliveries_total", "Attempts to deliver an event or a picture.", ["target", "outcome"]
        )
        self._undelivered = self.gauge(
            "oldest_undelivered_seconds", "Age of a target's oldest pending delivery.", ["target"]
        )
        self._circuits: Callable[[], Iterable[tuple[str, State]]] = tuple
        self.table(
            "camera_circuit_state",
            "0 asked as usual, 1 on trial, 2 paused for a while.",
            ["camera"],
            lambda: (((camera,), _CIRCUITS[state]) for camera, state in self._circuits()),
        )
        self._requests = self.counter("http_requests_total", "HTTP requests answered.", ["route", "method", "status"])
        self._answers = self.histogram(
            "http_answer_seconds", "Seconds until an HTTP answer began.", ["route"], buckets=_ANSWER_BUCKETS
        )
        self._disk = Gauge("disk_free_bytes", "Free on the disk that holds the data.", registry=self.registry)
        self._viewers = Gauge("live_viewers", "Pages and programs that follow events.", registry=self.registry)
        self._latency = self.histogram(
            "event_seconds", "Seconds from a trigger to its event.", ["camera"], buckets=_EVENT_BUCKETS
        )
        self._spans = self.counter("trace_spans_total", "Spans that a collector got, or did not.", ["outcome"])
        self._jobs = self.counter("jobs_total", "Attempts to do a job: ok, or why not.", ["kind", "outcome"])
        self._waiting = self.gauge("jobs_waiting", "Jobs that are not done yet.", ["kind"])
        self._outcomes: Sequence[Outcome] = ()
        self.table(
            "failures_in_a_row",
            "How often it has failed since it worked last.",
            ["subject", "name"],
            lambda: (((one.subject, one.name), one.failures) for one in self._outcomes),
        )
        self.table(
            "last_success_timestamp_seconds",
            "When it worked last (Unix time); 0 for never.",
            ["subject", "name"],
            lambda: (((one.subject, one.name), one.succeeded_at or 0.0) for one in self._outcomes),
        )
        self._states = self.gauge(
            "check_state", "A check of health: 0 working, 1 not tried yet, 2 degraded, 3 failing.", ["check"]
        )
        self._since: dict[str, float | None] = {}

    def trigger(self, origin: str, outcome: str) -> None:
        """A trigger came (`rabbitmq`, `http`): `accepted`, or why not (`malformed`, `duplicate`)."""
        self._triggers.labels(origin, outcome).inc()

    def snapshot(self, camera: str, outcome: str) -> None:
        """A snapshot was recorded: `ok`, or the failure's code."""
        self._snapshots.labels(camera, outcome).inc()

    def frame(self, camera: str, outcome: str) -> None:
        """A further picture of an event was taken: `ok`, `alike` (it showed nothing new), or the failure's code."""
        self._frames.labels(camera, outcome).inc()

    def detection(self, detector: str, outcome: str) -> None:
        """A detector was asked once: `ok`, or the failure's code."""
        self._detections.labels(detector, outcome).inc()
        self._cost.labels(detector)  # there from the first call on, also where it costs nothing

    def spent(self, detector: str, camera: str, cost_usd: float) -> None:
        """A call of a detector was charged."""
        self._cost.labels(detector).inc(cost_usd)
        self._camera_cost.labels(camera).inc(cost_usd)

    def delivery(self, target: str, outcome: str) -> None:
        """One attempt to deliver ended: `ok`, or the failure's code."""
        self._deliveries.labels(target, outcome).inc()

    def oldest_undelivered(self, target: str, since: float | None) -> None:
        """Since when (unix seconds) the oldest delivery is pending, None when none is; the age grows by itself."""
        known = target in self._since
        self._since[target] = since
        if not known:
            self._undelivered.labels(target).set_function(lambda: self._age(target))

    def circuits(self, states: Callable[[], Iterable[tuple[str, State]]]) -> None:
        """Show all cameras' circuits; `states` is asked at each scrape, for an open one half-opens by itself."""
        self._circuits = states

    def request(self, route: str, *, method: str, status: int, seconds: float) -> None:
        """An HTTP request of this route's template was answered with this status, beginning after `seconds`."""
        self._requests.labels(route, method, f"{status // 100}xx").inc()
        self._answers.labels(route).observe(seconds)

    def disk(self, folder: Path) -> None:
        """Show how much is free on the disk that holds this folder."""
        self._disk.set_function(never_raising(lambda: shutil.disk_usage(folder).free))

    def viewers(self, count: Callable[[], float]) -> None:
        """Show how many follow events; `count` is asked at each scrape."""
        self._viewers.set_function(never_raising(count))

    def event(self, camera: str, seconds: float) -> None:
        """An event came `seconds` after its trigger."""
        self._latency.labels(camera).observe(max(0.0, seconds))

    def spans(self, outcome: str, number: int) -> None:
        """So many spans were `exported`, or `dropped`."""
        self._spans.labels(outcome).inc(number)

    def job(self, kind: str, outcome: str) -> None:
        """One attempt to do a job of this kind ended: `ok`, or the failure's code."""
        self._jobs.labels(kind, outcome).inc()

    def jobs_waiting(self, kind: str, count: Callable[[], float]) -> None:
        """Show how many jobs of this kind wait; `count` is asked at each scrape."""
        self._waiting.labels(kind).set_function(never_raising(count))

    def replicas(self, figures: Callable[[], tuple[int, int, bool]]) -> None:
        """Show the replicas that were heard lately, how many shards are ours, and whether we lead."""
        shown = (
            ("replicas_seen", "Replicas that were heard lately, this one among them."),
            ("replica_shards", "Shards that are this replica's."),
            ("replica_leads", "1 where this replica leads."),
        )
        for index, (name, text) in enumerate(shown):
            gauge = Gauge(name, text, registry=self.registry)
            gauge.set_function(never_raising(lambda index=index: figures()[index]))  # type: ignore[misc]

    def seen(self, outcomes: Sequence[Outcome], checks: Iterable[Check]) -> None:
        """Show how everything did last, and what health says now."""
        self._outcomes = outcomes
        for check in checks:
            self._states.labels(check.name).set(_STATES.index(check.state))

    def _age(self, target: str) -> float:
        since = self._since[target]
        return 0.0 if since is None else max(0.0, time.time() - since)
