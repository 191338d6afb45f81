"""A loaded model: from pixels to finds."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from app.detectors.onnx import header as headers
from app.detectors.onnx.boxes import Array, Finds, Size
from app.detectors.onnx.families import Family, all_families
from app.detectors.onnx.header import Header, Tensor
from app.detectors.onnx.names import names_of
from app.detectors.onnx.runtimes import Runtime, open_runtime

_USUAL_SIDE = 640
_LEAST_SIDE, _MOST_SIDE = 32, 4096
"""Pixels of a model's input: all that there are lie between, and one of any size would take all memory."""
_GREY = 114
"""What surrounds a picture that is not as wide and high as the input."""
_MEAN = np.array([0.485, 0.456, 0.406], np.float32).reshape(1, 3, 1, 1)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32).reshape(1, 3, 1, 1)
"""ImageNet's, of RGB from 0 to 1."""
_DTYPES = {headers.FLOAT: np.float32, headers.FLOAT16: np.float16}
_TARGET = "orig_target_sizes"


class UnknownShapes(ValueError):
    """No family has inputs and outputs like these."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture in the model's input."""

    tensor: Array
    back_by: tuple[float, float]
    """What to add to x and y in the input, before they are multiplied, to have them in the picture."""
    back_scale: tuple[float, float]


class Model:
    """A model, its family, and its names. Thread-safe."""

    def __init__(
        self, path: Path, *, runtime: str, threads: int, input_side: int = 0, family: str = "auto", labels: Path | None
    ) -> None:
        """Load it and run it once, on grey, which tells the shapes of its outputs and whether it runs at all.

        Raises `NotOnnx`, `UnknownShapes`, `OtherClasses`, `Missing`, `RunFailed`, ImportError or OSError.
        """
        head = headers.read(path)
        self._picture, self._target = _inputs(head)
        self.size = _size(self._picture, head.metadata, input_side)
        self._dtype = _DTYPES[self._picture.type]
        self.runtime: Runtime = open_runtime(runtime, path, head.outputs, threads)
        grey = np.full((1, 3, self.size[1], self.size[0]), 0.5, self._dtype)
        outputs = self.runtime.run(self._feeds(grey))
        shapes = {name: tuple(output.shape) for name, output in zip(head.outputs, outputs, strict=True)}
        self.family = _family(shapes, self.size, family, head.metadata.get("task", "detect"))
        try:
            self.family.decode([_plain(output) for output in outputs], self.size, 0.5)
            classes = self.family.classes(shapes)
        except (IndexError, TypeError, ValueError):  # settings have declared another family's
            raise UnknownShapes(f"its outputs are {_listed(shapes)}, and not those of {self.family.title}") from None
        self.names = names_of(classes, head.metadata, labels)

    def look(self, pixels: Array, minimum: float) -> Finds:
        """What is in these pixels (BGR), in pixels of theirs. Raises `RunFailed`."""
        placed = self._placed(pixels)
        outputs = self.runtime.run(self._feeds(placed.tensor))
        finds = self.family.decode([_plain(output) for output in outputs], self.size, minimum)
        return finds.moved(by=placed.back_by, scale=placed.back_scale)

    def _feeds(self, tensor: Array) -> dict[str, Array]:
        feeds = {self._picture.name: tensor}
        if self._target:
            feeds[self._target] = np.array([self.size], np.int64)
        return feeds

    def _placed(self, pixels: Array) -> Placed:
        (width, height), (has_width, has_height) = self.size, (pixels.shape[1], pixels.shape[0])
        if self.family.place == "stretch":
            return Placed(
                self._tensor(cv2.resize(pixels, self.size)), (0.0, 0.0), (has_width / width, has_height / height)
            )
        scale = min(width / has_width, height / has_height)
        new = max(1, round(has_width * scale)), max(1, round(has_height * scale))
        centred = self.family.place == "centre"
        left, top = ((width - new[0]) // 2, (height - new[1]) // 2) if centred else (0, 0)
        sheet = np.full((height, width, 3), _GREY, np.uint8)
        sheet[top : top + new[1], left : left + new[0]] = cv2.resize(pixels, new)
        return Placed(self._tensor(sheet), (float(-left), float(-top)), (has_width / new[0], has_height / new[1]))

    def _tensor(self, sheet: Array) -> Array:
        family = self.family
        tensor: Array = cv2.dnn.blobFromImage(sheet, 1 / family.divisor, swapRB=family.order == "RGB")
        if family.imagenet:
            tensor = (tensor - _MEAN) / _DEVIATION
        return tensor.astype(self._dtype, copy=False)


def _inputs(head: Header) -> tuple[Tensor, str]:
    """The input of the picture, and the name of the one that wants the picture's size; empty without one."""
    pictures = [one for one in head.inputs if len(one.shape) == 4]
    others = [one for one in head.inputs if len(one.shape) != 4]
    if len(pictures) != 1 or [one.name for one in others] not in ([], [_TARGET]):
        raise UnknownShapes(f"its inputs are {_listed({one.name: one.shape for one in head.inputs})}")
    picture = pictures[0]
    if picture.shape[0] not in (0, 1) or picture.shape[1] not in (0, 3) or picture.type not in _DTYPES:
        raise UnknownShapes(f"its input is {picture.shape}, and no picture of 3 colours in numbers with a point")
    return picture, others[0].name if others else ""


def _size(picture: Tensor, metadata: Mapping[str, str], side: int) -> Size:
    """Width and height of the input: its own, else what settings or metadata say."""
    height, width = picture.shape[2:]
    usual = _exported(metadata)
    size = width or side or usual[0], height or side or usual[1]
    if not all(_LEAST_SIDE <= one <= _MOST_SIDE for one in size):
        raise UnknownShapes(f"its input is {size[0]} x {size[1]}, and not {_LEAST_SIDE} to {_MOST_SIDE} pixels a side")
    return size


def _exported(metadata: Mapping[str, str]) -> Size:
    """As Ultralytics says it in `imgsz`: `[height, width]`."""
    try:
        height, width = ast.literal_eval(metadata["imgsz"])
        return int(width), int(height)
    except (KeyError, ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return _USUAL_SIDE, _USUAL_SIDE


def _family(shapes: Mapping[str, tuple[int, ...]], size: Size, wanted: str, task: str) -> Family:
    families = all_families()
    fitting = (family for family in families.values() if family.fits(shapes, size))
    found = next(fitting, None) if wanted == "auto" else families[wanted]
    if found is None or task != "detect":
        raise UnknownShapes(f"its outputs are {_listed(shapes)}" + (f", for {task}" if task != "detect" else ""))
    return found


def _listed(shapes: Mapping[str, Sequence[int]]) -> str:
    return ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items())


def _plain(output: Array) -> Array:
    return output.astype(np.float32) if output.dtype == np.float16 else output
