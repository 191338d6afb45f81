"""An event in one line, for people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

from app.cli.terminal import counted, people, size_text


def event_line(event: Mapping[str, Any], *, zone: tzinfo) -> str:
    """`2026-11-30 08:15:02  Front Door  1 person, 2 things  412 kB`, of an event as the API has it."""
    size = event.get("size") or 0
    words = (moment(event, zone), str(event.get("device_label", "?")), what(event), size_text(size) if size else "")
    return "  ".join(word for word in words if word)


def moment(event: Mapping[str, Any], zone: tzinfo) -> str:
    """When its picture was taken, or over the broker, where that is not said, when its trigger was."""
    try:
        taken = event.get("taken_at")
        at = datetime.fromisoformat(taken) if taken else datetime.fromtimestamp(float(event["image_timestamp"]), zone)
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    except (KeyError, TypeError, ValueError, OverflowError):
        return ""


def what(event: Mapping[str, Any]) -> str:
    """What is in it, or why there is no picture."""
    return str(event.get("problem") or seen(event) or ", ".join(_labels(event)) or "nothing found")


def seen(event: Mapping[str, Any]) -> str:
    """`1 person, 2 things`, where there is a person."""
    persons = event.get("person_count")
    if not event.get("event_detail") or not isinstance(persons, int):
        return str(event.get("event_detail") or "")
    return f"{people(persons)}, {counted(len(event.get('labels') or ()), 'thing')}"


def _labels(event: Mapping[str, Any]) -> list[str]:
    corrected = event.get("corrected_labels")
    return corrected if corrected is not None else [label["name"] for label in event.get("labels") or ()]
