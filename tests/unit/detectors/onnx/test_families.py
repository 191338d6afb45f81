"""Models of each family, told by their inputs and outputs alone, say the same of one picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.detectors import DetectorContext, DetectorRejected
from app.detectors.onnx import Onnx, OnnxSettings
from app.detectors.onnx.families import cells, yolov8
from app.messages import Box, Detection
from tests.fakes import onnx_models
from tests.fakes.onnx_models import SIDE, Array, Thing
from tests.fakes.pictures import encoded

PICTURE = encoded(Image.new("RGB", (320, 160), (0, 0, 255)), "PNG")
"""Twice as wide as high, and blue."""
CORNER, CENTRE, STRETCH = (40, 20, 80, 60), (40, 60, 80, 100), (40, 40, 80, 120)
"""A quarter from the left and from the top, where a picture lies at the top left, in the middle, or all over."""

FAMILIES: dict[str, tuple[Callable[..., dict[str, Array]], tuple[int, int, int, int], str]] = {
    "yolox": (onnx_models.yolox, CORNER, "YOLOX"),
    "yolov5": (onnx_models.yolov5, CENTRE, "YOLOv5"),
    "yolov8": (onnx_models.yolov8, CENTRE, "YOLOv8"),
    "yolo26": (onnx_models.yolo26, CENTRE, "YOLO26"),
    "rtdetr": (onnx_models.rtdetr, STRETCH, "RT-DETR (Ultralytics)"),
    "dfine": (onnx_models.dfine, STRETCH, "D-FINE or RT-DETR"),
    "rfdetr": (onnx_models.rfdetr, STRETCH, "RF-DETR"),
}
ONE_FOR_ALL = ("yolo26", "rtdetr", "dfine", "rfdetr")
"""Those that find each thing once."""


class Recorder:
    """A runtime that keeps what it is fed."""

    title = "recorder"

    def __init__(self, answers: Sequence[Array]) -> None:
        self.answers = answers
        self.fed: list[Mapping[str, Array]] = []

    def run(self, feeds: Mapping[str, Array]) -> Sequence[Array]:
        self.fed.append(feeds)
        return self.answers


def at(box: Sequence[float], by: float = 0.0) -> tuple[float, float, float, float]:
    left, top, right, bottom = (side + by for side in box)
    return left, top, right, bottom


def detector(path: Path, **settings: Any) -> Onnx:
    return Onnx(OnnxSettings(model=str(path), **settings), DetectorContext())


@pytest.mark.parametrize("runtime", ["onnxruntime", "opencv"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_person_is_found_where_it_is_and_what_is_unsure_is_not(tmp_path: Path, family: str, runtime: str) -> None:
    outputs, box, title = FAMILIES[family]
    things = [Thing(at(box)), Thing((4, 70, 30, 90), number=2, score=0.7), Thing((100, 70, 130, 90), score=0.3)]
    if family not in ONE_FOR_ALL:
        things.append(Thing(at(box, 2), score=0.8))
    model = detector(onnx_models.write(tmp_path / "made.onnx", outputs(things)), runtime=runtime)
    seen = model.detect(PICTURE)
    assert [(label.name, label.confidence) for label in seen.labels] == [("Person", 0.9), ("Car", 0.7)]
    (found,) = seen.labels[0].boxes
    assert (found.left, found.top, found.width, found.height) == pytest.approx((0.25, 0.25, 0.25, 0.5), abs=0.001)
    assert seen.person_count == 1
    assert title in model.describe()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_picture_lies_in_the_input_as_the_family_was_trained(tmp_path: Path, family: str) -> None:
    outputs, box, _ = FAMILIES[family]
    answers = outputs([])
    looking = detector(onnx_models.write(tmp_path / "made.onnx", answers))
    recorder = Recorder(list(answers.values()))
    looking.model().runtime = recorder
    assert looking.detect(PICTURE) == Detection()
    (feeds,) = recorder.fed
    tensor = feeds["images"][0]
    assert (tensor.shape, tensor.dtype) == ((3, SIDE, SIDE), np.float32)
    blue = {"yolox": [255, 0, 0], "rfdetr": [-2.118, -2.036, 2.64]}.get(family, [0, 0, 1])
    grey = [114, 114, 114] if family == "yolox" else [114 / 255] * 3
    rows = {CORNER: (blue, blue, grey), CENTRE: (grey, blue, grey), STRETCH: (blue, blue, blue)}[box]
    for row, wanted in zip((0, 70, SIDE - 1), rows, strict=True):
        assert tensor[:, row, SIDE // 2].tolist() == pytest.approx(wanted, abs=0.001)
    if family == "dfine":
        assert feeds["orig_target_sizes"].tolist() == [[SIDE, SIDE]]


def test_two_of_a_kind_are_two_and_two_kinds_at_one_place_are_two(tmp_path: Path) -> None:
    things = [Thing(at(CORNER)), Thing((100, 20, 140, 60), score=0.8), Thing(at(CORNER, 1), number=16, score=0.7)]
    seen = detector(onnx_models.write(tmp_path / "made.onnx", onnx_models.yolox(things))).detect(PICTURE)
    assert [(label.name, len(label.boxes)) for label in seen.labels] == [("Person", 2), ("Dog", 1)]
    assert seen.person_count == 2


def test_boxes_are_cut_at_the_picture_s_edge_and_none_lies_beyond_it(tmp_path: Path) -> None:
    beyond = (10, 130, 30, 150)  # in the grey below the picture
    things = [Thing((-20, 20, 40, 60)), Thing(beyond, score=0.8)]
    seen = detector(onnx_models.write(tmp_path / "made.onnx", onnx_models.yolo26(things))).detect(PICTURE)
    assert [label.boxes for label in seen.labels] == [(Box(0.0, 0.0, 0.25, 0.25),)]
    assert seen.person_count == 1


def test_what_the_shape_does_not_tell_settings_do(tmp_path: Path) -> None:
    """RT-DETR with two classes has the shape of YOLO26."""
    path = onnx_models.write(tmp_path / "made.onnx", onnx_models.rtdetr([Thing(at(STRETCH))], classes=2))
    labels = tmp_path / "names"
    labels.write_text("person\ncat\n")
    seen = detector(path, family="rtdetr", labels=labels).detect(PICTURE)
    assert [(label.name, label.confidence) for label in seen.labels] == [("Person", 0.9)]


def test_a_family_that_settings_declare_and_the_outputs_are_not_is_refused(tmp_path: Path) -> None:
    path = onnx_models.write(tmp_path / "made.onnx", onnx_models.yolov8([]))
    with pytest.raises(DetectorRejected, match=r"^unknown_shapes: .*not those of RF-DETR"):
        detector(path, family="rfdetr").detect(PICTURE)


def test_half_precision_and_an_open_size_are_taken(tmp_path: Path) -> None:
    outputs = onnx_models.yolov8([Thing(at(CENTRE))])
    path = onnx_models.write(tmp_path / "half.onnx", outputs, kind=10)
    assert detector(path).detect(PICTURE).person_count == 1
    path = onnx_models.write(tmp_path / "open.onnx", outputs, shape=("n", 3, "height", "width"))
    assert detector(path, input_size=SIDE).detect(PICTURE).person_count == 1
    path = onnx_models.write(
        tmp_path / "said.onnx", outputs, shape=(1, 3, "h", "w"), metadata={"imgsz": f"[{SIDE}, {SIDE}]"}
    )
    assert detector(path).detect(PICTURE).person_count == 1


@pytest.mark.parametrize("imgsz", ["[-64, -64]", "[9000000, 9000000]", "-" * 100_000, "[16, 640]"])
def test_a_model_of_absurd_size_is_refused_before_it_takes_memory(tmp_path: Path, imgsz: str) -> None:
    shape = (1, 3, "h", "w") if not imgsz.startswith("--") else (1, 3, 9_000_000, 9_000_000)
    path = onnx_models.write(tmp_path / "said.onnx", onnx_models.yolov8([]), shape=shape, metadata={"imgsz": imgsz})
    with pytest.raises(DetectorRejected, match=r"^unknown_shapes: .*32 to 4096 pixels a side"):
        detector(path).detect(PICTURE)


def test_four_rows_are_boxes_of_no_class_at_all() -> None:
    size = (SIDE, SIDE)
    assert [yolov8.fits({"out": (1, rows, cells(size))}, size) for rows in (4, 5)] == [False, True]
