"""What an event says on an MQTT broker."""

from __future__ import annotations

import json
from typing import Any

from app import wire
from app.media.formats import JPEG_START
from app.media.picture import BadPicture
from app.media.thumbnail import preview
from app.messages import Inspection
from app.publishers.mqtt.discovery import EVENT_TYPES

LONGEST_STATE = 255
"""Characters of a state in Home Assistant."""
MOST_LABELS = 30
SIDES = (2048, 1280, 800, 480)
"""Pixels of a picture's longer side, the first that makes it small enough."""
FIELDS = (
    *("event_id", "device_key", "device_label", "timestamp", "taken_at", "delay_s", "origin", "detector", "decision"),
    *("person_count", "problem"),
)
"""What an event has of the contract's, under the same names."""
TRACE = ("traceparent", "baggage")
"""What it has where its trace is known: MQTT 3.1.1 has no other place for it."""


def kind_of(inspection: Inspection) -> str:
    """One of `EVENT_TYPES`."""
    return inspection.decision if inspection.decision in EVENT_TYPES else "unknown"


def event(inspection: Inspection, *, picture_url: str, event_url: str) -> bytes:
    """Something happened, as JSON."""
    described = wire.description(inspection)
    body: dict[str, Any] = {
        "event_type": kind_of(inspection),
        **{name: described[name] for name in FIELDS},
        **{name: described[name] for name in TRACE if name in described},
        "labels": {label.name: round(label.confidence, 2) for label in inspection.detection.labels[:MOST_LABELS]},
        "picture_url": picture_url,
        "event_url": event_url,
    }
    return json.dumps(body).encode()


def state(inspection: Inspection) -> bytes:
    """How things are at the camera since, as JSON; each value fits into a state of Home Assistant."""
    looked = kind_of(inspection) != "unknown"
    labels = ", ".join(label.name for label in inspection.detection.labels) or "none"
    body = {
        "event_id": inspection.id,
        "taken_at": inspection.snapshot.taken_at.isoformat(),
        "persons": inspection.detection.person_count if looked else None,
        "labels": labels[:LONGEST_STATE] if looked else None,
        "problem": (inspection.problem or "none")[:LONGEST_STATE],
    }
    return json.dumps(body).encode()


def fitted(picture: bytes, most: int) -> bytes:
    """A JPEG of at most so many bytes; empty where none can be made."""
    if picture.startswith(JPEG_START) and len(picture) <= most:
        return picture
    try:
        sizes = (preview(picture, side=side) for side in SIDES)
        return next((made for made in sizes if len(made) <= most), b"")
    except BadPicture:
        return b""
