"""A row of the results table: what is known of an event, the same in every database. Described in docs/tables.md."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from app.messages import Inspection
from app.publishers import PublisherContext

VERSION = 1
"""Of the row: columns may be added to a version, none is renamed or retyped in it."""

TEXT_BYTES = 2000
"""Of one text, in UTF-8; a key of an index takes no more than 2,048 in DynamoDB, and 2,704 in PostgreSQL."""
LABEL_BYTES = 200_000
"""Of all labels; a row of DynamoDB has 400 KB."""

OPEN, CONFIRMED, CORRECTED = "open", "confirmed", "corrected"
"""What people have made of an event: nothing yet, or its labels are right, or others are."""


REFUSED_S = 7 * 86_400.0
"""Seconds after which a row is given up that the database refuses all the time, and others not."""


class Column(NamedTuple):
    """One value of a row."""

    name: str
    dynamodb: str
    """Its type there: S, N, BOOL, L."""
    postgres: str
    """Its type there, and its constraints."""
    meaning: str


COLUMNS = (
    Column("id", "S", "text PRIMARY KEY", "The event's id, as in every message of it: 32 hexadecimal digits."),
    Column("schema", "N", "integer NOT NULL", "Version of the row: 1."),
    Column("camera", "S", "text NOT NULL", "The camera's device key."),
    Column("label", "S", "text", "What people call the place."),
    Column("time", "S", "timestamptz NOT NULL", "When the picture was taken, or given up."),
    Column("time_s", "N", "double precision NOT NULL", "The same in Unix seconds, to sort and to calculate with."),
    Column("triggered_at", "S", "timestamptz NOT NULL", "When it happened, by the sensor's clock."),
    Column("delay_s", "N", "double precision", "Seconds from then to the picture."),
    Column("origin", "S", "text", "Where the trigger or the picture came from: `rabbitmq`, `http`, `ftp` ..."),
    Column("decision", "S", "text", "The word for what was seen, as in messages: `person`, `no_person` ..."),
    Column("persons", "N", "integer NOT NULL", "How many persons were seen."),
    Column("labels", "L", "jsonb NOT NULL", "What was seen, the detector's order: `name` and `confidence` (0 to 1)."),
    Column("labels_left_out", "N", "integer", "How many labels had no room in the row; there when some had none."),
    Column("detector", "S", "text", "Kind of the detector that looked."),
    Column("problem", "S", "text", "Why there is no picture or no detection, as `code: sentence`."),
    Column("bucket", "S", "text", "The bucket that the picture was found in."),
    Column("object_key", "S", "text", "Its key there."),
    Column("storage_url", "S", "text", "A link to where the pictures are archived."),
    Column("storage_path", "S", "text", "The picture's path in the service's cache."),
    Column("picture_url", "S", "text", "A link that opens the picture for some days."),
    Column("event_url", "S", "text", "The event's page in the album, which asks for a login."),
    Column("review", "S", "text NOT NULL", "`open`; `confirmed` or `corrected` once somebody named what is there."),
    Column("review_labels", "L", "text[]", "What that person named."),
    Column("description", "S", "text", "A sentence about the picture, once a model has said one."),
    Column("written_at", "S", "timestamptz NOT NULL", "When the row was written."),
    Column("expires", "N", "timestamptz", "When it may go, by `keep_days` (DynamoDB: in Unix seconds)."),
)
CHANGING = (
    *("decision", "persons", "labels", "labels_left_out", "detector", "problem"),
    *("review", "review_labels", "description"),
)
"""The columns that change once a row is written: with what is seen by looking again, and with what people say."""

Row = dict[str, Any]
"""A value or None for each column: text, numbers, moments in UTC, and lists of these."""


def row_of(
    inspection: Inspection,
    context: PublisherContext,
    *,
    keep_days: float = 0,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Row:
    """The row of an event. `keep_days`: 0 for one that stays for ever."""
    snapshot, written = inspection.snapshot, now()
    labels, left_out = _labels(inspection)
    has_picture = bool(snapshot.path)
    return {
        "id": inspection.id,
        "schema": VERSION,
        "camera": text(snapshot.camera) or "?",  # no key of an index is empty
        "label": text(snapshot.label),
        "time": snapshot.taken_at.astimezone(UTC),
        "time_s": round(snapshot.taken_at.timestamp(), 6),
        "triggered_at": snapshot.timestamp.astimezone(UTC),
        "delay_s": _number(snapshot.delay_s),
        "origin": text(snapshot.origin),
        "decision": text(inspection.decision),
        "persons": inspection.detection.person_count,
        "labels": labels,
        "labels_left_out": left_out or None,
        "detector": text(inspection.detector),
        "problem": text(inspection.problem),
        "bucket": text(snapshot.bucket),
        "object_key": text(snapshot.object_key),
        "storage_url": text(context.storage_url()),
        "storage_path": text(snapshot.path),
        "picture_url": text(context.picture_url(inspection.id)) if has_picture else None,
        "event_url": text(context.event_url(inspection.id)),
        **review_of(inspection),
        "written_at": written,
        "expires": written + timedelta(days=keep_days) if keep_days else None,
    }


def review_of(inspection: Inspection) -> Row:
    """The part of the row that changes with what is said of the event later."""
    named, description = inspection.review.labels, text(inspection.description)
    if named is None:
        return {"review": OPEN, "review_labels": None, "description": description}
    detected = {label.name.casefold() for label in inspection.detection.labels}
    state = CONFIRMED if {name.casefold() for name in named} == detected else CORRECTED
    return {"review": state, "review_labels": [text(name) or "" for name in named], "description": description}


def text(value: str) -> str | None:
    """As every database takes it, and no longer than `TEXT_BYTES`, with a mark where it was; None for nothing."""
    clean = value.replace("\0", "\ufffd").encode("utf-8", "replace")
    if len(clean) <= TEXT_BYTES:
        return clean.decode() or None
    mark = "…"
    return clean[: TEXT_BYTES - len(mark.encode())].decode("utf-8", "ignore") + mark


def _labels(inspection: Inspection) -> tuple[Sequence[Mapping[str, Any]], int]:
    """As many labels as there is room for, and how many more there are."""
    kept: list[Mapping[str, Any]] = []
    room = LABEL_BYTES
    for label in inspection.detection.labels:
        entry = {"name": text(label.name) or "", "confidence": _number(label.confidence)}
        room -= len(json.dumps(entry, ensure_ascii=False).encode())
        if room < 0:
            break
        kept.append(entry)
    return kept, len(inspection.detection.labels) - len(kept)


def _number(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None
