"""An event as one value of the index: what the album shows of it, for replicas of other releases too."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

import msgpack

from app.journal.entries import Entry
from app.messages import Box, Burst, Detection, Inspection, Label, OutletDecision, Review, Snapshot

T = TypeVar("T")


def packed(entry: Entry) -> bytes:
    """The event by the names of its fields."""
    value = {"inspection": entry.inspection, "note": entry.note, "archived_in": entry.archived_in}
    data: bytes = msgpack.packb(value, default=_fields, datetime=True)
    return data


def unpacked(data: bytes, **changes: Any) -> Entry:
    """The entry. What a newer release has added is passed over. `changes`: fields of it that stand elsewhere."""
    value = msgpack.unpackb(data, timestamp=3, strict_map_key=False)
    inspection = _inspection(value["inspection"])
    known = {"corrected": inspection.review.labels, "note": value["note"], "archived_in": (*value["archived_in"],)}
    return Entry(inspection, **{**known, **changes})


def _inspection(value: dict[str, Any]) -> Inspection:
    snapshot, detection, review = value["snapshot"], value["detection"], value["review"]
    return _made(
        Inspection,
        value,
        snapshot=_made(Snapshot, snapshot, burst=_made(Burst, snapshot["burst"]) if snapshot["burst"] else None),
        detection=_made(Detection, detection, labels=tuple(map(_label, detection["labels"]))),
        decisions=tuple(_made(OutletDecision, one) for one in value["decisions"]),
        review=_made(Review, review, labels=None if review["labels"] is None else tuple(review["labels"])),
    )


def _label(value: dict[str, Any]) -> Label:
    return _made(Label, value, boxes=tuple(_made(Box, box) for box in value["boxes"]))


def _made(kind: type[T], value: Mapping[str, Any], **changes: Any) -> T:
    names = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    return kind(**{**{name: one for name, one in value.items() if name in names}, **changes})


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
