"""What stands still, and what only comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.messages import Box, Detection, Inspection, Label, Snapshot
from app.rules.model import Still
from app.rules.still import StillThings

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
CAR, AWAY = Box(0.2, 0.4, 0.3, 0.2), Box(0.6, 0.4, 0.3, 0.2)


def seen(minutes: float, *boxes: Box, label: str = "Car", detector: str = "hog") -> Inspection:
    at = NOON + timedelta(minutes=minutes)
    snapshot = Snapshot("e1", "Yard Camera", "Yard", at, at, 0.0, "http", path="/cache/1.jpg")
    return Inspection(snapshot, detector, Detection((Label(label, 0.9, boxes),) if boxes else ()))


def flags(things: StillThings, inspection: Inspection) -> list[bool]:
    return [box.still for label in things.marked(inspection).detection.labels for box in label.boxes]


def moved(box: Box, by: float) -> Box:
    return Box(box.left + by, box.top, box.width, box.height)


def test_what_is_seen_in_one_place_for_a_while_stands_still_until_it_moves() -> None:
    things = StillThings(Still(after=600))
    assert [flags(things, seen(minute, moved(CAR, 0.001 * minute))) for minute in (0, 5, 9)] == [[False]] * 3
    assert flags(things, seen(11, CAR)) == [True]
    assert flags(things, seen(12, CAR, AWAY)) == [True, False]  # another one comes
    assert flags(things, seen(13, AWAY)) == [False]
    assert flags(things, seen(14, moved(CAR, 0.2))) == [False]  # it moved


def test_who_comes_twice_to_the_same_place_does_not_stand_there() -> None:
    things = StillThings(Still(after=600))
    assert flags(things, seen(0, CAR, label="Person")) == [False]
    assert flags(things, seen(60, CAR, label="Person")) == [False]


def test_another_label_in_the_same_place_is_another_thing() -> None:
    things = StillThings(Still(after=60))
    for minute in range(5):
        flags(things, seen(minute, CAR, label="Truck"))
    assert flags(things, seen(6, CAR)) == [False]


def test_a_detector_may_miss_it_in_two_pictures_and_not_in_three() -> None:
    things = StillThings(Still(after=60))
    for minute in range(3):
        flags(things, seen(minute, CAR))
    for minute in (3, 4):
        flags(things, seen(minute))
    assert flags(things, seen(5, CAR)) == [True]
    for minute in (6, 7, 8):
        flags(things, seen(minute))
    assert flags(things, seen(9, CAR)) == [False]


def test_a_picture_at_which_nobody_looked_says_nothing() -> None:
    things = StillThings(Still(after=60))
    for minute in range(3):
        flags(things, seen(minute, CAR))
    for minute in range(3, 9):
        flags(things, seen(minute, detector=""))
    assert flags(things, seen(9, CAR)) == [True]


def test_it_can_be_switched_off_and_earlier_pictures_count() -> None:
    earlier = [seen(minute, CAR) for minute in (0, 5, 9)]
    assert flags(StillThings(Still(after=600), earlier), seen(11, CAR)) == [True]
    assert flags(StillThings(Still(after=0), earlier), seen(11, CAR)) == [False]
