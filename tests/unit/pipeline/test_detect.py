"""The detect stage: a picture without a detection beats no picture."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.detectors import DetectorRejected, DetectorUnavailable, PaidSettings
from app.detectors.in_service import InService
from app.detectors.paid import Paid
from app.detectors.tiers import Tiers, TiersSettings
from app.journal import Journal
from app.messages import Detection, Inspection, Label, Look, Snapshot
from app.pipeline.decide import Decide
from app.pipeline.detect import Detect
from app.rules.evaluate import Outlets
from app.rules.model import Rule, RuleBook
from app.storage.cache import Cache, CacheUnavailable
from app.storage.event_media import EventMedia
from pylib.sqlite import DatabaseUnavailable
from tests.fakes.bursts import taken, walker
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


def in_service(detector: FakeDetector, counted: list[tuple[str, str]] | None = None) -> InService:
    return InService(detector, count=lambda *pair: counted.append(pair) if counted is not None else None)


def look(stage: Detect, snapshot: Snapshot) -> Inspection:
    (inspection,) = stage.handle(snapshot)
    return inspection


def test_what_is_seen_is_recorded_with_a_delivery_for_each_target(journal: Journal, tmp_path: Path) -> None:
    detector = FakeDetector()
    inspection = look(
        Detect(in_service(detector), journal=journal, decide=tells_all(["a", "b"])), a_snapshot(journal, tmp_path)
    )
    assert detector.pictures == [b"picture"]
    assert (inspection.detector, inspection.detection, inspection.decision) == ("fake", PERSON, "person")
    assert inspection.targets == ("a", "b")
    assert journal.find("s1") == replace(inspection, decisions=())
    assert journal.backlog("a").count == journal.backlog("b").count == 1


def test_nobody_in_the_picture_is_clear(journal: Journal, tmp_path: Path) -> None:
    stage = Detect(in_service(FakeDetector(Detection())), journal=journal, decide=tells_all([]))
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
    stage = Detect(in_service(FakeDetector(failure), counted), journal=journal, decide=tells_all(["a"]))
    inspection = look(stage, a_snapshot(journal, tmp_path))
    assert (inspection.problem, inspection.detector, inspection.decision) == (problem, "", "unknown")
    assert journal.backlog("a").count == 1
    assert counted == [("fake", problem)]


def test_a_snapshot_without_a_picture_is_passed_on_with_its_problem(journal: Journal, tmp_path: Path) -> None:
    detector = FakeDetector()
    snapshot = a_snapshot(journal, tmp_path, problem="timeout: no answer")
    inspection = look(Detect(in_service(detector), journal=journal, decide=tells_all(["a"])), snapshot)
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
    stage = Detect(in_service(detector), journal=journal, decide=tells_all([]))
    problems = [look(stage, a_snapshot(journal, tmp_path, f"s{n}")).problem.partition(":")[0] for n in range(5)]
    assert problems == ["timeout", "timeout", "timeout", "detector_away", "detector_away"]
    assert len(detector.pictures) == 3


def test_a_detector_that_fails_now_and_then_is_not_left_alone(journal: Journal, tmp_path: Path) -> None:
    away = DetectorUnavailable("timeout", "no answer")
    answers: list[Detection | Exception] = [away, away, PERSON]
    stage = Detect(in_service(FakeDetector(*answers * 4)), journal=journal, decide=tells_all([]))
    problems = [look(stage, a_snapshot(journal, tmp_path, f"s{n}")).problem.partition(":")[0] for n in range(12)]
    assert problems == ["timeout", "timeout", ""] * 4


@pytest.mark.parametrize("failure", [DetectorRejected("bad_picture", "no"), ZeroDivisionError()])
def test_a_picture_that_is_refused_is_no_outage(journal: Journal, tmp_path: Path, failure: Exception) -> None:
    detector = FakeDetector(failure)
    stage = Detect(in_service(detector), journal=journal, decide=tells_all([]))
    for number in range(5):
        look(stage, a_snapshot(journal, tmp_path, f"s{number}"))
    assert len(detector.pictures) == 5


def test_one_that_a_later_stage_decides_about_is_held_and_nobody_is_owed_it(journal: Journal, tmp_path: Path) -> None:
    counted: list[tuple[str, str]] = []
    stage = Detect(
        in_service(FakeDetector(), counted),
        journal=journal,
        decide=tells_all(["a"]),
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
    assert look(Detect(in_service(FakeDetector()), journal=journal, decide=tells_all([])), snapshot).problem.startswith(
        "picture_gone"
    )


def test_a_picture_is_paid_for_once_although_the_disk_is_full(journal: Journal, tmp_path: Path) -> None:
    detector = FakeDetector()
    stage = Detect(in_service(detector), journal=journal, decide=tells_all(["a"]))
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
    stage = Detect(in_service(FakeDetector()), journal=journal, decide=tells_all([]))
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
    stage, snapshot = Detect(in_service(detector), journal=journal, decide=decide), a_snapshot(journal, tmp_path)
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable):
            list(stage.handle(snapshot))
    (seen,) = stage.handle(snapshot)
    assert seen.decisions[0].tell
    assert len(detector.pictures) == 1


EPOCH = datetime.fromtimestamp(0, UTC)


class Bursts:
    """Bursts that a detector with these answers looks at."""

    def __init__(self, journal: Journal, cache: Cache, *answers: Detection | Exception) -> None:
        self.journal, self.cache = journal, cache
        self.media = EventMedia(cache.root.parent / "media")
        self.detector = FakeDetector(*answers)
        self.stage = Detect(in_service(self.detector), journal=journal, decide=tells_all(["a"]))

    def seen(self, *frames: bytes, kind: Look = "all") -> Inspection:
        inspection = look(self.stage, taken(self.journal, self.cache, self.media, *frames, look=kind))
        assert self.journal.find(inspection.id) == replace(inspection, decisions=())
        return inspection

    def shown(self, inspection: Inspection) -> bytes:
        """The event's picture."""
        snapshot = inspection.snapshot
        picture = Path(snapshot.path).read_bytes()
        assert (Path(snapshot.path).is_relative_to(self.cache.root), snapshot.size) == (True, len(picture))
        return picture


