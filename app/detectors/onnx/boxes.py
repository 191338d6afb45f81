"""What models find: boxes with scores and classes, and the arithmetic that all families share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Size = tuple[int, int]
"""Width and height in pixels."""


MOST_CANDIDATES = 1000
"""Of which the surest are looked at for doubles."""


@dataclass(frozen=True, slots=True)
class Finds:
    """Things that were found, row by row."""

    boxes: Array
    """Left, top, right, bottom in pixels."""
    scores: Array
    """0..1."""
    classes: Array
    """Numbers of the model's classes."""

    def where(self, rows: Array) -> Finds:
        """Some of them: by number, or by yes and no."""
        return Finds(self.boxes[rows], self.scores[rows], self.classes[rows])

    def moved(self, *, by: tuple[float, float], scale: tuple[float, float]) -> Finds:
        """The same things where they are in another picture: `by` first, then `scale`, both across and down."""
        boxes = (self.boxes + (by * 2)) * (scale * 2)
        return Finds(boxes, self.scores, self.classes)


def joined(finds: Sequence[Finds]) -> Finds:
    """All of them together."""
    return Finds(
        np.concatenate([each.boxes for each in finds]),
        np.concatenate([each.scores for each in finds]),
        np.concatenate([each.classes for each in finds]),
    )


def best(scores: Array, minimum: float) -> tuple[Array, Array, Array]:
    """Of a table of scores, a row for each find and a column for each class: the rows whose best class reaches the
    minimum, its score, and its number."""
    classes = scores.argmax(axis=1)
    highest = np.take_along_axis(scores, classes[:, None], axis=1)[:, 0]
    rows = np.flatnonzero(highest >= minimum)
    return rows, highest[rows], classes[rows]


def corners(boxes: Array) -> Array:
    """Left, top, right, bottom of boxes that are given by centre, width and height."""
    half = boxes[:, 2:] / 2
    return np.concatenate((boxes[:, :2] - half, boxes[:, :2] + half), axis=1)


def sigmoid(values: Array) -> Array:
    """The logistic function, for logits of any size."""
    return 1 / (1 + np.exp(-np.clip(values.astype(np.float32), -60, 60)))


def without_doubles(finds: Finds, overlap: float) -> Finds:
    """The surest of those of one class that overlap by more than a share `overlap` of what they cover together."""
    import cv2

    if not len(finds.scores):
        return finds
    if len(finds.scores) > MOST_CANDIDATES:  # comparing all with all takes seconds
        finds = finds.where(np.argsort(-finds.scores, kind="stable")[:MOST_CANDIDATES])
    left_top, right_bottom = finds.boxes[:, :2], finds.boxes[:, 2:]
    sized = np.concatenate((left_top, right_bottom - left_top), axis=1)
    kept = cv2.dnn.NMSBoxesBatched(
        sized.astype(np.float64).tolist(), finds.scores.tolist(), finds.classes.tolist(), 0.0, overlap
    )
    return finds.where(np.asarray(kept, dtype=np.intp).reshape(-1))
