"""The detector that runs a model: pictures of all kinds, what is wrong with a model, what settings do."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.detectors import KINDS, DetectorContext, DetectorRejected, DetectorUnavailable
from app.detectors.onnx import Onnx, OnnxSettings
from app.detectors.onnx.runtimes import RunFailed
from tests.fakes import onnx_models
from tests.fakes.onnx_models import SIDE, Thing
from tests.fakes.pictures import encoded, heic, turned

BOX = (40, 60, 80, 100)
SQUARE = Image.new("RGB", (320, 320))
PERSON = encoded(SQUARE)
DATA = Path(os.environ.get("SNAPSHOT_TEST_DATA") or "no such folder")
COUNTS = {
    "person.jpg": {"Person": 1, "Horse": 1, "Dog": 1},
    "dog.jpg": {"Dog": 1, "Bicycle": 1, "Car": 1},  # a truck, for people
    "eagle.jpg": {"Bird": 1},
    "giraffe.jpg": {"Giraffe": 1, "Zebra": 1},
}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder with one model in it, which sees a person in everything."""
    folder = tmp_path / "models"
    folder.mkdir()
    onnx_models.write(folder / "mine.onnx", onnx_models.yolov8([Thing(BOX)]))
    return folder


def detector(folder: Path, **settings: Any) -> Onnx:
    return Onnx(OnnxSettings(**settings), DetectorContext(models=(folder,)))


def problem(looking: Onnx) -> str:
    with pytest.raises((DetectorRejected, DetectorUnavailable)) as failure:
        looking.detect(PERSON)
    assert "\n" not in failure.value.detail
    return str(failure.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP"])
def test_every_format_that_cameras_send_is_looked_at(models: Path, kind: str) -> None:
    assert detector(models).detect(encoded(SQUARE, kind)).person_count == 1


def test_a_heic_is_looked_at_too(models: Path) -> None:
    assert detector(models).detect(heic(SQUARE)).person_count == 1


def test_a_camera_mounted_on_its_side_is_seen_upright(models: Path) -> None:
    upright = Image.new("RGB", (320, 160))
    (label,) = detector(models).detect(turned(upright, 6)).labels
    assert label.boxes[0].height == pytest.approx(0.5, abs=0.01)  # 40 of the 80 rows that a wide picture has there


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (4000, 3000)])
def test_pictures_of_any_size_are_looked_at(models: Path, size: tuple[int, int]) -> None:
    detector(models).detect(encoded(Image.new("RGB", size, "grey")))


@pytest.mark.parametrize("data", [b"", b"<html>", PERSON[:100]])
def test_what_cannot_be_decoded_is_rejected(models: Path, data: bytes) -> None:
    with pytest.raises(DetectorRejected):
        detector(models).detect(data)


def test_the_confidence_that_is_asked_for_decides(models: Path) -> None:
    assert detector(models, minimum_confidence=0.89).detect(PERSON).person_count == 1
    assert detector(models, minimum_confidence=0.91).detect(PERSON).labels == ()


@pytest.mark.parametrize("runtime", ["onnxruntime", "opencv"])
def test_threads_get_the_answers_that_one_would_get(models: Path, runtime: str) -> None:
    looking = detector(models, runtime=runtime)
    alone = looking.detect(PERSON)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(looking.detect, [PERSON] * 8)) == [alone] * 8