TWO = Detection((Label("Person", 0.6),), 2)
DOG = Detection((Label("Dog", 0.99),), 0)


def test_the_best_frame_is_the_event_s_picture_and_the_event_says_why(journal: Journal, cache: Cache) -> None:
    bursts = Bursts(journal, cache, DOG, PERSON, TWO, Detection())
    inspection = bursts.seen(*(walker(step) for step in range(4)))
    assert (inspection.best, inspection.detection, inspection.looks) == ("best of 4: 2 persons", TWO, 4)
    assert bursts.shown(inspection) == walker(2)
    assert [Path(one.path).read_bytes() for one in journal.media_of(inspection.id)] == [walker(n) for n in range(4)]
    assert journal.detections_since("fake", EPOCH) == 4


def test_with_nothing_in_any_frame_the_sharpest_is_shown(journal: Journal, cache: Cache) -> None:
    bursts = Bursts(journal, cache, Detection())
    inspection = bursts.seen(walker(1, blur=4), walker(2), walker(3, blur=8))
    assert (inspection.best, bursts.shown(inspection)) == ("sharpest of 3", walker(2))


def test_the_sharpest_frame_alone_is_looked_at_where_that_is_wanted(journal: Journal, cache: Cache) -> None:
    bursts = Bursts(journal, cache, PERSON)
    inspection = bursts.seen(walker(1, blur=4), walker(2), kind="sharpest")
    assert (inspection.best, bursts.detector.pictures) == ("sharpest of 2", [walker(2)])
    assert (bursts.shown(inspection), journal.detections_since("fake", EPOCH)) == (walker(2), 1)


def test_frames_are_looked_at_until_there_is_a_person_where_that_is_wanted(journal: Journal, cache: Cache) -> None:
    bursts = Bursts(journal, cache, DOG, PERSON, TWO)
    inspection = bursts.seen(*(walker(step) for step in range(4)), kind="person")
    assert (inspection.best, len(bursts.detector.pictures)) == ("best of 4: 1 person", 2)
    assert bursts.shown(inspection) == walker(1)


