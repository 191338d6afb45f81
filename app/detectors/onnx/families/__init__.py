"""Families of models: how a picture becomes their tensor, and how theirs become boxes. One file each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from app.detectors.onnx.boxes import Array, Finds, Size

Shapes = Mapping[str, tuple[int, ...]]
"""Name of an output -> its shape, in the model's order."""
STRIDES = (8, 16, 32)
"""Pixels from one cell of a grid to the next, in the three grids of a YOLO."""


@dataclass(frozen=True, slots=True)
class Family:
    """One family."""

    title: str
    """Its name for people."""
    fits: Callable[[Shapes, Size], bool]
    """Whether outputs of these shapes, for an input of this size, are its own."""
    decode: Callable[[Sequence[Array], Size, float], Finds]
    """Outputs, the input's size and the least score -> finds in pixels of the input."""
    classes: Callable[[Shapes], int] = lambda _shapes: 0
    """How many classes outputs of these shapes have; 0 where they do not tell."""
    order: Literal["RGB", "BGR"] = "RGB"
    """Of the colours."""
    divisor: float = 255.0
    """What pixels (0..255) are divided by."""
    imagenet: bool = False
    """Whether the colours are then normalised by mean and deviation of ImageNet's."""
    place: Literal["centre", "corner", "stretch"] = "centre"
    """Where in the input the picture lies, in its own proportions, or that it is stretched over all of it."""
    doubles: bool = True
    """Whether one thing is found several times, so that the surest find has to be chosen."""


def cells(size: Size) -> int:
    """How many cells the three grids have together."""
    width, height = size
    return sum((width // stride) * (height // stride) for stride in STRIDES)


def only(shapes: Shapes) -> tuple[int, ...]:
    """The shape of the only output without its batch; empty where it is something else."""
    shape = next(iter(shapes.values()))
    return shape[1:] if len(shapes) == 1 and len(shape) == 3 and shape[0] == 1 else ()


def all_families() -> Mapping[str, Family]:
    """By the name that settings give them; the first one that fits is the one."""
    from app.detectors.onnx.families import dfine, rfdetr, rtdetr, yolo26, yolov5, yolov8, yolox

    return {
        "yolox": yolox.FAMILY,
        "yolov5": yolov5.FAMILY,
        "yolov8": yolov8.FAMILY,
        "yolo26": yolo26.FAMILY,
        "rtdetr": rtdetr.FAMILY,
        "dfine": dfine.FAMILY,
        "rfdetr": rfdetr.FAMILY,
    }
