"""Reads of a bucket that does not answer: held back, said once, and let through when it answers again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from app.pipeline.collect import ObjectRejected, ObjectUnavailable
from app.sources.buckets.gates import FIRST_S, LONGEST_S, Gates
from tests.fakes.clock import Clock

AWAY = ObjectUnavailable("timeout", "S3 did not answer in time.")


class Bench:
    """The gates of a source; its time is the test's."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.gates = Gates("queue", clock=self.clock)
        self.reads = 0

    def read(self, outcome: Exception | None = None, *, bucket: str = "photos") -> Exception | None:
        try:
            with self.gates.of(bucket).read():
                self.reads += 1
                if outcome:
                    raise outcome
        except (ObjectUnavailable, ObjectRejected) as error:
            return error
        return None


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_after_a_failed_read_the_next_waits_and_says_why(bench: Bench) -> None:
    bench.read(AWAY)
    held_back = bench.read()
    assert (bench.reads, str(held_back)) == (1, str(AWAY))
    bench.clock.now += FIRST_S
    assert bench.read() is bench.read() is None
    assert bench.reads == 3


def test_while_an_outage_lasts_reads_become_rare_but_never_end(bench: Bench) -> None:
    bench.read(AWAY)
    for _ in range(3600):
        bench.clock.now += 1
        bench.read(AWAY)
    assert 3600 / LONGEST_S <= bench.reads <= 3600 / LONGEST_S + 10


def test_a_probe_that_hangs_is_the_only_one(bench: Bench) -> None:
    bench.read(AWAY)
    bench.clock.now += FIRST_S
    with suppress(ObjectUnavailable), bench.gates.of("photos").read():
        bench.clock.now += 10 * LONGEST_S
        assert isinstance(bench.read(), ObjectUnavailable)
        raise AWAY
    bench.clock.now += LONGEST_S
    assert bench.read() is None


def test_a_bucket_that_refuses_one_object_answers(bench: Bench) -> None:
    bench.read(AWAY)
    bench.clock.now += FIRST_S
    bench.read(ObjectRejected("object_gone", "it was deleted"))
    assert bench.gates.problem == ""
    assert bench.read() is None


def test_buckets_do_not_wait_for_each_other_and_each_problem_is_said(bench: Bench) -> None:
    bench.read(AWAY)
    assert bench.read(bucket="others") is None
    bench.read(ObjectUnavailable("no_such_bucket", "There is no bucket."), bucket="third")
    assert bench.gates.problem == f"photos: {AWAY}; third: no_such_bucket: There is no bucket."


def test_an_outage_is_logged_once_and_so_is_its_end(bench: Bench) -> None:
    with capture_logs() as logs:
        for _ in range(100):
            bench.read(AWAY)
            bench.clock.now += LONGEST_S
        bench.read()
        bench.read()
    assert [(line["event"], line.get("failed_reads")) for line in logs] == [
        ("bucket cannot be read", None),
        ("bucket can be read again", 100),
    ]


def test_of_reads_that_begin_together_each_may_fail(bench: Bench) -> None:
    together = threading.Barrier(8)

    def reading() -> None:
        with suppress(ObjectUnavailable), bench.gates.of("photos").read():
            together.wait(5)
            raise AWAY

    in_threads(reading, 8)
    bench.clock.now += FIRST_S
    assert bench.read() is None
    assert bench.gates.problem == ""


def in_threads(work: Callable[[], None], count: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
