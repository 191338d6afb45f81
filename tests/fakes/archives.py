"""Archives that keep what a test lets them, and what goes into them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import md5
from pathlib import Path
from uuid import UUID

from app.archives import RemoteObject
from app.journal import Journal
from app.messages import Detection, Inspection, Label, Snapshot
from app.storage.cache import Cache
from tests.fakes.decisions import told_to

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


class FakeArchive:
    """Keeps what it is given; while `failure` is set, raises it."""

    concurrency = 4
    url = ""

    def __init__(self, name: str = "fake") -> None:
        self.name = name
        self.kept: dict[str, bytes] = {}
        self.failure: Exception | None = None
        self.attempts = 0
        self.opened = 0
        self.closed = False
        self._lock = threading.Lock()

    def open(self) -> None:
        self.opened += 1

    def store(self, inspection: Inspection, picture: bytes) -> None:
        with self._lock:
            self.attempts += 1
            if self.failure is not None:
                raise self.failure
            self.kept[inspection.id] = picture

    def entries(self) -> Iterator[RemoteObject]:
        for event_id, picture in self.kept.items():
            yield RemoteObject(event_id, f"{event_id}.jpg", len(picture), md5(picture).hexdigest())

    def describe(self) -> str:
        return "a fake"

    def close(self) -> None:
        self.closed = True


def event_id(number: int) -> str:
    """The 32 hex digits that stand for a number in tests."""
    return UUID(int=number).hex


def a_picture(
    cache: Cache | None,
    number: int = 1,
    *,
    picture: bytes = b"a picture",
    camera: str = "Yard Camera",
    at: datetime = NOON,
    labels: tuple[Label, ...] = (),
    persons: int = 0,
    problem: str = "",
) -> Inspection:
    """An inspection whose picture lies in the cache, a second later with each number; without cache only named."""
    taken = at + timedelta(seconds=number)
    path = Path(f"/cache/2026/03/04/yard-camera/{taken:%H%M%S}-{event_id(number)}.jpg")
    if cache is not None:
        path = cache.store(picture, event_id=event_id(number), camera=camera, taken_at=taken, format="JPEG")
    snapshot = Snapshot(
        id=event_id(number),
        camera=camera,
        label="Yard",
        timestamp=taken,
        taken_at=taken,
        delay_s=0.1,
        origin="rabbitmq",
        path="" if problem else str(path),
        size=0 if problem else len(picture),
        problem=problem,
    )
    return Inspection(snapshot, "hog", Detection(labels, persons), "person" if persons else "clear", problem)


def recorded(journal: Journal, inspection: Inspection, *targets: str) -> Inspection:
    """The same, in the journal, and owed to these targets."""
    journal.record(inspection.snapshot)
    journal.inspect(told_to(inspection, targets))
    return inspection
