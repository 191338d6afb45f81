"""Models in ONNX with the inputs and outputs of each family, which find what a test says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper

Array = npt.NDArray[Any]

SIDE = 160
"""Of the input, in pixels: 525 cells in grids of strides 8, 16 and 32."""
CELLS = 525
GRID = SIDE // 8


@dataclass(frozen=True, slots=True)
class Thing:
    """Something to be found: its box in pixels of the input, class and score."""

    box: tuple[float, float, float, float]
    number: int = 0
    score: float = 0.9


def yolox(things: Sequence[Thing], classes: int = 80) -> dict[str, Array]:
    """Raw, in cells of the finest grid."""
    table = np.zeros((1, CELLS, 5 + classes), np.float32)
    for place, thing in enumerate(things):
        x, y, width, height = _centred(thing.box)
        column, row = int(x // 8), int(y // 8)
        while table[0, row * GRID + column, 4]:  # the same thing once more, from the next cell
            column += 1
        logs = np.log(width / 8), np.log(height / 8)
        table[0, row * GRID + column, :5] = (x / 8 - column, y / 8 - row, *logs, thing.score)
        table[0, row * GRID + column, 5 + thing.number] = 1
        assert place < CELLS
    return {"output": table}


def yolov5(things: Sequence[Thing], classes: int = 80) -> dict[str, Array]:
    """Decoded, with objectness."""
    table = np.zeros((1, 3 * CELLS, 5 + classes), np.float32)
    for row, thing in enumerate(things):
        table[0, row, :5] = (*_centred(thing.box), thing.score)
        table[0, row, 5 + thing.number] = 1
    return {"output0": table}


def yolov8(things: Sequence[Thing], classes: int = 80) -> dict[str, Array]:
    """A column for each find."""
    table = np.zeros((1, 4 + classes, CELLS), np.float32)
    for column, thing in enumerate(things):
        table[0, :4, column] = _centred(thing.box)
        table[0, 4 + thing.number, column] = thing.score
    return {"output0": table}


def yolo26(things: Sequence[Thing]) -> dict[str, Array]:
    """Without doubles."""
    table = np.zeros((1, 300, 6), np.float32)
    for row, thing in enumerate(things):
        table[0, row] = (*thing.box, thing.score, thing.number)
    return {"output0": table}


def rtdetr(things: Sequence[Thing], classes: int = 80) -> dict[str, Array]:
    """As Ultralytics exports it: boxes in shares."""
    table = np.zeros((1, 300, 4 + classes), np.float32)
    for row, thing in enumerate(things):
        table[0, row, :4] = np.array(_centred(thing.box)) / SIDE
        table[0, row, 4 + thing.number] = thing.score
    return {"output0": table}


def dfine(things: Sequence[Thing]) -> dict[str, Array]:
    """Boxes in shares, which the graph multiplies by `orig_target_sizes`."""
    labels, boxes, scores = np.zeros((1, 300), np.int64), np.zeros((1, 300, 4), np.float32), np.zeros((1, 300))
    for row, thing in enumerate(things):
        labels[0, row], scores[0, row] = thing.number, thing.score
        boxes[0, row] = np.array(thing.box) / SIDE
    return {"labels": labels, "boxes": boxes, "scores": scores.astype(np.float32)}


def rfdetr(things: Sequence[Thing], classes: int = 91) -> dict[str, Array]:
    """Logits; COCO's own numbers, which begin with 1."""
    dets, labels = np.zeros((1, 300, 4), np.float32), np.full((1, 300, classes), -9, np.float32)
    for row, thing in enumerate(things):
        dets[0, row] = np.array(_centred(thing.box)) / SIDE
        labels[0, row, thing.number + 1] = np.log(thing.score / (1 - thing.score))
    return {"dets": dets, "labels": labels}


def write(
    path: Path,
    outputs: Mapping[str, Array],
    *,
    shape: Sequence[int | str] = (1, 3, SIDE, SIDE),
    kind: int = TensorProto.FLOAT,
    metadata: Mapping[str, str] | None = None,
    operator: str = "",
) -> Path:
    """A model that answers with these outputs whatever it sees; with `operator`, by one that nobody knows."""
    inputs = [helper.make_tensor_value_info("images", kind, shape)]
    nodes = [
        helper.make_node("Cast", ["images"], ["seen"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["seen"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
    ]
    weights = [helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0])]
    described = []
    for name, values in outputs.items():
        whole = values.dtype == np.int64
        element = TensorProto.INT64 if whole else TensorProto.FLOAT
        weights.append(helper.make_tensor(f"{name}_", element, values.shape, values.tobytes(), raw=True))
        described.append(helper.make_tensor_value_info(name, element, values.shape))
        if whole:
            nodes.append(helper.make_node(operator or "Identity", [f"{name}_"], [name]))
        elif name == "boxes":
            inputs.append(helper.make_tensor_value_info("orig_target_sizes", TensorProto.INT64, [1, 2]))
            weights.append(helper.make_tensor("axis", TensorProto.INT64, [1], [1]))
            nodes += [
                helper.make_node("Cast", ["orig_target_sizes"], ["sizes"], to=TensorProto.FLOAT),
                helper.make_node("Concat", ["sizes", "sizes"], ["twice"], axis=1),
                helper.make_node("Unsqueeze", ["twice", "axis"], ["each"]),
                helper.make_node("Mul", [f"{name}_", "each"], [name]),
            ]
        else:
            nodes.append(helper.make_node(operator or "Add", [f"{name}_", "nothing"], [name]))
    graph = helper.make_graph(nodes, "made", inputs, described, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, dict(metadata or {}))
    onnx.save(model, str(path))
    return path


def _centred(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    return (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
