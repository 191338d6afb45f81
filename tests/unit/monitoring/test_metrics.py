"""The service's own metrics: triggers, pictures, detector calls and their cost, deliveries, circuits."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from app.monitoring.metrics import SnapshotMetrics
from pylib.runtime.circuit_breaker import Breaker
from tests.unit.pylib.observability.test_metrics import sample


@pytest.fixture
def metrics() -> SnapshotMetrics:
    return SnapshotMetrics(version="1")


def test_outcomes_are_counted_where_they_happen(metrics: SnapshotMetrics) -> None:
    metrics.trigger("rabbitmq", "accepted")
    metrics.trigger("rabbitmq", "malformed")
    metrics.snapshot("Front Door Camera", "timeout")
    metrics.delivery("rabbitmq", "ok")
    assert sample(metrics, "triggers_total", origin="rabbitmq", outcome="malformed") == 1
    assert sample(metrics, "snapshots_total", camera="Front Door Camera", outcome="timeout") == 1
    assert sample(metrics, "deliveries_total", target="rabbitmq", outcome="ok") == 1


def test_detector_calls_add_up_in_dollars(metrics: SnapshotMetrics) -> None:
    for _ in range(1000):
        metrics.detection("rekognition", "ok")
        metrics.spent("rekognition", "Front Door Camera", 0.001)
    metrics.detection("hog", "ok")
    assert sample(metrics, "detector_calls_total", detector="rekognition", outcome="ok") == 1000
    assert sample(metrics, "detector_cost_usd_total", detector="rekognition") == pytest.approx(1.0)
    assert sample(metrics, "camera_cost_usd_total", camera="Front Door Camera") == pytest.approx(1.0)
    assert sample(metrics, "detector_cost_usd_total", detector="hog") == 0


def test_the_age_of_the_oldest_undelivered_grows_by_itself_and_ends(metrics: SnapshotMetrics) -> None:
    metrics.oldest_undelivered("rabbitmq", time.time() - 3600)
    assert sample(metrics, "oldest_undelivered_seconds", target="rabbitmq") == pytest.approx(3600, abs=60)
    first = sample(metrics, "oldest_undelivered_seconds", target="rabbitmq") or 0
    time.sleep(0.01)
    assert (sample(metrics, "oldest_undelivered_seconds", target="rabbitmq") or 0) > first
    metrics.oldest_undelivered("rabbitmq", None)
    assert sample(metrics, "oldest_undelivered_seconds", target="rabbitmq") == 0


def test_an_age_is_never_negative_though_a_clock_was_set_back(metrics: SnapshotMetrics) -> None:
    metrics.oldest_undelivered("rabbitmq", time.time() + 3600)
    assert sample(metrics, "oldest_undelivered_seconds", target="rabbitmq") == 0


def test_a_cameras_circuit_shows_as_it_is_at_the_scrape(metrics: SnapshotMetrics) -> None:
    now = 0.0
    breaker = Breaker(threshold=1, cooldown=5, clock=lambda: now)
    metrics.circuits(lambda: [("Front Door Camera", breaker.state)])
    states = [sample(metrics, "camera_circuit_state", camera="Front Door Camera")]
    breaker.failed()
    states.append(sample(metrics, "camera_circuit_state", camera="Front Door Camera"))
    now = 6.0
    states.append(sample(metrics, "camera_circuit_state", camera="Front Door Camera"))
    assert states == [0, 2, 1]


def test_http_requests_are_counted_by_route_and_kind_of_answer(metrics: SnapshotMetrics) -> None:
    for status in (200, 204, 404):
        metrics.request("/api/snapshots/{id}", method="GET", status=status, seconds=0.02)
    route = {"route": "/api/snapshots/{id}"}
    assert sample(metrics, "http_requests_total", **route, method="GET", status="2xx") == 2
    assert sample(metrics, "http_requests_total", **route, method="GET", status="4xx") == 1
    assert sample(metrics, "http_answer_seconds_bucket", **route, le="0.01") == 0
    assert sample(metrics, "http_answer_seconds_bucket", **route, le="0.025") == 3


def test_the_way_from_a_trigger_to_its_event_is_timed_for_each_camera(metrics: SnapshotMetrics) -> None:
    metrics.event("Front Door Camera", 1.5)
    metrics.event("Front Door Camera", -3.0)
    assert sample(metrics, "event_seconds_count", camera="Front Door Camera") == 2
    assert sample(metrics, "event_seconds_sum", camera="Front Door Camera") == 1.5


def test_viewers_and_free_disk_are_asked_for_at_the_scrape(metrics: SnapshotMetrics, tmp_path: Path) -> None:
    viewers = [1]
    metrics.viewers(lambda: len(viewers))
    metrics.disk(tmp_path)
    viewers.append(2)
    assert sample(metrics, "live_viewers") == 2
    assert (sample(metrics, "disk_free_bytes") or 0) > 0


def test_replicas_are_shown_where_there_are_some(metrics: SnapshotMetrics) -> None:
    assert sample(metrics, "replicas_seen") is None
    metrics.replicas(lambda: (3, 5, True))
    shown = [sample(metrics, name) for name in ("replicas_seen", "replica_shards", "replica_leads")]
    assert shown == [3, 5, 1]
