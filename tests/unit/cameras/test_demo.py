"""The drawn camera shows people that a people detector really finds, and nobody when there is nobody."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageStat

from app.cameras.address import Networks
from app.cameras.demo import CYCLE, Demo
from app.media.picture import examine
from tests.fakes.clock import Clock

NOON = datetime(2026, 6, 15, 12, 0, tzinfo=UTC).timestamp()
MIDNIGHT = datetime(2026, 6, 15, 0, 0, tzinfo=UTC).timestamp()
LOCATIONS = ("Front Door", "Garden", "Driveway")


@pytest.fixture(autouse=True)
def _greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The light follows the local time."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def demo(location: str, clock: Clock, **settings: Any) -> Demo:
    return Demo(Demo.Settings(location=location, **settings), networks=Networks(), clock=clock)


def decoded(camera: Demo) -> Image.Image:
    return Image.open(io.BytesIO(camera.snapshot().data)).convert("RGB")


@pytest.fixture(scope="module")
def detector() -> Any:
    """OpenCV's people detector as it comes."""
    import cv2

    cv2.setNumThreads(1)
    hog = cv2.HOGDescriptor()
    hog.setSVMDetector(np.asarray(cv2.HOGDescriptor.getDefaultPeopleDetector()))
    return hog


def weights(detector: Any, picture: Image.Image) -> list[float]:
    """How sure the detector is of each person it finds at 640 pixels width."""
    small = np.asarray(picture.resize((640, 360), Image.Resampling.BILINEAR))[:, :, ::-1]
    _, found = detector.detectMultiScale(np.ascontiguousarray(small), winStride=(8, 8), scale=1.05)
    return sorted((float(weight) for weight in np.ravel(found)), reverse=True)


@pytest.mark.parametrize("location", LOCATIONS)
def test_people_are_found_and_nobody_where_there_is_nobody(detector: Any, location: str) -> None:
    clock = Clock()
    camera = demo(location, clock)
    walking, empty = [], []
    for instant in (0, 2, 4, 1, 3):  # within a quarter of an hour, whose background is drawn once
        clock.now = (NOON, MIDNIGHT)[instant % 2] + instant * 82.3
        found = weights(detector, decoded(camera))
        visitor = camera.visitor(clock.now)
        if visitor is None or not visitor.person:
            empty.append(found)
        elif 0.1 < visitor.way < 0.9:  # nearer to the edges they are partly out of the picture
            walking.append(found[0] if found else 0.0)
    assert len(walking) >= 2
    assert min(walking) >= 1
    assert statistics.median(walking) >= 1.5
    assert empty
    assert not any(empty)


def test_a_person_is_there_for_two_thirds_of_the_time_and_a_cat_now_and_then() -> None:
    camera = demo("Garden", Clock(NOON))
    visitors = [camera.visitor(NOON + second) for second in range(int(CYCLE) * 10)]
    people = sum(1 for visitor in visitors if visitor and visitor.person)
    cats = sum(1 for visitor in visitors if visitor and not visitor.person)
    assert people / len(visitors) == pytest.approx(2 / 3, abs=0.01)
    assert cats / len(visitors) == pytest.approx(1 / 6, abs=0.01)


def test_visitors_walk_steadily_and_each_the_other_way_than_the_one_before() -> None:
    camera = demo("Garden", Clock(NOON))
    walks: dict[int, list[float]] = {}
    for tenth in range(int(CYCLE) * 20):
        visitor = camera.visitor(NOON + tenth / 10)
        if visitor and visitor.person:
            walks.setdefault(visitor.number, []).append(visitor.way * visitor.facing)
    assert all(walk == sorted(walk) for walk in walks.values())
    middle = list(walks.values())[:2]
    assert middle[0][0] * middle[1][0] <= 0


def test_pictures_are_jpegs_of_1280_by_720_that_pass_as_any_camera_s() -> None:
    picture = examine(demo("Garden", Clock(NOON)).snapshot().data)
    assert (picture.format, picture.width, picture.height) == ("JPEG", 1280, 720)


def test_the_same_moment_looks_the_same_and_the_next_one_does_not() -> None:
    clock = Clock(NOON)
    one, other = demo("Garden", clock), demo("Garden", clock)
    assert one.snapshot() == other.snapshot()
    before = one.snapshot()
    clock.now += 2
    assert one.snapshot() != before


def test_each_place_looks_different_and_a_location_that_names_one_gets_it() -> None:
    clock = Clock(NOON)
    assert demo("Back garden", clock)._place == "garden"
    assert demo("Driveway", clock)._place == "drive"
    assert demo("Front Door", clock)._place == "front"
    assert demo("Driveway", clock, place="front")._place == "front"
    assert len({demo("Hall", clock, place=place).snapshot().data for place in ("front", "garden", "drive")}) == 3


def test_nights_are_dark() -> None:
    noon, midnight = (sum(ImageStat.Stat(decoded(demo("Garden", Clock(hour)))).mean) for hour in (NOON, MIDNIGHT))
    assert midnight < noon / 2


def test_device_params_change_nothing() -> None:
    camera = demo("Garden", Clock(NOON))
    assert camera.snapshot("admin:hush@192.0.2.1:80") == camera.snapshot()


def test_the_real_time_is_drawn_when_no_clock_is_given() -> None:
    camera = Demo(Demo.Settings(location="Hall"), networks=Networks())
    assert examine(camera.snapshot().data).width == 1280
    camera.close()
