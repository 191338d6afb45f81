"""YOLOX (Megvii): [1, cells, 5 + classes], raw: offsets in cells, logarithms of sizes, objectness, classes.

`demo/ONNXRuntime` of https://github.com/Megvii-BaseDetection/YOLOX.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from app.detectors.onnx.boxes import Array, Finds, Size, best, corners
from app.detectors.onnx.families import STRIDES, Family, Shapes, cells, only


def fits(shapes: Shapes, size: Size) -> bool:
    """A row for each cell, with objectness."""
    shape = only(shapes)
    return bool(shape) and shape[0] == cells(size) and shape[1] > 5


def decode(outputs: Sequence[Array], size: Size, minimum: float) -> Finds:
    """Finds in pixels of the input."""
    table = outputs[0][0]
    likely = np.flatnonzero(table[:, 4] >= minimum)  # no class is surer than that there is something
    rows, scores, classes = best(table[likely, 4:5] * table[likely, 5:], minimum)
    at = likely[rows]
    origins, strides = _grid(size)
    raw, stride = table[at, :4], strides[at]
    centres = (raw[:, :2] + origins[at]) * stride
    return Finds(corners(np.concatenate((centres, np.exp(raw[:, 2:]) * stride), axis=1)), scores, classes)


@cache
def _grid(size: Size) -> tuple[Array, Array]:
    """For each cell its column and row, and the stride of its grid in pixels."""
    origins, strides = [], []
    for stride in STRIDES:
        across, down = np.meshgrid(np.arange(size[0] // stride), np.arange(size[1] // stride))
        origins.append(np.stack((across.ravel(), down.ravel()), axis=1))
        strides.append(np.full((across.size, 1), stride))
    return np.concatenate(origins).astype(np.float32), np.concatenate(strides).astype(np.float32)


FAMILY = Family("YOLOX", fits, decode, lambda shapes: only(shapes)[1] - 5, order="BGR", divisor=1.0, place="corner")
