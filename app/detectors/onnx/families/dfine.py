"""D-FINE, DEIM and RT-DETR (lyuwenyu): labels [1, finds], boxes [1, finds, 4] in pixels, scores [1, finds].

A second input, `orig_target_sizes`, says for which width and height the boxes are wanted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.detectors.onnx.boxes import Array, Finds, Size
from app.detectors.onnx.families import Family, Shapes


def fits(shapes: Shapes, size: Size) -> bool:
    """Three outputs, by their names."""
    del size
    return list(shapes) == ["labels", "boxes", "scores"] and shapes["boxes"][2:] == (4,)


def decode(outputs: Sequence[Array], size: Size, minimum: float) -> Finds:
    """Finds in pixels of the input."""
    del size
    labels, boxes, scores = (each[0] for each in outputs)
    rows = np.flatnonzero(scores >= minimum)
    return Finds(boxes[rows], scores[rows], labels[rows])


FAMILY = Family("D-FINE or RT-DETR", fits, decode, place="stretch", doubles=False)
