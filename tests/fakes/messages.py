"""Events that people are told of, and browsers that want to be told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.messages import Box, Detection, Inspection, Label, Snapshot
from app.rules.subscribers import Subscriber
from tests.fakes.archives import event_id
from tests.fakes.cameras import jpeg

EVENING = datetime(2026, 3, 4, 21, 10, tzinfo=UTC)
"""Ten past ten in Berlin."""

BOX = Box(0.1, 0.2, 0.3, 0.4)


def an_event(
    number: int = 1,
    *,
    seen: Sequence[tuple[str, int]] = (("Person", 1),),
    place: str = "Front Door",
    folder: Path | None = None,
    problem: str = "",
    minutes: float = 0.0,
) -> Inspection:
    """An event in the evening; `seen`: labels and how many of each; its picture lies in `folder`, if there is one."""
    path = ""
    if folder is not None:
        file = folder / f"{event_id(number)}.jpg"
        file.write_bytes(jpeg(640, 360))
        path = str(file)
    taken = EVENING + timedelta(minutes=minutes)
    camera = f"{place} Camera"
    snapshot = Snapshot(event_id(number), camera, place, taken, taken, 0.4, "http", path, problem=problem)
    labels = tuple(Label(name, 0.97, (BOX,) * count) for name, count in seen)
    return Inspection(snapshot, "hog", Detection(labels, dict(seen).get("Person", 0)), "person", problem)


class FakeSubscribers:
    """Browsers in memory."""

    def __init__(self, *known: Subscriber) -> None:
        self.known = {one.endpoint: one for one in known}

    def subscribe(self, subscriber: Subscriber) -> None:
        self.known[subscriber.endpoint] = subscriber

    def unsubscribe(self, endpoint: str) -> None:
        self.known.pop(endpoint, None)

    def subscribers(self, outlet: str = "") -> Sequence[Subscriber]:
        return [one for one in self.known.values() if outlet in ("", one.outlet)]
