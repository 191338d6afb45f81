"""Outcomes: what was seen to work, what was not tried yet, and what fails, over restarts."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.journal import HourCount, Journal
from app.monitoring.outcomes import Outcome, Outcomes, Subject
from tests.fakes.clock import Clock
from tests.fakes.journal import opened

REFUSED = "login_refused: it answered 401"


def outcomes_of(journal: Journal, clock: Clock) -> Outcomes:
    outcomes = Outcomes(journal, now=clock)
    outcomes.expect("camera", "Shed", title="The shed", kind="still")
    outcomes.expect("detector", "codeproject", title="CodeProject.AI", kind="codeproject")
    outcomes.expect("upload", "uploads", title="Uploads", tolerance=3)
    outcomes.expect("archive", "s3", title="S3", kind="s3", tolerance=0)
    outcomes.open()
    journal.began()  # what was remembered has been handed over
    return outcomes


def of(outcomes: Outcomes, subject: Subject, name: str) -> Outcome:
    found = outcomes.of(subject, name)
    assert found is not None
    return found


def test_nothing_works_before_it_was_seen_to_work(journal: Journal) -> None:
    outcomes = outcomes_of(journal, Clock())
    assert {one.state for one in outcomes.all()} == {"untried"}
    outcomes.report("camera", "Shed", "ok")
    assert [one.state for one in outcomes.all()] == ["working", "untried", "untried", "untried"]


def test_a_failing_camera_says_since_when_why_and_what_to_do_until_it_works_again(journal: Journal) -> None:
    clock = Clock()
    outcomes = outcomes_of(journal, clock)
    outcomes.report("camera", "Shed", "ok")
    good = clock.now
    for _ in range(3):
        clock.now += 60
        outcomes.report("camera", "Shed", REFUSED)
    shed = of(outcomes, "camera", "Shed")
    assert (shed.state, shed.failures, shed.succeeded_at, shed.failing_since, shed.tried_at) == (
        "failing",
        3,
        good,
        good + 60,
        good + 180,
    )
    assert shed.reason == "it answered 401"
    assert "password" in shed.remedy
    outcomes.report("camera", "Shed", "ok")
    shed = of(outcomes, "camera", "Shed")
    assert (shed.state, shed.failures, shed.failing_since, shed.problem) == ("working", 0, None, "")


@pytest.mark.parametrize(
    ("subject", "name", "code"),
    [("camera", "Shed", "stale"), ("camera", "Shed", "circuit_open: x"), ("archive", "s3", "picture_gone: x")],
)
def test_what_was_not_asked_has_neither_worked_nor_failed(
    journal: Journal, subject: Subject, name: str, code: str
) -> None:
    outcomes = outcomes_of(journal, Clock())
    outcomes.report(subject, name, code)
    assert of(outcomes, subject, name).state == "untried"


def test_one_refused_upload_is_no_failure_of_all_and_an_archive_that_tries_again_is_late_at_most(
    journal: Journal,
) -> None:
    outcomes = outcomes_of(journal, Clock())
    states = []
    for _ in range(3):
        outcomes.report("upload", "uploads", "unknown_camera: no folder of a camera")
        outcomes.report("archive", "s3", "timeout: no answer")
        states.append((of(outcomes, "upload", "uploads").state, of(outcomes, "archive", "s3").state))
    assert states == [("degraded", "degraded")] * 2 + [("failing", "degraded")]


def test_a_restart_forgets_nothing_and_what_is_not_configured_any_more_is_left_out(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "journal.db"
    with opened(path, clock=clock) as journal:
        outcomes = outcomes_of(journal, clock)
        outcomes.expect("camera", "Gone", title="Gone")
        for name, outcome in (("Shed", "ok"), ("Shed", REFUSED), ("Shed", REFUSED), ("Gone", "ok"), ("Unknown", "ok")):
            outcomes.report("camera", name, outcome)
        before = of(outcomes, "camera", "Shed")
    with opened(path, clock=clock) as journal:
        after = outcomes_of(journal, clock)
        assert (of(after, "camera", "Shed"), before.failures) == (before, 2)
        assert of(after, "detector", "codeproject").state == "untried"
        assert after.of("camera", "Gone") is None


def test_the_last_24_hours_are_counted_each_by_itself(tmp_path: Path) -> None:
    clock = Clock(now=10 * 86_400.0)
    with opened(tmp_path / "journal.db", clock=clock) as journal:
        outcomes = outcomes_of(journal, clock)
        outcomes.report("camera", "Shed", REFUSED)
        for hours in (1, 23):
            clock.now += hours * 3600.0
            outcomes.report("camera", "Shed", "ok")
            outcomes.report("camera", "Shed", REFUSED)
        shed, detector = ("camera", "Shed"), ("detector", "codeproject")
        counts = journal.outcome_hours([shed, detector])
        assert counts[shed] == (HourCount(1, 1), *[HourCount(0, 0)] * 22, HourCount(1, 1))
        assert counts[detector] == (HourCount(0, 0),) * 24