def test_a_frame_that_the_detector_failed_on_is_shown_only_where_all_are(journal: Journal, cache: Cache) -> None:
    bursts = Bursts(journal, cache, DetectorRejected("bad_picture", "no"), Detection(), Detection())
    inspection = bursts.seen(walker(1), walker(2, blur=4), walker(3, blur=8))
    assert (inspection.problem, bursts.shown(inspection)) == ("", walker(2, blur=4))
    assert journal.detections_since("fake", EPOCH) == 2


def test_a_burst_of_one_picture_says_that_the_others_were_alike(journal: Journal, cache: Cache) -> None:
    bursts = Bursts(journal, cache)
    snapshot = replace(taken(journal, cache, bursts.media, walker(1)), alike=4)
    assert look(bursts.stage, snapshot).best == "4 more were alike"


def test_a_full_cache_costs_no_second_look(journal: Journal, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    bursts = Bursts(journal, cache, Detection(), PERSON)
    snapshot = taken(journal, cache, bursts.media, walker(1), walker(2))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("app.storage.cache.durable.write", full)
        with pytest.raises(CacheUnavailable):
            look(bursts.stage, snapshot)
    assert bursts.shown(look(bursts.stage, snapshot)) == walker(2)
    assert len(bursts.detector.pictures) == 2


def paid(detector: FakeDetector, journal: Journal) -> Paid:
    detector.cost_usd = 0.001
    return Paid(InService(detector), PaidSettings(kind="fake"), answers=journal)


def test_an_event_says_what_looking_at_it_cost(journal: Journal, tmp_path: Path) -> None:
    stage = Detect(paid(FakeDetector(), journal), journal=journal, decide=tells_all([]))
    assert look(stage, a_snapshot(journal, tmp_path)).cost_usd == 0.001
    again = look(stage, a_snapshot(journal, tmp_path, "s2"))  # the same picture
    assert (again.detection, again.cost_usd) == (PERSON, 0.0)
    found = journal.find("s1")
    assert isinstance(found, Inspection)
    assert found.cost_usd == 0.001


def test_an_answer_that_cannot_be_kept_yet_is_no_problem_of_the_event(journal: Journal, tmp_path: Path) -> None:
    detector, snapshot = FakeDetector(), a_snapshot(journal, tmp_path)
    stage = Detect(paid(detector, journal), journal=journal, decide=tells_all([]))
    with full_disk(journal), pytest.raises(DatabaseUnavailable):
        look(stage, snapshot)
    inspection = look(stage, snapshot)
    assert (inspection.problem, inspection.cost_usd, len(detector.pictures)) == ("", 0.001, 1)


def test_the_rules_say_which_detectors_look_at_a_camera(journal: Journal, tmp_path: Path) -> None:
    local, dear = FakeDetector(Detection(), name="local"), FakeDetector(name="dear")
    tiers = Tiers(TiersSettings(), first=InService(local), second=InService(dear))
    stage = Detect(
        tiers, journal=journal, decide=tells_all([]), tier_of=lambda camera: "both" if camera == "Yard Camera" else None
    )
    inspection = look(stage, a_snapshot(journal, tmp_path))
    assert (inspection.detector, inspection.decision) == ("dear", "person")


def test_who_decided_instead_is_noted_and_no_problem(journal: Journal, tmp_path: Path) -> None:
    local, dear = FakeDetector(name="local"), FakeDetector(DetectorUnavailable("throttled", "not now"), name="dear")
    tiers = Tiers(TiersSettings(), first=InService(local), second=InService(dear))
    inspection = look(Detect(tiers, journal=journal, decide=tells_all([])), a_snapshot(journal, tmp_path))
    assert (inspection.detector, inspection.problem, inspection.detector_note) == ("local", "", "dear: not now")
    assert journal.find("s1") == replace(inspection, decisions=())
