"""YOLO26 and YOLOv10: [1, finds, 6]: left, top, right, bottom in pixels, score, class; without doubles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.detectors.onnx.boxes import Array, Finds, Size
from app.detectors.onnx.families import Family, Shapes, only


def fits(shapes: Shapes, size: Size) -> bool:
    """Six columns, and no row for each cell."""
    del size
    shape = only(shapes)
    return bool(shape) and shape[1] == 6


def decode(outputs: Sequence[Array], size: Size, minimum: float) -> Finds:
    """Finds in pixels of the input."""
    del size
    rows = outputs[0][0]
    rows = rows[rows[:, 4] >= minimum]
    return Finds(rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int64))


FAMILY = Family("YOLO26", fits, decode, doubles=False)
