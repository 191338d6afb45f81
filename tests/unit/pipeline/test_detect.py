"""The detect stage: a picture without a detection beats no picture."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.detectors import DetectorRejected, DetectorUnavailable
from app.journal import Journal
from app.messages import Detection, Inspection, Snapshot
from app.pipeline.decide import Decide
from app.pipeline.detect import Detect
from app.rules.evaluate import Outlets
from app.rules.model import Rule, RuleBook
from pylib.sqlite import DatabaseUnavailable
from tests.fakes.clock import Clock
from tests.fakes.decisions import NeverTold, Switches, tells_all
from tests.fakes.detectors import PERSON, FakeDetector
from tests.fakes.journal import full_disk

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def a_snapshot(journal: Journal, folder: Path, event_id: str = "s1", problem: str = "") -> Snapshot:
    path = folder / f"{event_id}.jpg"
    path.write_bytes(b"picture")
    snapshot = Snapshot(
        event_id, "Yard Camera", "Yard", NOW, NOW, 0.1, "http", "" if problem else str(path), problem=problem
    )
    journal.record(snapshot)
    return snapshot


def look(stage: Detect, snapshot: Snapshot) -> Inspection:
    (inspection,) = stage.handle(snapshot)
    return inspection


def test_what_is_seen_is_recorded_with_a_delivery_for_each_target(journal: Journal, tmp_path: Path) -> None:
    detector = FakeDetector()
    inspection = look(Detect(detector, journal=journal, decide=tells_all(["a", "b"])), a_snapshot(journal, tmp_path))
    assert detector.pictures == [b"picture"]
    assert (inspection.detector, inspection.detection, inspection.decision) == ("fake", PERSON, "person")
    assert inspection.targets == ("a", "b")
    assert journal.find("s1") == replace(inspection, decisions=())
    assert journal.backlog("a").count == journal.backlog("b").count == 1


def test_nobody_in_the_picture_is_clear(journal: Journal, tmp_path: Path) -> None:
    stage = Detect(FakeDetector(Detection()), journal=journal, decide=tells_all([]))
    assert look(stage, a_snapshot(journal, tmp_path)).decision == "clear"


@pytest.mark.parametrize(
    ("failure", "problem"),
    [
        (DetectorUnavailable("throttled", "asked too often"), "throttled: asked too often"),
        (DetectorRejected("access_denied", "not allowed"), "access_denied: not allowed"),
        (ZeroDivisionError("x"), "internal_error: the detector failed with ZeroDivisionError"),
    ],
)
def test_a_failing_detector_becomes_the_problem_and_the_event_goes_on(
    journal: Journal, tmp_path: Path, failure: Exception, problem: str
) -> None:
    counted: list[tuple[str, str]] = []
    stage = Detect(
        FakeDetector(failure), journal=journal, decide=tells_all(["a"]), count=lambda *pair: counted.append(pair)
    )
    inspection = look(stage, a_snapshot(journal, tmp_path))
    assert (inspection.problem, inspection.detector, inspection.decision) == (problem, "", "unknown")
    assert journal.backlog("a").count == 1
    assert counted == [("fake", problem.partition(":")[0])]


def test_a_snapshot_without_a_picture_is_passed_on_with_its_problem(journal: Journal, tmp_path: Path) -> None:
    detector = FakeDetector()
    snapshot = a_snapshot(journal, tmp_path, problem="timeout: no answer")
    inspection = look(Detect(detector, journal=journal, decide=tells_all(["a"])), snapshot)
    assert (inspection.problem, inspection.decision, detector.pictures) == (
        "timeout: no answer",
        "unknown",
        [],
    )


def test_without_a_detector_nothing_is_a_problem(journal: Journal, tmp_path: Path) -> None:
    inspection = look(Detect(None, journal=journal, decide=tells_all([])), a_snapshot(journal, tmp_path))
    assert (inspection.problem, inspection.decision) == ("", "unknown")


def test_a_detector_that_is_away_is_left_alone_for_a_while(journal: Journal, tmp_path: Path) -> None:
    detector = FakeDetector(DetectorUnavailable("timeout", "no answer"))
    stage = Detect(detector, journal=journal, decide=tells_all([]))
    problems = [look(stage, a_snapshot(journal, tmp_path, f"s{n}")).problem.partition(":")[0] for n in range(5)]
    assert problems == ["timeout", "timeout", "timeout", "detector_away", "detector_away"]
    assert len(detector.pictures) == 3


def test_a_detector_that_fails_now_and_then_is_not_left_alone(journal: Journal, tmp_path: Path) -> None:
    away = DetectorUnavailable("timeout", "no answer")
    answers: list[Detection | Exception] = [away, away, PERSON]
    stage = Detect(FakeDetector(*answers * 4), journal=journal, decide=tells_all([]))
    problems = [look(stage, a_snapshot(journal, tmp_path, f"s{n}")).problem.partition(":")[0] for n in range(12)]
    assert problems == ["timeout", "timeout", ""] * 4


@pytest.mark.parametrize("failure", [DetectorRejected("bad_picture", "no"), ZeroDivisionError()])
def test_a_picture_that_is_refused_is_no_outage(journal: Journal, tmp_path: Path, failure: Exception) -> None:
    detector = FakeDetector(failure)
    stage = Detect(detector, journal=journal, decide=tells_all([]))
    for number in range(5):
        look(stage, a_snapshot(journal, tmp_path, f"s{number}"))
    assert len(detector.pictures) == 5


def test_one_that_a_later_stage_decides_about_is_held_and_nobody_is_owed_it(journal: Journal, tmp_path: Path) -> None:
    counted: list[tuple[str, str]] = []
    stage = Detect(
        FakeDetector(),
        journal=journal,
        decide=tells_all(["a"]),
        count=lambda *pair: counted.append(pair),
        holds=lambda snapshot: snapshot.id == "held",
    )
    held = look(stage, a_snapshot(journal, tmp_path, "held"))
    assert journal.groups_due(0) == [replace(held, decisions=())]
    assert journal.backlog("a").count == 0
    look(stage, a_snapshot(journal, tmp_path, "free"))
    assert journal.backlog("a").count == 1
    assert counted == [("fake", "ok")] * 2
    stage.close()


def test_a_picture_that_is_gone_is_a_problem_of_that_event_only(journal: Journal, tmp_path: Path) -> None:
    snapshot = a_snapshot(journal, tmp_path)
    Path(snapshot.path).unlink()
    assert look(Detect(FakeDetector(), journal=journal, decide=tells_all([])), snapshot).problem.startswith(
        "picture_gone"
    )


def test_a_picture_is_paid_for_once_although_the_disk_is_full(journal: Journal, tmp_path: Path) -> None:
    detector = FakeDetector()
    stage = Detect(detector, journal=journal, decide=tells_all(["a"]))
    snapshot = a_snapshot(journal, tmp_path)
    with full_disk(journal):
        for _ in range(3):
            with pytest.raises(DatabaseUnavailable):
                stage.handle(snapshot)
    assert look(stage, snapshot).detection == PERSON
    assert len(detector.pictures) == 1
    assert journal.backlog("a").count == 1


def test_what_nobody_looked_at_before_a_restart_is_owed_at_once(journal: Journal, clock: Clock, tmp_path: Path) -> None:
    snapshot = a_snapshot(journal, tmp_path)
    clock.now += 1
    stage = Detect(FakeDetector(), journal=journal, decide=tells_all([]))
    assert list(stage.pending()) == [snapshot]
    assert list(stage.pending()) == []  # fresh ones are left to the message that announces them
    look(stage, snapshot)
    assert list(stage.pending()) == []


def test_a_picture_is_paid_for_and_counted_once_whatever_fails_later(journal: Journal, tmp_path: Path) -> None:
    class AwayAtFirst(NeverTold):
        asked = 0

        def told_at(self, rule: str, outlet: str, camera: str) -> float | None:
            self.asked += 1
            if self.asked < 3:
                raise DatabaseUnavailable("database_unavailable", "busy")
            return None

    detector = FakeDetector()
    book = RuleBook(rules=(Rule(name="all", cooldown=60),))
    outlets = Outlets(("phone",), frozenset({"phone"}))
    decide = Decide(outlets, book=lambda: book, switches=Switches(), told=AwayAtFirst())
    stage, snapshot = Detect(detector, journal=journal, decide=decide), a_snapshot(journal, tmp_path)
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable):
            list(stage.handle(snapshot))
    (seen,) = stage.handle(snapshot)
    assert seen.decisions[0].tell
    assert len(detector.pictures) == 1
