"""RF-DETR (Roboflow): dets [1, finds, 4]: centre, width and height as shares; labels [1, finds, classes]: logits."""

from __future__ import annotations

from collections.abc import Sequence

from app.detectors.onnx.boxes import Array, Finds, Size, best, corners, sigmoid
from app.detectors.onnx.families import Family, Shapes


def fits(shapes: Shapes, size: Size) -> bool:
    """Two outputs, by their names."""
    del size
    return list(shapes) == ["dets", "labels"] and shapes["dets"][2:] == (4,)


def decode(outputs: Sequence[Array], size: Size, minimum: float) -> Finds:
    """Finds in pixels of the input."""
    boxes, logits = outputs[0][0], outputs[1][0]
    rows, scores, classes = best(sigmoid(logits), minimum)
    return Finds(corners(boxes[rows]) * (size * 2), scores, classes)


def classes(shapes: Shapes) -> int:
    """Columns of logits."""
    _, labels = shapes.values()
    return labels[-1]


FAMILY = Family("RF-DETR", fits, decode, classes, imagenet=True, place="stretch", doubles=False)
