"""RT-DETR as Ultralytics exports it: [1, finds, 4 + classes]: centre, width and height as shares, classes."""

from __future__ import annotations

from collections.abc import Sequence

from app.detectors.onnx.boxes import Array, Finds, Size, best, corners
from app.detectors.onnx.families import Family, Shapes, only

MOST_FINDS = 1000
"""A DETR has a few hundred; an output with more rows is something else."""


def fits(shapes: Shapes, size: Size) -> bool:
    """A few hundred rows, and more columns than a box has."""
    del size
    shape = only(shapes)
    return bool(shape) and shape[0] <= MOST_FINDS and shape[1] > 4


def decode(outputs: Sequence[Array], size: Size, minimum: float) -> Finds:
    """Finds in pixels of the input."""
    table = outputs[0][0]
    rows, scores, classes = best(table[:, 4:], minimum)
    return Finds(corners(table[rows, :4]) * (size * 2), scores, classes)


def classes(shapes: Shapes) -> int:
    """Columns but those of the box."""
    return only(shapes)[1] - 4


FAMILY = Family("RT-DETR (Ultralytics)", fits, decode, classes, place="stretch", doubles=False)
