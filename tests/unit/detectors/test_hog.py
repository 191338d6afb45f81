"""OpenCV's people detector finds people, and nobody where nobody is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from app.detectors import KINDS, DetectorRejected
from app.detectors.hog import Hog, HogSettings, confidence_of
from app.messages import Box, Detection
from tests.fakes.pictures import GROUND, SCENE, encoded, heic, scene, turned

PHOTOGRAPHS = Path(os.environ.get("SNAPSHOT_TEST_PICTURES") or Path(__file__).parents[4] / "shared" / "data")
PERSONS_IN = {"person.jpg": 1, "giraffe.jpg": 0, "dog.jpg": 0, "eagle.jpg": 0}
PRESENT = [name for name in PERSONS_IN if (PHOTOGRAPHS / name).is_file()]


@pytest.fixture(scope="module")
def hog() -> Iterator[Hog]:
    detector = Hog(HogSettings())
    yield detector
    detector.close()


def boxes(detection: Detection) -> list[Box]:
    return [box for label in detection.labels for box in label.boxes]


def stands_at(box: Box, x: int, height: int) -> bool:
    """Whether the box is about that of a figure with its feet at x."""
    middle, top = (box.left + box.width / 2) * SCENE[0], box.top * SCENE[1]
    return abs(middle - x) < height / 5 and abs(top - (GROUND - height)) < height / 4


@pytest.mark.parametrize(("x", "height"), [(150, 180), (1130, 220), (1130, 270), (150, 320)])
def test_a_figure_is_found_where_it_stands(hog: Hog, x: int, height: int) -> None:
    detection = hog.detect(encoded(scene([(x, height)])))
    assert detection.person_count == 1
    (label,) = detection.labels
    (box,) = label.boxes
    assert label.name == "Person"
    assert label.confidence > 0.7
    assert stands_at(box, x, height)


def test_nobody_is_found_in_an_empty_scene(hog: Hog) -> None:
    assert hog.detect(encoded(scene())) == Detection()


def test_two_people_are_one_label_with_two_boxes(hog: Hog) -> None:
    detection = hog.detect(encoded(scene([(400, 250), (800, 300)])))
    (label,) = detection.labels
    assert detection.person_count == len(label.boxes) == 2
    found = sorted(label.boxes, key=lambda box: box.left)
    assert stands_at(found[0], 400, 250)
    assert stands_at(found[1], 800, 300)


def test_people_side_by_side_are_not_taken_for_one(hog: Hog) -> None:
    assert hog.detect(encoded(scene([(600, 260), (700, 260)]))).person_count == 2


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP"])
def test_every_format_that_cameras_send_is_looked_at(hog: Hog, kind: str) -> None:
    assert hog.detect(encoded(scene([(611, 300)]), kind)).person_count == 1


def test_a_heic_is_looked_at_too(hog: Hog) -> None:
    (box,) = boxes(hog.detect(heic(scene([(611, 300)]))))
    assert stands_at(box, 611, 300)


@pytest.mark.parametrize("size", [(320, 180), (2560, 1440), (3840, 2160)])
def test_pictures_smaller_or_larger_than_what_is_looked_at_are_scaled(hog: Hog, size: tuple[int, int]) -> None:
    (box,) = boxes(hog.detect(encoded(scene([(611, 300)]).resize(size))))
    assert stands_at(box, 611, 300)


@pytest.mark.parametrize("orientation", [6, 8])
def test_a_camera_mounted_on_its_side_is_no_trouble(hog: Hog, orientation: int) -> None:
    (box,) = boxes(hog.detect(turned(scene([(611, 300)]), orientation)))
    assert stands_at(box, 611, 300)


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 3), (63, 127), (64, 128)])
def test_pictures_too_small_for_anybody_hold_nobody(hog: Hog, size: tuple[int, int]) -> None:
    assert hog.detect(encoded(Image.new("RGB", size, "grey"))) == Detection()


def test_the_confidence_that_is_asked_for_decides() -> None:
    picture = encoded(scene([(611, 300)]))
    sure = Hog(HogSettings()).detect(picture).labels[0].confidence
    assert Hog(HogSettings(minimum_confidence=sure - 0.001)).detect(picture).person_count == 1
    assert Hog(HogSettings(minimum_confidence=min(1.0, sure + 0.001))).detect(picture) == Detection()


def test_confidence_grows_with_the_weight_and_stays_between_0_and_1() -> None:
    values = [confidence_of(weight / 4) for weight in range(-20, 40)]
    assert values == sorted(set(values))
    assert 0 < values[0] < 0.01
    assert 0.99 < values[-1] < 1


def test_what_weighs_as_little_as_a_drawn_house_is_nobody_and_what_weighs_as_a_person_is_one() -> None:
    weights = {1.0: 0.27, 1.5: 0.5, 2.4: 0.86, 3.0: 0.95}
    assert {weight: round(confidence_of(weight), 2) for weight in weights} == weights
    assert confidence_of(1.3) < HogSettings().minimum_confidence < confidence_of(1.7)


@pytest.mark.parametrize("data", [b"", b"<html>", encoded(scene())[:400], b"\xff\xd8\xff\xe0" + bytes(100)])
def test_what_cannot_be_decoded_is_rejected(hog: Hog, data: bytes) -> None:
    with pytest.raises(DetectorRejected):
        hog.detect(data)


def test_threads_get_the_answers_that_one_would_get(hog: Hog) -> None:
    pictures = [encoded(scene(figures)) for figures in ([], [(500, 300), (900, 200)])]
    alone = [hog.detect(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(hog.detect, pictures * 2)) == alone * 2


def test_it_is_the_kind_hog_and_works_on_every_cpu() -> None:
    assert KINDS.load("hog") is Hog
    detector = Hog(Hog.Settings(kind="hog"))
    assert detector.name == "hog"
    assert detector.concurrency == os.cpu_count()


def test_opencv_is_loaded_by_the_first_detector_and_not_before() -> None:
    program = (
        "import sys; from app.detectors.hog import Hog, HogSettings; "
        "assert not {'cv2', 'numpy'} & set(sys.modules); Hog(HogSettings()); assert 'cv2' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


if PRESENT:  # photographs are no part of the project: without them there is no such test

    @pytest.mark.parametrize("name", PRESENT)
    def test_a_photograph_holds_as_many_people_as_people_see_in_it(hog: Hog, name: str) -> None:
        assert hog.detect((PHOTOGRAPHS / name).read_bytes()).person_count == PERSONS_IN[name]
