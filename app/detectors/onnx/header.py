"""Reads what an ONNX file says of itself, without a runtime: inputs, outputs, metadata.

The file is a protobuf message (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto); the numbers are its fields'.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FLOAT, FLOAT16, INT64 = 1, 10, 7
"""Types of elements (TensorProto.DataType)."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
"""Wire types (https://protobuf.dev/programming-guides/encoding/)."""

Field = tuple[int, int | memoryview]


class NotOnnx(ValueError):
    """The file is no ONNX model."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output."""

    name: str
    type: int
    shape: tuple[int, ...]
    """0 for a size that is open."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a model says of itself."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[str, ...]
    metadata: Mapping[str, str]


def read(path: Path) -> Header:
    """Raises `NotOnnx`, or OSError where there is nothing to read."""
    with path.open("rb") as file:
        try:  # closed by the last view of it, of which an error still holds some
            return _header(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))
        except (ValueError, IndexError, TypeError):  # an empty file, or not of this form
            raise NotOnnx(f"{path.name} is no ONNX model") from None


def _header(view: memoryview) -> Header:
    graph: list[memoryview] = []
    metadata = {}
    for number, value in _fields(view):
        if number == 7:
            graph.append(_bytes(value))
        elif number == 14:
            pair = dict(_fields(_bytes(value)))
            metadata[_text(pair[1])] = _text(pair.get(2, memoryview(b"")))
    (of_graph,) = graph
    inputs, outputs, weights = [], [], set()
    for number, value in _fields(of_graph):
        if number == 5:
            weights.add(next((_text(inner) for at, inner in _fields(_bytes(value)) if at == 8), ""))
        elif number == 11:
            inputs.append(_tensor(_bytes(value)))
        elif number == 12:
            outputs.append(_tensor(_bytes(value)).name)
    if not outputs:
        raise ValueError
    # Older files list their weights among the inputs.
    return Header(tuple(one for one in inputs if one.name not in weights), tuple(outputs), metadata)


def _tensor(view: memoryview) -> Tensor:
    name, kind = "", 0
    shape: tuple[int, ...] = ()
    for number, value in _fields(view):
        if number == 1:
            name = _text(value)
        elif number == 2:
            for inner, described in _fields(_bytes(value)):
                if inner == 1:
                    kind, shape = _described(_bytes(described))
    return Tensor(name, kind, shape)


def _described(view: memoryview) -> tuple[int, tuple[int, ...]]:
    kind, shape = 0, []
    for number, value in _fields(view):
        if number == 1 and isinstance(value, int):
            kind = value
        elif number == 2:
            shape = [dict(_fields(_bytes(size))).get(1, 0) for at, size in _fields(_bytes(value)) if at == 1]
    return kind, tuple(size if isinstance(size, int) else 0 for size in shape)


def _fields(view: memoryview) -> Iterator[Field]:
    at = 0
    while at < len(view):
        key, at = _varint(view, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(view, at)
            yield number, value
        elif wire in (_FIXED64, _FIXED32):
            at += 8 if wire == _FIXED64 else 4
        elif wire == _BYTES:
            size, at = _varint(view, at)
            if at + size > len(view):
                raise ValueError
            yield number, view[at : at + size]
            at += size
        else:
            raise ValueError


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 64:
        byte = view[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError


def _bytes(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise TypeError
    return value


def _text(value: int | memoryview) -> str:
    return str(_bytes(value), "utf-8")
