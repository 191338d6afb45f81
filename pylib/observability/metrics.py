"""The metrics of stages and threads, for Prometheus, in a registry of their own."""

from __future__ import annotations

import platform
import threading
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
"""Of what `Metrics.render` returns."""

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


Row = Sequence[str]
"""The values of a metric's labels."""


class _Table(Collector):
    def __init__(
        self, name: str, documentation: str, labels: Sequence[str], rows: Callable[[], Iterable[tuple[Row, float]]]
    ) -> None:
        self._gauge = name, documentation
        self._labels = labels
        self._rows = rows

    def collect(self) -> Iterable[Metric]:
        gauge = GaugeMetricFamily(*self._gauge, labels=self._labels)
        for row, value in self._rows():
            gauge.add_metric(row, value)
        return [gauge]


class StageMetrics:
    """The counts of one stage. Thread-safe; an observation costs about two microseconds."""

    def __init__(self, name: str, seconds: Histogram, messages: Counter, in_hand: Gauge) -> None:
        self._name = name
        self._seconds = seconds.labels(name)
        self._in_hand = in_hand.labels(name)
        self._messages = messages
        # Counted from zero, so that the first one is already an increase to Prometheus.
        self._outcomes = {"ok": messages.labels(name, "ok")}

    def started(self) -> None:
        """Work on a message has begun."""
        self._in_hand.inc()

    def finished(self, outcome: str, seconds: float) -> None:
        """Work on it has ended, after `seconds`: `ok`, or a failure's code. Pairs with one `started`."""
        self._in_hand.dec()
        self._seconds.observe(seconds)
        counter = self._outcomes.get(outcome)
        if counter is None:
            counter = self._outcomes[outcome] = self._messages.labels(self._name, outcome)
        counter.inc()


class Metrics:
    """One process's metrics; make one and share it. Every method is thread-safe."""

    def __init__(self, *, version: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a creation time beside every counter doubles the page for nothing
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._seconds = self.histogram("stage_seconds", "Seconds of work on a message.", ["stage"])
        self._messages = self.counter("stage_messages_total", "Messages finished, by outcome.", ["stage", "outcome"])
        self._in_hand = self.gauge("stage_in_hand", "Messages being worked on.", ["stage"])
        self._queues = self.gauge("queue_depth", "Messages waiting.", ["queue"])
        self._restarts = self.counter(
            "thread_restarts_total", "Threads started again after they died or hung.", ["thread"]
        )
        Info("build", "What is running.", registry=self.registry).info(
            {"version": version, "python": platform.python_version()}
        )
        self._stages: dict[str, StageMetrics] = {}
        self._lock = threading.Lock()

    def counter(self, name: str, documentation: str, labels: list[str]) -> Counter:
        """A counter in this registry."""
        return Counter(name, documentation, labels, registry=self.registry)

    def gauge(self, name: str, documentation: str, labels: list[str]) -> Gauge:
        """A gauge in this registry."""
        return Gauge(name, documentation, labels, registry=self.registry)

    def table(
        self, name: str, documentation: str, labels: Sequence[str], rows: Callable[[], Iterable[tuple[Row, float]]]
    ) -> None:
        """A gauge with one value for each of `rows`, which is asked at each scrape: between two it takes no memory."""
        self.registry.register(_Table(name, documentation, labels, rows))

    def histogram(
        self, name: str, documentation: str, labels: list[str], *, buckets: Sequence[float] = _BUCKETS
    ) -> Histogram:
        """A histogram in this registry."""
        return Histogram(name, documentation, labels, buckets=buckets, registry=self.registry)

    def stage(self, name: str) -> StageMetrics:
        """The counts of the stage (or job) of this name; the same object each time."""
        with self._lock:
            if name not in self._stages:
                self._stages[name] = StageMetrics(name, self._seconds, self._messages, self._in_hand)
            return self._stages[name]

    def queue(self, name: str, length: Callable[[], float]) -> None:
        """Show a queue's length; `length` is asked at each scrape, from any thread, and should be quick."""
        self._queues.labels(name).set_function(never_raising(length))

    def restarted(self, thread: str) -> None:
        """A thread was started again."""
        self._restarts.labels(thread).inc()

    def render(self) -> bytes:
        """All of it, in Prometheus's text format (see `CONTENT_TYPE`)."""
        return generate_latest(self.registry)


def never_raising(function: Callable[[], float]) -> Callable[[], float]:
    """The same, with NaN where it raises: one broken value must not break the whole page."""

    def call() -> float:
        try:
            return float(function())
        except Exception:  # noqa: BLE001
            return float("nan")

    return call
