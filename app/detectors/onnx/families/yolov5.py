"""YOLOv5 and YOLOv7: [1, 3 x cells, 5 + classes]: centre, width and height in pixels, objectness, classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.detectors.onnx.boxes import Array, Finds, Size, best, corners
from app.detectors.onnx.families import Family, Shapes, cells, only


def fits(shapes: Shapes, size: Size) -> bool:
    """Three rows for each cell, with objectness."""
    shape = only(shapes)
    return bool(shape) and shape[0] == 3 * cells(size) and shape[1] > 5


def decode(outputs: Sequence[Array], size: Size, minimum: float) -> Finds:
    """Finds in pixels of the input."""
    del size
    table = outputs[0][0]
    likely = np.flatnonzero(table[:, 4] >= minimum)  # no class is surer than that there is something
    rows, scores, classes = best(table[likely, 4:5] * table[likely, 5:], minimum)
    return Finds(corners(table[likely[rows], :4]), scores, classes)


FAMILY = Family("YOLOv5", fits, decode, lambda shapes: only(shapes)[1] - 5)
