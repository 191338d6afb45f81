"""The picture that goes out with an event."""

from __future__ import annotations

import dataclasses

import structlog

from app.messages import Inspection
from app.publishers import PublisherContext
from pylib.errors import Failure
from pylib.files import durable

log = structlog.get_logger(__name__)

CODES = {
    "picture_missing": ("The picture was deleted before the event went out.", "delete later"),
}
"""Code -> what happened, and what to do about it."""


def moving(inspection: Inspection, context: PublisherContext) -> bytes:
    """The event's animation, a GIF; empty where it has one picture, or the still one has to do, which is logged."""
    if inspection.snapshot.frames < 2 or not inspection.snapshot.path:
        return b""
    try:
        return context.animation(inspection.id)
    except (Failure, OSError) as error:
        log.warning(
            "no animation, the picture goes out", target=context.name, event_id=inspection.id, reason=str(error)
        )
        return b""


def with_picture(inspection: Inspection) -> tuple[Inspection, bytes]:
    """The event and its picture; a picture that cannot be read costs the event its picture, not the event."""
    if not inspection.snapshot.path:
        return inspection, b""
    try:
        return inspection, durable.read(inspection.snapshot.path)
    except OSError as error:
        log.warning("picture gone, event goes without", event_id=inspection.id, reason=error.strerror)
        problem = f"picture_missing: {error.strerror or type(error).__name__}"
        return dataclasses.replace(inspection, problem=inspection.problem or problem), b""
