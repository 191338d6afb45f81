"""The stage that does jobs: what ends them, what puts them off, and what is left for the next attempt."""

from __future__ import annotations

from typing import ClassVar

import pytest

from app.jobs import Keep, NotYet, Work
from app.journal import Job, Journal
from pylib.errors import Permanent, Transient


class Count:
    """Counts to three, one number an attempt where it is interrupted."""

    kind: ClassVar[str] = "count"
    title: ClassVar[str] = "Counting"

    def __init__(self, *interruptions: Exception) -> None:
        self.interruptions = list(interruptions)
        self.counted: list[int] = []

    def run(self, job: Job, keep: Keep) -> None:
        for number in range(job.kept or 0, 3):
            self.counted.append(number)
            keep(number + 1, (number + 1) / 3)
            if self.interruptions:
                raise self.interruptions.pop(0)


def done(journal: Journal, kind: Count) -> Job:
    """The job after it was tried once."""
    work = Work([kind], journal=journal)
    (job,) = work.pending()
    assert list(work.handle(job)) == []
    (job,) = journal.jobs()
    return job


def test_a_job_is_done_once(journal: Journal) -> None:
    journal.enqueue_job("count", "1", {})
    kind = Count()
    assert done(journal, kind).state == "done"
    assert kind.counted == [0, 1, 2]
    assert list(Work([kind], journal=journal).pending()) == []


@pytest.mark.parametrize(
    ("error", "state", "problem", "attempts"),
    [
        (Transient("full", "no space"), "waiting", "full: no space", 1),
        (ValueError("secret"), "waiting", "internal_error: ValueError", 1),
        (NotYet("missing", "two are missing", after=120), "waiting", "missing: two are missing", 0),
        (Permanent("damaged", "no picture"), "failed", "damaged: no picture", 1),
    ],
)
def test_what_interrupts_a_job_decides_about_it(
    journal: Journal, error: Exception, state: str, problem: str, attempts: int
) -> None:
    journal.enqueue_job("count", "1", {})
    job = done(journal, Count(error))
    assert (job.state, job.problem, job.attempts) == (state, problem, attempts)


def test_the_next_attempt_goes_on_where_the_last_one_was_left(journal: Journal) -> None:
    journal.enqueue_job("count", "1", {})
    kind = Count(Transient("full", "no space"))
    job = done(journal, kind)
    assert (job.kept, round(job.progress, 2)) == (1, 0.33)
    Work([kind], journal=journal).handle(job)
    assert kind.counted == [0, 1, 2]


def test_a_job_of_a_kind_that_is_not_there_waits(journal: Journal) -> None:
    journal.enqueue_job("other", "1", {})
    assert list(Work([Count()], journal=journal).pending()) == []
    (job,) = journal.jobs()
    Work([Count()], journal=journal).handle(job)
    assert [(job.state, job.attempts) for job in journal.jobs()] == [("waiting", 0)]


def test_a_job_is_left_where_it_is_when_the_service_ends(journal: Journal) -> None:
    journal.enqueue_job("count", "1", {})
    kind, counted = Count(), []
    work = Work([kind], journal=journal, stopping=lambda: bool(kind.counted), count=lambda *one: counted.append(one))
    (job,) = work.pending()
    work.handle(job)
    (job,) = journal.jobs()
    assert (job.state, job.kept, job.attempts, job.problem) == ("waiting", 1, 0, "stopping: the service ends")
    work.handle(job)
    assert kind.counted == [0]
    assert counted == [("count", "stopping")]


def test_attempts_are_counted_by_kind_and_outcome(journal: Journal) -> None:
    counted: list[tuple[str, str]] = []
    for key, error in (
        ("1", []),
        ("2", [Permanent("damaged", "")]),
        ("3", [ValueError()]),
        ("4", [Transient("full", "")]),
    ):
        journal.enqueue_job("count", key, {})
        work = Work([Count(*error)], journal=journal, count=lambda *one: counted.append(one))
        for job in work.pending():
            work.handle(job)
    assert counted == [("count", outcome) for outcome in ("ok", "damaged", "internal_error", "full")]
