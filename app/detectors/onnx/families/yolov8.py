"""YOLOv8, YOLOv9 and YOLO11: [1, 4 + classes, cells]: centre, width and height in pixels, classes; a column a find."""

from __future__ import annotations

from collections.abc import Sequence

from app.detectors.onnx.boxes import Array, Finds, Size, best, corners
from app.detectors.onnx.families import Family, Shapes, cells, only


def fits(shapes: Shapes, size: Size) -> bool:
    """A column for each cell."""
    shape = only(shapes)
    return bool(shape) and shape[1] == cells(size) and shape[0] > 4


def decode(outputs: Sequence[Array], size: Size, minimum: float) -> Finds:
    """Finds in pixels of the input."""
    del size
    table = outputs[0][0].T
    rows, scores, classes = best(table[:, 4:], minimum)
    return Finds(corners(table[rows, :4]), scores, classes)


FAMILY = Family("YOLOv8", fits, decode, lambda shapes: only(shapes)[0] - 4)
