"""The bench of detectors counts as COCO does, reads labels as they are written, and draws what it says it draws."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from app.detectors import DetectorRejected
from app.messages import Box, Detection, Label
from tests.bench.detect.__main__ import groups, table, tiers_table
from tests.bench.detect.made import GROUPS, ONE_IN, SIZE, made
from tests.bench.detect.pictures import LabelledPicture, Thing, Unlabelled, labelled
from tests.bench.detect.plot import plot
from tests.bench.detect.score import Candidate, Find, Score, score
from tests.bench.detect.tiers import compared
from tests.fakes.detectors import FakeDetector
from tests.fakes.pictures import encoded, scene

HERE, NEARLY, THERE = Box(0.1, 0.1, 0.2, 0.5), Box(0.11, 0.1, 0.2, 0.5), Box(0.6, 0.1, 0.05, 0.05)
NOBODY = Detection()


def picture(*boxes: Box) -> LabelledPicture:
    return LabelledPicture("a", b"a", 1280, 720, tuple(Thing("Person", box) for box in boxes), "day")


def seeing(*boxes: Box, confidence: float = 0.9, label: str = "Person") -> Detection:
    return Detection((Label(label, confidence, boxes),), len(boxes))


def scored(detections: list[Detection | Exception], pictures: list[LabelledPicture]) -> Score:
    return score(Candidate.of(FakeDetector(*detections)), pictures)


def test_each_thing_is_found_once_and_the_rest_is_wrong() -> None:
    result = scored([seeing(NEARLY, HERE, Box(0.8, 0.8, 0.1, 0.1))], [picture(HERE, THERE)])
    assert [find.true for find in result.finds] == [True, False, False]
    assert result.precision == pytest.approx(1 / 3)
    assert result.recall() == 0.5
    assert (result.recall("large"), result.recall("medium"), result.recall("day")) == (1.0, 0.0, 0.5)


def test_other_labels_do_not_count() -> None:
    result = scored([seeing(HERE, label="Dog")], [picture(HERE)])
    assert (result.finds, result.recall(), result.recall_of_pictures) == ([], 0.0, 0.0)


def test_pictures_count_by_whether_somebody_was_seen_with_or_without_a_box() -> None:
    seen = [Detection((Label("Person", 0.9),), 1), NOBODY, seeing(HERE)]
    result = scored([*seen], [picture(HERE), picture(HERE), picture()])
    assert (result.recall_of_pictures, result.precision_of_pictures) == (0.5, 0.5)


def test_a_detector_that_fails_has_seen_nothing_and_costs_nothing() -> None:
    detector = FakeDetector(DetectorRejected("refused", "no"), seeing(HERE))
    detector.cost_usd = 0.002
    result = score(Candidate.of(detector), [picture(HERE), picture(HERE)])
    assert (result.failed, result.recall(), result.usd_per_1000) == (1, 0.5, 1.0)


def test_average_precision_is_that_of_coco() -> None:
    result = Score("x", finds=[Find(0.9, True), Find(0.8, False), Find(0.7, True), Find(0.1, False)])
    result.things["all"] = 2
    assert result.curve == [(0.5, 1 / 1), (0.5, 1 / 2), (1.0, 2 / 3), (1.0, 2 / 4)]
    assert result.average_precision == pytest.approx((51 * 1.0 + 50 * 2 / 3) / 101)


@pytest.mark.parametrize(("side", "size"), [(31, "small"), (32, "medium"), (95, "medium"), (96, "large")])
def test_sizes_are_those_of_coco(side: int, size: str) -> None:
    assert picture().size_of(Box(0, 0, side / 1280, side / 720)) == size


def test_a_folder_with_labels_of_coco_is_read(tmp_path: Path) -> None:
    (tmp_path / "val").mkdir()
    (tmp_path / "val" / "1.jpg").write_bytes(encoded(scene()))
    labels = {
        "images": [
            {"id": 7, "file_name": "1.jpg", "width": 1280, "height": 720},
            {"id": 8, "file_name": "gone.jpg", "width": 1, "height": 1},
        ],
        "categories": [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}],
        "annotations": [
            {"image_id": 7, "category_id": 1, "bbox": [128, 72, 64, 360]},
            {"image_id": 7, "category_id": 18, "bbox": [0, 0, 128, 72]},
            {"image_id": 7, "category_id": 1, "bbox": [0, 0, 9, 9], "iscrowd": 1},
        ],
    }
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    (found,) = labelled(tmp_path)
    assert found.things == (Thing("Person", Box(0.1, 0.1, 0.05, 0.5)), Thing("Dog", Box(0, 0, 0.1, 0.1)))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({}, ["Person", "16"]),
        ({"data.yaml": "names: [person, b]"}, ["Person", "16"]),
        ({"data.yaml": "names: {0: person, 16: dog}"}, ["Person", "Dog"]),
        ({"classes.txt": "human\n" + "x\n" * 15 + "dog\n"}, ["Person", "Dog"]),
    ],
)
def test_a_folder_with_labels_of_yolo_is_read(tmp_path: Path, names: dict[str, str], expected: list[str]) -> None:
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
    (tmp_path / "images" / "1.jpg").write_bytes(encoded(scene()))
    (tmp_path / "images" / "unlabelled.jpg").write_bytes(encoded(scene()))
    (tmp_path / "labels" / "1.txt").write_text("0 0.5 0.5 0.2 0.4\n16 0.1 0.1 0.2 0.2\n\n")
    for name, text in names.items():
        (tmp_path / name).write_text(text)
    (found,) = labelled(tmp_path)
    assert [thing.label for thing in found.things] == expected
    assert found.things[0].box == Box(0.4, 0.3, 0.2, 0.4)


def test_a_folder_without_labels_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(encoded(scene()))
    with pytest.raises(Unlabelled, match="neither a JSON file"):
        list(labelled(tmp_path))


def test_the_drawn_set_has_people_in_one_of_seven_of_each_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.bench.detect.made._place", lambda *_: scene())  # drawing places takes a second
    drawn = list(made(len(GROUPS) + 1))
    assert [one.group for one in drawn] == [*GROUPS, GROUPS[0]]
    assert [bool(one.things) for one in drawn] == [True] * len(GROUPS) + [False]
    assert len(next(one for one in drawn if one.group == "crowd").things) >= 3
    assert "large" not in [one.size_of(box) for one in drawn if one.group == "small" for box in one.of("Person")]
    for one in drawn:
        for box in one.of("Person"):
            assert min(box.left, box.top) >= 0
            assert max(box.left + box.width, box.top + box.height) <= 1.0001
    assert ONE_IN == 7
    assert SIZE == (1280, 720)


def test_tiers_find_what_the_paid_one_finds_for_a_fifth_of_its_cost() -> None:
    found = compared()
    assert found.reached
    assert found.local.usd == 0
    assert found.tiers.precision_of_pictures > found.paid.precision_of_pictures
    assert not compared(1000, misses=0.1).reached, "a local one that misses is found out"
    assert not compared(1000, invents=0.2).reached, "one that sees ghosts, too"


def test_tables_and_plot_are_made_of_the_scores() -> None:
    scores = list(compared(200))
    assert table(scores).count("\n") == 4
    assert "| paid (simulated) |" in table(scores)
    assert groups(scores).count("| 0.00") == 3 * len(GROUPS)
    assert "of the paid detector's events" in tiers_table(compared(200))
    drawn = ElementTree.fromstring(plot([*scores, Score("<none>")], title="a & b"))
    assert len(drawn.findall("{http://www.w3.org/2000/svg}circle")) == 3
