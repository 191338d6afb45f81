"""The payload of events, and their routing keys on the exchanges."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgpack

from app.messages import Box, Inspection, Label
from app.wire import fields, trace
from pylib import tracing
from pylib.errors import Permanent


class MalformedEvent(Permanent):
    """A message on the event exchange that is no event of the contract's shape."""


class EventMessage(NamedTuple):
    """An event ready to publish."""

    routing_key: str
    body: bytes
    message_id: str
    headers: dict[str, str]
    """W3C trace context, where the trigger had one."""


def control_exchange(exchange: str) -> str:
    """The exchange that triggers come over (type direct); events go over `exchange` itself (type topic)."""
    return f"{exchange}_control"


def trigger_key(topic: str) -> str:
    return f"event.trigger.{topic}"


def event_key(topic: str, device_name: str) -> str:
    return f"event.notify.{topic}.{device_name}.image"


def heartbeat_key(topic: str) -> str:
    return f"event.heartbeat.{topic}"


def event(
    inspection: Inspection,
    *,
    picture: bytes,
    topic: str,
    device_name: str,
    storage_url: str = "",
    thumbnail_url: str = "",
    animation_url: str = "",
) -> EventMessage:
    """The event of an inspection, in MessagePack; `picture` is empty when there is none."""
    snapshot = inspection.snapshot
    context = trace_context(inspection)
    body: dict[str, object] = {
        "timestamp": _iso(snapshot.timestamp),
        "inputs": [{**_entry(inspection, storage_url, thumbnail_url, animation_url), "image": picture}],
        **context,
    }
    if snapshot.active_input is not None:
        body["active_input"] = snapshot.active_input
    packed = msgpack.packb(body, datetime=True)
    return EventMessage(event_key(topic, device_name), packed, inspection.id, context)


def description(inspection: Inspection) -> dict[str, Any]:
    """The same for people and programs that fetch the picture separately: flat, without the picture, fit for JSON."""
    snapshot = inspection.snapshot
    return {
        **_entry(inspection, "", "", ""),
        "timestamp": _iso(snapshot.timestamp),
        "taken_at": _iso(snapshot.taken_at),
        "width": snapshot.width,
        "height": snapshot.height,
        "size": snapshot.size,
        "active_input": _plain(snapshot.active_input),
        **trace_context(inspection),
    }


def parse_event(body: bytes, content_type: str = "") -> dict[str, Any]:
    """The map of an event; its `inputs` is a list of maps. Raises `MalformedEvent`."""
    try:
        value = fields.unpack(body, content_type)
    except Permanent as error:
        raise MalformedEvent(error.code, error.detail) from None
    inputs = value.get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(entry, dict) for entry in inputs):
        raise MalformedEvent("mistyped_field", "inputs must be a list of maps")
    return value


def _entry(inspection: Inspection, storage_url: str, thumbnail_url: str, animation_url: str) -> dict[str, object]:
    snapshot, detection = inspection.snapshot, inspection.detection
    entry: dict[str, object] = {
        "device_key": snapshot.camera,
        "device_label": snapshot.label,
        "type": "camera",
        "image_timestamp": str(math.floor(snapshot.timestamp.timestamp())),
        "storage_url": storage_url,
        "storage_path": snapshot.path,
        "event_id": snapshot.id,
        "person_count": detection.person_count,
        "labels": [_label(label) for label in detection.labels],
        "detector": inspection.detector,
        "decision": inspection.decision,
        "decision_reasons": {one.outlet: one.text for one in inspection.decisions if one.by_rule},
        "problem": inspection.problem,
        "delay_s": snapshot.delay_s,
        "thumbnail_url": thumbnail_url,
        "animation_url": animation_url,
        "origin": snapshot.origin,
        "frames": snapshot.frames,
        "best": inspection.best,
    }
    if inspection.description:
        entry["description"] = inspection.description
    if inspection.cost_usd:
        entry["cost_usd"] = inspection.cost_usd
    if inspection.detector_note:
        entry["detector_note"] = inspection.detector_note
    if detection.person_count:
        entry["event_detail"] = f"{detection.person_count} person(s) and {len(detection.labels)} things"
    return entry


def _label(label: Label) -> dict[str, object]:
    return {
        "name": label.name,
        "confidence": label.confidence,
        "boxes": [_box(box) for box in label.boxes],
    }


def _box(box: Box) -> list[float]:
    """[left, top, width, height] as fractions of the picture."""
    return [box.left, box.top, box.width, box.height]


def trace_context(inspection: Inspection) -> dict[str, str]:
    """W3C's trace context for who gets an event, as far as there is any: that of the work on it, or its trigger's."""
    snapshot = inspection.snapshot
    # Checked again: the journal of an earlier release may hold what no broker takes as a header.
    parent = tracing.traceparent() or trace.traceparent(snapshot.traceparent)
    context = {"traceparent": parent, "baggage": trace.baggage(snapshot.baggage)}
    return {name: value for name, value in context.items() if value}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _plain(value: Any) -> Any:
    """A value that MessagePack has and JSON has not, as the nearest one in JSON."""
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else str(_plain(key)): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, datetime):
        return _iso(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
