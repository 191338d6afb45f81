"""Metrics: what Prometheus reads, parsed by its own parser, and that counting costs next to nothing."""

from __future__ import annotations

import math
import threading
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pylib.observability.metrics import Metrics


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(version="1.2.3")


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    for family in text_string_to_metric_families(metrics.render().decode()):
        for found in family.samples:
            if found.name == name and found.labels == labels:
                return float(found.value)
    return None


def test_a_stages_messages_are_counted_by_outcome_and_timed(metrics: Metrics) -> None:
    stage = metrics.stage("fetch")
    for outcome, seconds in (("ok", 0.2), ("ok", 0.3), ("timeout", 10.0)):
        stage.started()
        stage.finished(outcome, seconds)
    assert sample(metrics, "stage_messages_total", stage="fetch", outcome="ok") == 2
    assert sample(metrics, "stage_messages_total", stage="fetch", outcome="timeout") == 1
    assert sample(metrics, "stage_seconds_count", stage="fetch") == 3
    assert sample(metrics, "stage_seconds_sum", stage="fetch") == pytest.approx(10.5)
    assert sample(metrics, "stage_seconds_bucket", stage="fetch", le="0.25") == 1
    assert sample(metrics, "stage_seconds_bucket", stage="fetch", le="0.5") == 2


def test_what_is_in_hand_shows_while_it_is(metrics: Metrics) -> None:
    stage = metrics.stage("detect")
    stage.started()
    stage.started()
    assert sample(metrics, "stage_in_hand", stage="detect") == 2
    stage.finished("ok", 0.1)
    assert sample(metrics, "stage_in_hand", stage="detect") == 1


def test_a_stage_counts_from_zero_so_that_its_first_message_is_an_increase(metrics: Metrics) -> None:
    metrics.stage("publish")
    assert sample(metrics, "stage_messages_total", stage="publish", outcome="ok") == 0


def test_many_threads_lose_no_count(metrics: Metrics) -> None:
    def work() -> None:
        for number in range(500):
            stage = metrics.stage("fetch")
            stage.started()
            stage.finished(f"code{number % 3}", 0.01)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcomes = [sample(metrics, "stage_messages_total", stage="fetch", outcome=f"code{n}") for n in range(3)]
    assert sum(outcome or 0 for outcome in outcomes) == 2000
    assert sample(metrics, "stage_in_hand", stage="fetch") == 0


def test_a_queues_length_is_asked_at_each_scrape(metrics: Metrics) -> None:
    waiting = [1, 2, 3]
    metrics.queue("detect", lambda: len(waiting))
    assert sample(metrics, "queue_depth", queue="detect") == 3
    waiting.pop()
    assert sample(metrics, "queue_depth", queue="detect") == 2


def test_a_queue_that_cannot_be_asked_does_not_take_the_page_with_it(metrics: Metrics) -> None:
    metrics.queue("broken", lambda: 1 // 0)
    metrics.queue("well", lambda: 1)
    assert math.isnan(sample(metrics, "queue_depth", queue="broken") or 0)
    assert sample(metrics, "queue_depth", queue="well") == 1


def test_restarts_and_the_build_are_told(metrics: Metrics) -> None:
    metrics.restarted("fetch")
    assert sample(metrics, "thread_restarts_total", thread="fetch") == 1
    assert b'version="1.2.3"' in metrics.render()


def test_a_label_may_hold_anything(metrics: Metrics) -> None:
    name = 'Tür "1"\nB\\'
    metrics.stage(name).finished("ok", 0.1)
    assert sample(metrics, "stage_messages_total", stage=name, outcome="ok") == 1


def test_two_of_them_share_nothing() -> None:
    first, second = Metrics(version="1"), Metrics(version="1")
    first.stage("x").finished("ok", 0.1)
    assert sample(second, "stage_messages_total", stage="x", outcome="ok") is None


def test_an_observation_is_cheap(metrics: Metrics) -> None:
    stage = metrics.stage("fetch")
    began = time.thread_time()
    for _ in range(5_000):
        stage.started()
        stage.finished("ok", 0.1)
    assert (time.thread_time() - began) / 5_000 < 100e-6
