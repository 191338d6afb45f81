"""Events that a camera pushed several pictures for."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from app.messages import Inspection
from app.web.context import WebContext
from tests.fakes.bursts import walker
from tests.fakes.web import NOW, taken


def pushed(parts: WebContext, folder: Path, *ids: str) -> Inspection:
    """Several pictures, a second apart, that became one event: the first one's."""
    for number, event_id in enumerate(ids):
        at = NOW + timedelta(seconds=number)
        inspection = taken(parts, folder, event_id, taken_at=at, picture=walker(number), origin="ftp")
        parts.journal.record(inspection.snapshot)
        parts.journal.hold(inspection)
    parts.journal.settle(ids[0], ids[1:], (), why="sharpest")
    found = parts.journal.find(ids[0])
    assert isinstance(found, Inspection)
    return found
