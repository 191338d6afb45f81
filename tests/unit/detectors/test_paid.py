"""Money: within the month and the rate, and never twice for the same picture."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import pytest
from structlog.testing import capture_logs

from app.detectors import DetectorRejected, DetectorUnavailable, PaidSettings, Question, Sight
from app.detectors.in_service import InService
from app.detectors.paid import Answers, NothingKept, Paid, calls_in
from app.journal import Journal
from app.messages import Detection
from pylib.sqlite import DatabaseUnavailable
from tests.fakes.detectors import PERSON, FakeDetector
from tests.fakes.journal import full_disk, opened

YARD = Question("Yard Camera")
TIMEOUT = DetectorUnavailable("timeout", "no answer")
REFUSED = DetectorRejected("invalid_image", "no picture")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with opened(tmp_path / "journal.db") as journal:
        yield journal


def paid(detector: FakeDetector, answers: Answers, *, before: int = 0, **limits: float) -> Paid:
    detector.cost_usd = 0.001
    settings = PaidSettings.model_validate({"kind": "fake", **limits})
    return Paid(InService(detector), settings, answers=answers, calls_this_month=lambda: before)


class Slow(FakeDetector):
    """Takes as long as it takes a second one to ask, or a while where none may."""

    def __init__(self) -> None:
        super().__init__()
        self._both = Barrier(2)

    def detect(self, picture: bytes) -> Detection:
        with suppress(BrokenBarrierError):
            self._both.wait(0.2)
        return super().detect(picture)


def test_the_same_picture_is_paid_for_once(journal: Journal) -> None:
    detector = FakeDetector()
    looking = paid(detector, journal)
    assert looking.look(b"picture", YARD) == Sight("fake", PERSON, 0.001)
    assert looking.look(b"picture", YARD) == Sight("fake", PERSON, 0.0)
    assert looking.look(b"another", Question("Door Camera")).cost_usd == 0.001
    assert detector.pictures == [b"picture", b"another"]


def test_it_is_paid_for_once_over_restarts_and_although_nothing_was_seen(tmp_path: Path) -> None:
    detector = FakeDetector(Detection())
    for _ in range(2):
        with opened(tmp_path / "journal.db") as journal:
            assert paid(detector, journal).look(b"picture", YARD).detection == Detection()
    assert detector.pictures == [b"picture"]


def test_it_is_paid_for_once_although_two_ask_at_once(journal: Journal) -> None:
    detector = Slow()
    looking = paid(detector, journal)
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda _: looking.look(b"picture", YARD), range(16)))
    assert detector.pictures == [b"picture"]
    assert sorted(one.cost_usd for one in seen) == [0.0] * 15 + [0.001]


def test_another_question_about_the_same_picture_is_asked(journal: Journal) -> None:
    detector = FakeDetector()
    for least in (0.5, 0.3):
        paid(detector, journal, minimum_confidence=least).look(b"picture", YARD)
    assert len(detector.pictures) == 2


def test_an_answer_waits_for_room_on_the_disk_and_is_not_paid_for_again(journal: Journal) -> None:
    detector = FakeDetector()
    looking = paid(detector, journal)
    with full_disk(journal), pytest.raises(DatabaseUnavailable):
        looking.look(b"picture", YARD)
    assert looking.look(b"picture", YARD) == Sight("fake", PERSON, 0.001)
    assert looking.look(b"picture", YARD) == Sight("fake", PERSON, 0.0)
    assert len(detector.pictures) == 1


def test_a_call_that_timed_out_while_the_disk_is_full_is_counted_before_the_next_one(journal: Journal) -> None:
    detector = FakeDetector(TIMEOUT, PERSON)
    looking = paid(detector, journal)
    for _ in range(3):
        with full_disk(journal), pytest.raises(DatabaseUnavailable):
            looking.look(b"picture", YARD)
    assert len(detector.pictures) == 1
    assert looking.look(b"picture", YARD) == Sight("fake", PERSON, 0.002)
    assert [one.calls for one in journal.spent_since(datetime(2020, 1, 1, tzinfo=UTC))] == [2]


def test_what_was_paid_is_known_by_camera(journal: Journal) -> None:
    looking = paid(FakeDetector(), journal)
    for number, camera in enumerate(("Yard Camera", "Door Camera", "Yard Camera")):
        looking.look(b"%d" % number, Question(camera))
    spent = journal.spent_since(datetime(2020, 1, 1, tzinfo=UTC))
    assert [(one.camera, one.detector, one.calls) for one in spent] == [
        ("Yard Camera", "fake", 2),
        ("Door Camera", "fake", 1),
    ]
    assert sum(one.cost_usd for one in spent) == pytest.approx(0.003)


def test_a_call_that_timed_out_is_made_once_more_and_counted_twice(journal: Journal) -> None:
    detector = FakeDetector(TIMEOUT, PERSON)
    looking = paid(detector, journal, monthly_cap=2)
    assert looking.look(b"picture", YARD) == Sight("fake", PERSON, 0.002)
    with pytest.raises(DetectorRejected, match="All 2 calls"):
        looking.look(b"another", YARD)
    assert [one.calls for one in journal.spent_since(datetime(2020, 1, 1, tzinfo=UTC))] == [2]


def test_a_detector_that_stays_silent_is_asked_twice(journal: Journal) -> None:
    detector = FakeDetector(TIMEOUT)
    with pytest.raises(DetectorUnavailable, match="no answer"):
        paid(detector, journal).look(b"picture", YARD)
    assert len(detector.pictures) == 2
    assert [one.calls for one in journal.spent_since(datetime(2020, 1, 1, tzinfo=UTC))] == [2]


def test_a_call_that_failed_costs_nothing(journal: Journal) -> None:
    looking = paid(FakeDetector(REFUSED, PERSON), journal, monthly_cap=1)
    with pytest.raises(DetectorRejected, match="no picture"):
        looking.look(b"html", YARD)
    assert looking.look(b"picture", YARD).detection == PERSON
    assert [one.calls for one in journal.spent_since(datetime(2020, 1, 1, tzinfo=UTC))] == [1]


def test_what_the_month_had_before_counts() -> None:
    looking = paid(FakeDetector(), NothingKept(), before=9, monthly_cap=10)
    looking.look(b"1", YARD)
    with pytest.raises(DetectorRejected, match="All 10 calls"):
        looking.look(b"2", YARD)


@pytest.mark.parametrize(
    ("limits", "calls"),
    [
        ({}, 0),
        ({"monthly_cap": 7}, 7),
        ({"monthly_budget_usd": 0.003}, 3),
        ({"monthly_cap": 7, "monthly_budget_usd": 0.003}, 3),
        ({"monthly_cap": 2, "monthly_budget_usd": 5}, 2),
    ],
)
def test_a_budget_is_a_number_of_calls(limits: dict[str, float], calls: int) -> None:
    settings = PaidSettings.model_validate({"kind": "fake", **limits})
    assert calls_in(settings, 0.001) == calls


def test_a_budget_that_pays_for_no_call_makes_no_sense() -> None:
    with pytest.raises(DetectorRejected, match="pays for no call"):
        paid(FakeDetector(), NothingKept(), monthly_budget_usd=0.0005)


def test_at_four_fifths_of_the_month_the_log_says_so_once() -> None:
    looking = paid(FakeDetector(), NothingKept(), before=6, monthly_cap=10)
    with capture_logs() as logs:
        for number in range(4):
            looking.look(b"%d" % number, YARD)
    (warning,) = logs
    assert (warning["log_level"], warning["used"], warning["cap"]) == ("warning", 8, 10)
    with capture_logs() as logs:
        paid(FakeDetector(), NothingKept(), before=9, monthly_cap=10).look(b"1", YARD)
    assert logs == []


def test_what_is_asked_too_often_is_put_off_without_a_call_and_without_its_cost() -> None:
    detector = FakeDetector()
    looking = paid(detector, NothingKept(), rate=0.01, monthly_cap=2)
    looking.look(b"1", YARD)
    with pytest.raises(DetectorUnavailable, match="`rate`"):
        looking.look(b"2", YARD)
    with pytest.raises(DetectorUnavailable, match="`rate`"):  # and not the cap: that one was given back
        looking.look(b"3", YARD)
    assert detector.pictures == [b"1"]


def test_what_the_detector_holds_is_released_with_it(journal: Journal) -> None:
    detector = FakeDetector()
    paid(detector, journal).close()
    assert detector.closed
