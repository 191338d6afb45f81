"""Looking again at all pictures of a time: resumed where it was, paid once, bounded where it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from app.detectors import DetectorRejected, DetectorUnavailable, Looker, PaidSettings
from app.detectors.in_service import InService
from app.detectors.paid import Paid
from app.jobs import Work
from app.jobs.redetect import Redetect, Redetection
from app.journal import Job, Journal
from app.messages import Detection, Inspection, Label, Snapshot
from app.pipeline.look_again import LookAgain
from tests.fakes.album import NOW
from tests.fakes.detectors import PERSON, FakeDetector

ALL = Redetection(NOW - timedelta(days=1), NOW + timedelta(days=1))
DOG = Detection((Label("Dog", 0.9),))


def pictures(journal: Journal, folder: Path, count: int) -> list[str]:
    ids = [f"e{number}" for number in range(count)]
    for event_id in ids:
        path = folder / f"{event_id}.jpg"
        path.write_bytes(event_id.encode())
        taken = Snapshot(event_id, "Yard Camera", "Yard", NOW, NOW, 0.25, "http", str(path), 9)
        journal.record(taken)
        journal.inspect(Inspection(taken, "hog", DOG, "clear"))
    return ids


def work_off(journal: Journal, lookers: Mapping[str, Looker], wanted: Redetection = ALL, *, stops: int = 0) -> Job:
    """The job after one attempt; `stops`: the service ends after so many pictures."""
    journal.enqueue_job(Redetect.kind, wanted.key, wanted.arguments)
    redetect = Redetect(LookAgain(lookers, "usual", journal=journal), journal=journal)
    stopping = iter([False] * stops)  # it is asked once before the first
    work = Work([redetect], journal=journal, stopping=lambda: bool(stops) and next(stopping, True))
    job = journal.job(Redetect.kind, wanted.key)
    assert job is not None
    journal.retry_job(job.seq)
    for job in work.pending():
        list(work.handle(job))
    ended = journal.job(Redetect.kind, wanted.key)
    assert ended is not None
    return ended


def decisions(journal: Journal, ids: list[str]) -> list[str]:
    entries = [journal.entry(event_id) for event_id in ids]
    return [entry.inspection.decision for entry in entries if entry is not None]


def test_every_picture_is_seen_with_the_detector_of_today(journal: Journal, tmp_path: Path) -> None:
    ids = pictures(journal, tmp_path, 3)
    job = work_off(journal, {"usual": InService(FakeDetector())})
    assert (job.state, job.progress) == ("done", 1.0)
    assert decisions(journal, ids) == ["person"] * 3


def test_another_detector_can_be_named_and_a_camera_and_a_time(journal: Journal, tmp_path: Path) -> None:
    ids = pictures(journal, tmp_path, 2)
    usual, other = FakeDetector(), FakeDetector()
    lookers = {"usual": InService(usual), "other": InService(other)}
    work_off(journal, lookers, Redetection(ALL.since, ALL.until, "Yard Camera", "other"))
    assert (len(usual.pictures), len(other.pictures)) == (0, 2)
    assert decisions(journal, ids) == ["person"] * 2


def test_one_that_is_not_there_ends_the_job(journal: Journal, tmp_path: Path) -> None:
    pictures(journal, tmp_path, 1)
    job = work_off(journal, {"usual": InService(FakeDetector())}, Redetection(ALL.since, ALL.until, "", "unknown"))
    assert (job.state, job.problem) == ("failed", "no_detector: no detector 'unknown'; configured: usual")


def test_it_goes_on_where_it_was(journal: Journal, tmp_path: Path) -> None:
    ids = pictures(journal, tmp_path, 4)
    detector = FakeDetector()
    job = work_off(journal, {"usual": InService(detector)}, stops=3)
    assert (job.state, job.progress) == ("waiting", 0.75)
    assert work_off(journal, {"usual": InService(detector)}).state == "done"
    assert detector.pictures == [event_id.encode() for event_id in ids]


def test_what_was_paid_for_is_not_paid_for_again(journal: Journal, tmp_path: Path) -> None:
    pictures(journal, tmp_path, 3)
    detector = FakeDetector(cost_usd=0.001)
    lookers = {"usual": Paid(InService(detector), PaidSettings(kind="fake"), answers=journal)}
    work_off(journal, lookers)
    work_off(journal, lookers, Redetection(ALL.since, ALL.until, "Yard Camera"))
    assert len(detector.pictures) == 3
    entry = journal.entry("e0")
    assert entry is not None
    assert entry.inspection.cost_usd == 0.001


def test_a_bad_picture_is_left_as_it_was(journal: Journal, tmp_path: Path) -> None:
    ids = pictures(journal, tmp_path, 4)
    refused = DetectorRejected("invalid_image", "no picture")
    job = work_off(journal, {"usual": InService(FakeDetector(PERSON, refused, refused, PERSON))})
    assert job.state == "done"
    assert decisions(journal, ids) == ["person", "clear", "clear", "person"]


def test_a_picture_on_which_the_detector_breaks_stops_no_other(journal: Journal, tmp_path: Path) -> None:
    ids = pictures(journal, tmp_path, 3)
    job = work_off(journal, {"usual": InService(FakeDetector(PERSON, OverflowError("10 ** 400"), PERSON))})
    assert job.state == "done"
    assert decisions(journal, ids) == ["person", "clear", "person"]


def test_a_picture_that_is_gone_is_passed_over(journal: Journal, tmp_path: Path) -> None:
    ids = pictures(journal, tmp_path, 3)
    (tmp_path / "e1.jpg").unlink()
    assert work_off(journal, {"usual": InService(FakeDetector())}).state == "done"
    assert decisions(journal, ids) == ["person", "clear", "person"]


def test_a_detector_that_refuses_everything_ends_the_job(journal: Journal, tmp_path: Path) -> None:
    pictures(journal, tmp_path, 9)
    detector = FakeDetector(DetectorRejected("access_denied", "not allowed"))
    job = work_off(journal, {"usual": InService(detector)})
    assert (job.state, job.problem, len(detector.pictures)) == ("failed", "access_denied: not allowed", 3)


def test_a_detector_that_is_away_is_waited_for(journal: Journal, tmp_path: Path) -> None:
    pictures(journal, tmp_path, 2)
    detector = FakeDetector(PERSON, DetectorUnavailable("unreachable", "no connection"), PERSON)
    lookers = {"usual": InService(detector)}
    assert work_off(journal, lookers).state == "waiting"
    assert work_off(journal, lookers).state == "done"
    assert detector.pictures == [b"e0", b"e1", b"e1"]
