"""What a webhook gets: the event as JSON (docs/webhook.schema.json), alone or in a form beside its picture."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

from urllib3.filepost import encode_multipart_formdata

from app import wire
from app.media.develop import shared
from app.media.formats import CONTENT_TYPES, GIF_START, SUFFIXES, format_of
from app.media.picture import BadPicture
from app.media.thumbnail import thumbnail
from app.messages import Box, Detection, Inspection, Label, OutletDecision, Snapshot
from app.publishers import PublisherContext

VERSION = 1
"""Of the schema: fields may be added to a version, none is renamed or retyped in it."""
JSON, TEXT = "application/json", "text/plain; charset=utf-8"


class Content(NamedTuple):
    """The body of a request."""

    data: bytes
    type: str


def event_of(inspection: Inspection, context: PublisherContext) -> dict[str, Any]:
    """The event, fit for JSON; also the names that templates know."""
    has_picture, moves = bool(inspection.snapshot.path), inspection.snapshot.frames > 1
    return {
        "version": VERSION,
        **wire.description(inspection),
        "storage_url": context.storage_url(),
        "thumbnail_url": context.thumbnail_url(inspection.id) if has_picture else "",
        "animation_url": context.animation_url(inspection.id) if has_picture and moves else "",
        "links": {
            "picture": context.picture_url(inspection.id) if has_picture else "",
            "event": context.event_url(inspection.id),
            "snooze": context.snooze_url(inspection.camera),
        },
        "decisions": [
            {"outlet": one.outlet, "told": one.tell, "reason": one.reason, "rule": one.rule}
            for one in inspection.decisions
            if one.by_rule  # the journal keeps no others, and a retry says what the first attempt said
        ],
    }


def plain(event: dict[str, Any]) -> Content:
    """The event as JSON."""
    return Content(json.dumps(event, ensure_ascii=False).encode(), JSON)


def own(text: str) -> Content:
    """The body of a template: JSON if it is some, else text."""
    try:
        json.loads(text)
    except ValueError:
        return Content(text.encode("utf-8", "replace"), TEXT)
    return Content(text.encode("utf-8", "replace"), JSON)


def form(content: Content, picture: bytes, *, event_id: str, width: int) -> Content:
    """A form of what would be the body, and of the picture if there is one, at most `width` pixels wide; 0 for all."""
    fields: dict[str, Any] = {"event": (None, content.data, content.type)}
    if not picture.startswith(GIF_START):
        picture = _for_others(picture, width)
    if picture:
        kind = "GIF" if picture.startswith(GIF_START) else format_of(picture)
        suffix = SUFFIXES.get(kind, ".bin")
        fields["picture"] = (event_id + suffix, picture, CONTENT_TYPES.get(suffix, "application/octet-stream"))
    return Content(*encode_multipart_formdata(fields))


def sample() -> dict[str, Any]:
    """An event with everything in it, on which templates are tried before the first one comes."""
    at = datetime(2026, 11, 20, 19, 3, 14, tzinfo=UTC)
    snapshot = Snapshot("0" * 32, "Front Door Camera", "Front Door", at, at, 0.1, "http", "/x.jpg", 1, 640, 480)
    labels = (Label("Person", 0.87, (Box(0.28, 0.23, 0.15, 0.67),)), Label("Dog", 0.6))
    decisions = (OutletDecision("phone", tell=True, reason="a person", rule="people"),)
    inspection = Inspection(snapshot, "hog", Detection(labels, 1), "person", decisions=decisions)
    return event_of(inspection, PublisherContext())


def _for_others(picture: bytes, width: int) -> bytes:
    """The picture without EXIF, at most so wide; empty where it is none (any more)."""
    if width:
        with suppress(BadPicture):  # of more pixels than the limit here, or damaged since: as wide as it is then
            return thumbnail(picture, width=width)
    try:
        return shared(picture)[0]
    except BadPicture:
        return b""
