"""Jobs: each done once, put off, given up after so many attempts, and taken up where they were left."""

from __future__ import annotations

from pathlib import Path

from app.journal import Journal
from app.journal.jobs import KEPT_S, MOST_ATTEMPTS
from tests.fakes.clock import Clock
from tests.fakes.journal import opened


def test_a_job_is_done_once_however_often_it_is_asked_for(journal: Journal) -> None:
    for _ in range(2):
        journal.enqueue_job("film", "yard", {"day": "2026-03-04"})
    (job,) = journal.jobs_due()
    assert (job.id, job.arguments, job.attempts) == ("film:yard", {"day": "2026-03-04"}, 0)
    assert journal.begin_job(job)
    journal.end_job(job)
    journal.enqueue_job("film", "yard", {})
    assert journal.jobs_due() == []
    journal.enqueue_job("film", "yard", {}, again=True)
    assert [job.arguments for job in journal.jobs_due()] == [{}]


def test_a_job_that_is_put_off_waits_and_one_that_only_waited_has_made_no_attempt(tmp_path: Path) -> None:
    clock = Clock()
    with opened(tmp_path / "journal.db", clock=clock) as journal:
        journal.enqueue_job("film", "later", {}, at=clock.now + 60)
        journal.enqueue_job("film", "now", {})
        (job,) = journal.jobs_due()
        assert journal.begin_job(job)
        journal.postpone_job(job, problem="away: no disk", after=30)
        assert journal.jobs_due() == []
        clock.now += 30
        (job,) = journal.jobs_due()
        assert (job.key, job.attempts, job.problem) == ("now", 1, "away: no disk")
        assert journal.begin_job(job)
        journal.postpone_job(job, after=30, counted=False)
        clock.now += 30
        assert {job.key: job.attempts for job in journal.jobs_due()} == {"now": 1, "later": 0}


def test_a_job_that_never_gets_on_has_failed_after_so_many_attempts_and_one_that_does_has_not(journal: Journal) -> None:
    journal.enqueue_job("film", "stuck", {})
    journal.enqueue_job("film", "slow", {})
    stuck, slow = journal.jobs_due()
    assert [journal.begin_job(stuck) for _ in range(MOST_ATTEMPTS + 1)] == [True] * MOST_ATTEMPTS + [False]
    for done in range(MOST_ATTEMPTS * 2):
        assert journal.begin_job(slow)
        journal.keep_job(slow, kept={"done": done}, progress=done / 100)
    assert [(job.key, job.kept, job.progress) for job in journal.jobs_due()] == [("slow", {"done": 15}, 0.15)]
    assert {job.key: job.state for job in journal.jobs()} == {"slow": "waiting", "stuck": "failed"}


def test_ended_jobs_are_remembered_for_a_while_with_their_reason(tmp_path: Path) -> None:
    clock = Clock()
    with opened(tmp_path / "journal.db", clock=clock) as journal:
        for key in ("good", "bad"):
            journal.enqueue_job("film", key, {})
        bad, good = sorted(journal.jobs_due(), key=lambda job: job.key)
        journal.end_job(good)
        journal.end_job(bad, problem="no_pictures: none that day")
        found = {job.key: (job.state, job.problem, job.progress) for job in journal.jobs()}
        assert found == {"good": ("done", "", 1.0), "bad": ("failed", "no_pictures: none that day", 0.0)}
        journal.enqueue_job("film", "waiting", {})
        clock.now += KEPT_S + 1
        journal.forget_jobs()
        assert [job.key for job in journal.jobs()] == ["waiting"]


def test_jobs_of_other_kinds_do_not_stand_before_those_that_can_be_done(journal: Journal) -> None:
    for number in range(3):
        journal.enqueue_job("other", str(number), {})
    journal.enqueue_job("film", "yard", {})
    assert [job.key for job in journal.jobs_due(["film", "animation"], limit=2)] == ["yard"]
    assert (journal.jobs_waiting("other"), journal.jobs_waiting("animation")) == (3, 0)


def test_a_job_that_has_failed_is_tried_anew_or_forgotten_when_somebody_says_so(journal: Journal) -> None:
    for key in ("good", "bad", "hopeless"):
        journal.enqueue_job("film", key, {})
    jobs = {job.key: job for job in journal.jobs_due()}
    journal.begin_job(jobs["bad"])
    journal.end_job(jobs["good"])
    journal.end_job(jobs["bad"], problem="full: no space")
    journal.end_job(jobs["hopeless"], problem="damaged: no picture")
    assert {job.key for job in journal.failed_jobs()} == {"bad", "hopeless"}
    assert journal.retry_job(jobs["bad"].seq)
    assert not journal.retry_job(jobs["good"].seq)
    assert journal.forget_job(jobs["hopeless"].seq)
    assert not journal.forget_job(jobs["bad"].seq)
    again = journal.job("film", "bad")
    assert again is not None
    assert (again.state, again.attempts) == ("waiting", 0)
    assert journal.failed_jobs() == []
    assert journal.job("film", "hopeless") is None
