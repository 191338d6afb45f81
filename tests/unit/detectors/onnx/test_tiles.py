"""Parts of a picture are looked at besides the whole, and each thing is found once."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.detectors.onnx import Onnx, OnnxSettings
from app.detectors.onnx.boxes import Array, Finds
from app.detectors.onnx.model import Model
from app.detectors.onnx.tiles import look, spans
from tests.fakes import onnx_models

SIDE = 1000
GREY = np.zeros((SIDE, SIDE, 3), np.uint8)


class Sharp(Model):
    """Finds the white rectangles of a picture that have at least a twentieth of what it looks at in width, cut as the
    part is cut."""

    def __init__(self, family: Model) -> None:
        self.family = family.family  # of YOLOs: they find one thing several times
        self.looks: list[tuple[int, int]] = []

    def look(self, pixels: Array, minimum: float) -> Finds:
        self.looks.append((pixels.shape[1], pixels.shape[0]))
        columns, rows = (np.flatnonzero(pixels[:, :, 0].any(axis=axis)) for axis in (0, 1))
        if not len(columns) or len(columns) < pixels.shape[1] / 20:
            return Finds(np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.int64))
        box = [[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]]
        return Finds(np.array(box, float), np.array([0.9]), np.array([0]))


def found(folder: Path, box: tuple[int, int, int, int], tiles: int) -> tuple[list[list[float]], Sharp]:
    path = onnx_models.write(folder / "made.onnx", onnx_models.yolov8([]))
    model = Sharp(Onnx(OnnxSettings(model=str(path))).model())
    pixels = GREY.copy()
    left, top, right, bottom = box
    pixels[top:bottom, left:right] = 255
    finds = look(model, pixels, settings=OnnxSettings(tiles=tiles))
    return finds.boxes.tolist(), model


def test_something_small_is_found_in_a_part_and_where_it_is(tmp_path: Path) -> None:
    small = (700, 650, 740, 700)
    assert found(tmp_path, small, 1)[0] == []
    assert found(tmp_path, small, 2)[0] == [list(small)]


def test_what_the_parts_cut_is_found_once_and_whole(tmp_path: Path) -> None:
    large, between = (300, 300, 700, 800), (480, 480, 520, 530)
    assert found(tmp_path, large, 2)[0] == [list(large)]
    assert found(tmp_path, between, 2)[0] == [list(between)]


def test_the_cost_is_what_the_documentation_says(tmp_path: Path) -> None:
    for tiles, looks in ((1, 1), (2, 5), (3, 10)):
        assert len(found(tmp_path, (0, 0, 100, 100), tiles)[1].looks) == looks


def test_parts_reach_into_their_neighbours_and_cover_all() -> None:
    assert spans(1000, 2) == [(0, 600), (400, 1000)]
    assert spans(900, 3) == [(0, 360), (240, 660), (540, 900)]
