"""Values as columns hold them: times as Unix seconds, all that has parts as MessagePack."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgpack

from app.messages import Box, Burst, OutletDecision


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def packed(value: object) -> bytes | None:
    packed: bytes | None = None if value is None else msgpack.packb(value, datetime=True)
    return packed


def unpacked(data: bytes | None) -> Any:
    return None if data is None else msgpack.unpackb(data, timestamp=3, strict_map_key=False)


def packed_burst(burst: Burst | None) -> bytes | None:
    return None if burst is None else packed((burst.frames, burst.pace, burst.delay, burst.look))


def unpacked_burst(data: bytes | None) -> Burst | None:
    return Burst(*unpacked(data)) if data else None


def packed_boxes(boxes: Sequence[Box]) -> bytes | None:
    return packed([_sides(box) for box in boxes]) if boxes else None


def _sides(box: Box) -> tuple[float | bool, ...]:
    sides = (box.left, box.top, box.width, box.height)
    return (*sides, True) if box.still else sides


def packed_decisions(decisions: Sequence[OutletDecision]) -> bytes | None:
    """None where no rule said anything."""
    said = [(one.outlet, one.tell, one.reason, one.rule, one.digest_at) for one in decisions if one.by_rule]
    return packed(said) if said else None


def unpacked_decisions(data: bytes | None) -> tuple[OutletDecision, ...]:
    return tuple(OutletDecision(*one) for one in unpacked(data) or ())


def unpacked_boxes(data: bytes | None) -> tuple[Box, ...]:
    return tuple(Box(*box) for box in unpacked(data) or ())
