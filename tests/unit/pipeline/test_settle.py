"""The settle stage: a burst of pushed pictures is one event, with the best of them."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter

from app.detectors.in_service import InService
from app.journal import Journal
from app.messages import Detection, Inspection, Label, Snapshot
from app.pipeline.detect import Detect
from app.pipeline.settle import Settle
from tests.fakes.clock import Clock
from tests.fakes.decisions import tells_all
from tests.fakes.detectors import PERSON, FakeDetector

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SECONDS = 10.0


class Stand:
    """A settle stage that holds what comes over FTP."""

    def __init__(self, folder: Path, journal: Journal, clock: Clock) -> None:
        self.folder = folder
        self.journal = journal
        self.clock = clock
        self.stage = self.restarted()

    def restarted(self) -> Settle:
        return Settle(
            SECONDS,
            journal=self.journal,
            decide=tells_all(["rabbitmq", "s3"]),
            archives=["s3"],
            holds=lambda s: s.origin == "ftp",
        )

    def push(
        self,
        event_id: str,
        *,
        camera: str = "Yard Camera",
        persons: int = 0,
        confidence: float = 0.9,
        blur: int = 0,
        others: tuple[Label, ...] = (),
    ) -> Inspection:
        path = self.folder / f"{event_id}.jpg"
        path.write_bytes(scene(blur))
        snapshot = Snapshot(event_id, camera, "Yard", NOW, NOW, 0.0, "ftp", str(path))
        labels = (Label("Person", confidence),) if persons else others
        inspection = Inspection(snapshot, "fake", Detection(labels, persons))
        self.journal.record(snapshot)
        self.journal.hold(inspection)
        return inspection

    def settled(self) -> list[str]:
        return [event.id for due in self.stage.pending() for event in self.stage.handle(due)]


def scene(blur: int) -> bytes:
    picture = Image.new("RGB", (320, 240), "white")
    draw = ImageDraw.Draw(picture)
    for x in range(0, 320, 20):
        draw.line((x, 0, 320 - x, 240), fill="black", width=2)
    out = io.BytesIO()
    picture.filter(ImageFilter.GaussianBlur(blur)).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def stand(tmp_path: Path, journal: Journal, clock: Clock) -> Stand:
    return Stand(tmp_path, journal, clock)


def test_what_is_not_pushed_passes_at_once(stand: Stand) -> None:
    inspection = Inspection(Snapshot("s1", "Yard Camera", "Yard", NOW, NOW, 0.1, "rabbitmq"))
    assert list(stand.stage.handle(inspection)) == [inspection]


def test_a_burst_becomes_one_event_when_its_time_is_over(stand: Stand) -> None:
    for number in range(3):
        assert list(stand.stage.handle(stand.push(str(number)))) == []
        stand.clock.now += 2
    assert stand.settled() == []
    assert stand.journal.backlog("rabbitmq").count == 0
    stand.clock.now += SECONDS
    assert len(stand.settled()) == 1
    assert stand.journal.backlog("rabbitmq").count == 1
    assert stand.settled() == []


def test_the_picture_with_most_and_surest_persons_is_the_event_and_the_others_are_linked(stand: Stand) -> None:
    stand.push("nobody")
    stand.push("one", persons=1, confidence=0.99)
    stand.push("two unsure", persons=2, confidence=0.6)
    stand.push("two", persons=2, confidence=0.8, blur=5)
    stand.clock.now += SECONDS
    assert stand.settled() == ["two"]
    assert (stand.journal.backlog("rabbitmq").count, stand.journal.backlog("s3").count) == (1, 4)
    assert sorted(stand.journal.related("two")) == ["nobody", "one", "two unsure"]
    assert stand.journal.related("one") == ["two"]
    assert stand.journal.find("one") is not None


def test_among_pictures_without_persons_the_sharpest_is_the_event(stand: Stand) -> None:
    stand.push("blurred", blur=6)
    stand.push("sharp")
    stand.push("soft", blur=2)
    Path(stand.push("gone").snapshot.path).unlink()
    stand.clock.now += SECONDS
    assert stand.settled() == ["sharp"]


@pytest.mark.parametrize("damage", [b"", b"no picture", None])
def test_a_picture_that_cannot_be_read_stops_no_group(stand: Stand, damage: bytes | None) -> None:
    path = Path(stand.push("damaged").snapshot.path)
    stand.push("blurred", blur=6)
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)
    stand.clock.now += SECONDS
    assert stand.settled() == ["blurred"]


def test_a_failure_is_the_event_only_where_there_is_no_picture(stand: Stand) -> None:
    failed = Snapshot("failed", "Yard Camera", "Yard", NOW, NOW, 0.0, "ftp", problem="timeout: no answer")
    stand.journal.record(failed)
    stand.journal.hold(Inspection(failed))
    stand.push("blurred", blur=6)
    stand.clock.now += SECONDS
    assert stand.settled() == ["blurred"]


def test_cameras_settle_each_for_itself_and_later_pictures_begin_a_new_group(stand: Stand) -> None:
    stand.push("a1", camera="A Camera")
    stand.push("b1", camera="B Camera")
    stand.clock.now += SECONDS + 1
    stand.push("a2", camera="A Camera")
    assert sorted(stand.settled()) == ["a1", "b1"]
    assert stand.settled() == []
    stand.clock.now += SECONDS
    assert stand.settled() == ["a2"]


def test_a_restart_changes_nothing(stand: Stand) -> None:
    stand.push("first")
    stand.push("second", persons=1)
    stand.stage = stand.restarted()
    stand.clock.now += SECONDS
    assert stand.settled() == ["second"]


def test_a_picture_with_something_in_it_is_better_than_a_sharp_one_of_nothing(stand: Stand, clock: Clock) -> None:
    stand.push("dog", blur=4, others=(Label("Dog", 0.9),))
    stand.push("nothing")
    clock.now += SECONDS
    assert stand.settled() == ["dog"]


def test_a_clock_that_was_set_back_holds_no_group_for_ever(stand: Stand, clock: Clock) -> None:
    clock.now += 31_536_000
    stand.push("ahead")
    clock.now -= 31_536_000
    assert stand.settled() == ["ahead"]


def test_without_groups_any_more_what_is_held_is_looked_at_anew(stand: Stand, journal: Journal, clock: Clock) -> None:
    held = stand.push("held", persons=1)
    journal.release_held()
    clock.now += SECONDS
    stage = Detect(InService(FakeDetector()), journal=journal, decide=tells_all(["s3"]))
    assert list(stage.pending()) == [held.snapshot]
    (seen,) = stage.handle(held.snapshot)
    assert seen.detection == PERSON
    assert [one.id for one in journal.last_inspections("Yard Camera", limit=9)] == ["held"]
    assert journal.backlog("s3").count == 1