def test_one_picture_has_all_processors_up_to_four_unless_settings_say_otherwise(models: Path) -> None:
    processors = os.cpu_count() or 1
    assert detector(models).concurrency == max(1, processors // min(4, processors))
    assert detector(models, threads=1).concurrency == processors


def test_the_largest_model_is_taken_unless_one_is_named(models: Path) -> None:
    large = onnx_models.write(models / "large.onnx", onnx_models.yolov5([]))
    assert detector(models).describe().startswith("large.onnx (YOLOv5, 160 x 160, 80 classes) by onnxruntime ")
    for name in ("mine", "mine.onnx", str(models / "mine.onnx")):
        assert detector(models, model=name).describe().startswith("mine.onnx (YOLOv8")
    (models / "larger.onnx.part").write_bytes(bytes(2 * large.stat().st_size))
    assert detector(models).describe().startswith("large.onnx ")


def test_what_was_added_comes_before_what_came_with_the_installation(models: Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    installed.mkdir()
    onnx_models.write(installed / "mine.onnx", onnx_models.yolov5([]))
    looking = Onnx(OnnxSettings(), DetectorContext(models=(models, installed)))
    assert looking.describe().startswith("mine.onnx (YOLOv8")


def test_without_a_model_each_picture_says_what_to_do_until_there_is_one(tmp_path: Path) -> None:
    looking = detector(tmp_path)
    assert problem(looking) == "no_model: there is no model: snapshot-processor model add yolox-nano"
    onnx_models.write(tmp_path / "made.onnx", onnx_models.yolov8([Thing(BOX)]))
    assert looking.detect(PERSON).person_count == 1
    assert problem(detector(tmp_path, model="other")).startswith("no_model: there is no model other: ")


def test_a_folder_that_cannot_be_read_is_said_and_stops_no_start(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "mine.onnx")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", locked)
        looking = detector(models)
        assert problem(looking) == "no_model: mine.onnx cannot be read: Permission denied"
    assert looking.detect(PERSON).person_count == 1


@pytest.mark.parametrize(
    "content", [b"", b"<html>no such page</html>", b"version https://git-lfs", bytes(2000), PERSON]
)
def test_a_file_that_is_no_onnx_is_named_until_it_is_replaced(models: Path, content: bytes) -> None:
    good = (models / "mine.onnx").read_bytes()
    (models / "mine.onnx").write_bytes(content)
    looking = detector(models)
    assert problem(looking) == problem(looking) == "not_onnx: mine.onnx is no ONNX model"
    (models / "mine.onnx").write_bytes(good)
    assert looking.detect(PERSON).person_count == 1


def test_a_model_that_breaks_off_is_no_onnx(models: Path) -> None:
    good = (models / "mine.onnx").read_bytes()
    (models / "mine.onnx").write_bytes(good[: len(good) // 2])
    assert problem(detector(models)).startswith("not_onnx: ")


def test_a_file_with_a_name_of_the_catalogue_has_to_be_that_file(models: Path) -> None:
    (models / "mine.onnx").rename(models / "yolox_nano.onnx")
    assert problem(detector(models)).startswith("wrong_file: yolox_nano.onnx is not the file that the catalogue calls")
    elsewhere = shutil.copy(models / "yolox_nano.onnx", models.parent / "yolox_nano.onnx")
    assert detector(models, model=str(elsewhere)).detect(PERSON).person_count == 1


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ({"outputs": {"out": onnx_models.yolov5([])["output0"][:, :1500]}}, "its outputs are out [1, 1500, 85]"),
        ({"metadata": {"task": "segment"}}, "its outputs are output0 [1, 84, 525], for segment"),
        ({"shape": (2, 3, SIDE, SIDE)}, "its input is (2, 3, 160, 160)"),
        ({"shape": (1, 4, SIDE, SIDE)}, "its input is (1, 4, 160, 160)"),
        ({"kind": 2}, "its input is (1, 3, 160, 160)"),
        ({"shape": (1, 3, SIDE)}, "its inputs are images [1, 3, 160]"),
    ],
)
def test_shapes_that_are_not_known_are_said(tmp_path: Path, made: dict[str, Any], says: str) -> None:
    onnx_models.write(tmp_path / "odd.onnx", **({"outputs": onnx_models.yolov8([])} | made))
    assert problem(detector(tmp_path)).startswith(f"unknown_shapes: odd.onnx: {says}")


def test_names_come_from_the_file_else_the_metadata_else_coco(tmp_path: Path) -> None:
    outputs = onnx_models.yolov8([Thing(BOX, number=1)], classes=2)
    path = onnx_models.write(tmp_path / "two.onnx", outputs, metadata={"names": "{0: 'cat', 1: 'person'}"})
    seen = detector(tmp_path).detect(PERSON)
    assert ([label.name for label in seen.labels], seen.person_count) == (["Person"], 1)
    labels = tmp_path / "names.txt"
    labels.write_text("Fuchs\n\nDachs\n", encoding="utf-8")
    looking = detector(tmp_path, labels=labels)
    assert [label.name for label in looking.detect(PERSON).labels] == ["Dachs"]
    assert "2 classes, and knows no persons" in looking.describe()
    onnx_models.write(path, outputs)
    assert problem(detector(tmp_path)) == (
        "other_classes: two.onnx: the model has 2 classes, COCO has 80: set detector.labels"
    )
    labels.write_text("person\n")
    # One class more than names is nothing at all, as RF-DETR has it; two are not.
    onnx_models.write(path, onnx_models.yolov8([], classes=3))
    assert "the model has 3 classes, names.txt names 1:" in problem(detector(tmp_path, labels=labels))
    assert problem(detector(tmp_path, labels=tmp_path / "gone.txt")).startswith("no_model: ")


@pytest.mark.parametrize("names", ["{0: 'a'", "[", "__import__('os')", "5", "{0: 'a'}"])
def test_names_in_metadata_that_are_none_are_said_and_never_run(tmp_path: Path, names: str) -> None:
    onnx_models.write(tmp_path / "odd.onnx", onnx_models.yolov8([]), metadata={"names": names})
    assert problem(detector(tmp_path)).startswith("other_classes: odd.onnx: ")


@pytest.mark.parametrize(("runtime", "title"), [("onnxruntime", "onnxruntime 1."), ("opencv", "OpenCV 5.")])
def test_an_operator_that_is_missing_is_named(tmp_path: Path, runtime: str, title: str) -> None:
    onnx_models.write(tmp_path / "new.onnx", onnx_models.yolov8([]), operator="Magic")
    said = problem(detector(tmp_path, runtime=runtime))
    assert said.startswith(f"missing_operators: new.onnx: {title}")
    assert said.endswith(" has no operator Magic")


def test_without_onnxruntime_opencv_looks_and_who_asks_for_it_hears_how_to_get_it(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    looking = detector(models)
    assert " by OpenCV " in looking.describe()
    assert looking.detect(PERSON).person_count == 1
    assert problem(detector(models, runtime="onnxruntime")) == (
        "no_onnxruntime: onnxruntime is not installed: pip install 'snapshot-processor[onnx]'"
    )


def test_a_model_that_fails_this_time_is_asked_again_later(models: Path) -> None:
    class Failing:
        title = "failing"

        def run(self, feeds: object) -> Any:
            raise RunFailed("no memory")

    looking = detector(models)
    looking.model().runtime = Failing()
    with pytest.raises(DetectorUnavailable, match=r"^model_failed: no memory$"):
        looking.detect(PERSON)


def test_it_is_the_kind_onnx() -> None:
    assert KINDS.load("onnx") is Onnx
    assert Onnx.name == "onnx"


if DATA.is_dir():  # photographs and a real model are no part of the project: without them there is no such test

    @pytest.mark.parametrize("runtime", ["onnxruntime", "opencv"])
    def test_a_real_model_sees_in_photographs_what_people_see(runtime: str) -> None:
        looking = detector(Path(), model=str(DATA / "yolox_nano.onnx"), runtime=runtime)
        for name, counts in COUNTS.items():
            seen = looking.detect((DATA / name).read_bytes())
            assert {label.name: len(label.boxes) for label in seen.labels} == counts, name
