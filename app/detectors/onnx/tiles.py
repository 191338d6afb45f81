"""Looks at a picture as a whole and, where that is asked for, at its parts, in which small things are larger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from app.detectors.onnx.boxes import Array, Finds, joined, without_doubles
from app.detectors.onnx.model import Model

if TYPE_CHECKING:
    from app.detectors.onnx import OnnxSettings

_MORE = 0.2
"""Share of a tile by which it reaches into each of its neighbours: what is cut by its edge is whole in one of them,
or too large for a tile."""
_EDGE = 0.03
"""Share of a tile from an inner edge within which a box counts as cut."""


def look(model: Model, pixels: Array, *, settings: OnnxSettings) -> Finds:
    """What is in these pixels, each thing once. Raises `RunFailed`."""
    minimum, tiles = settings.minimum_confidence, settings.tiles
    finds = model.look(pixels, minimum)
    if tiles > 1:
        finds = joined([finds, *_in_tiles(model, pixels, tiles, minimum)])
    return without_doubles(finds, settings.overlap) if tiles > 1 or model.family.doubles else finds


def _in_tiles(model: Model, pixels: Array, tiles: int, minimum: float) -> Iterator[Finds]:
    height, width = pixels.shape[:2]
    for top, bottom in spans(height, tiles):
        for left, right in spans(width, tiles):
            found = model.look(pixels[top:bottom, left:right], minimum)
            moved = found.moved(by=(float(left), float(top)), scale=(1.0, 1.0))
            yield moved.where(_whole(moved.boxes, (left, top, right, bottom), width, height))


def spans(side: int, tiles: int) -> list[tuple[int, int]]:
    """From where to where each tile of a side goes, in pixels."""
    step = side / tiles
    more = step * _MORE
    return [
        (max(0, round(number * step - more)), min(side, round((number + 1) * step + more))) for number in range(tiles)
    ]


def _whole(boxes: Array, tile: tuple[int, int, int, int], width: int, height: int) -> Array:
    """Which boxes do not touch an edge of the tile that is none of the picture's."""
    left, top, right, bottom = tile
    across, down = (right - left) * _EDGE, (bottom - top) * _EDGE
    return np.asarray(
        ((boxes[:, 0] > left + across) | (left == 0))
        & ((boxes[:, 1] > top + down) | (top == 0))
        & ((boxes[:, 2] < right - across) | (right == width))
        & ((boxes[:, 3] < bottom - down) | (bottom == height))
    )
