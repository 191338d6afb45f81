"""A bucket without a network, and objects that are announced."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from app.messages import ObjectCreated
from app.pipeline.collect import ObjectContent, ObjectRejected
from app.sources import object_id

WRITTEN = datetime(2026, 3, 4, 12, tzinfo=UTC)


def an_object(key: str = "yard/a.jpg", **changes: Any) -> ObjectCreated:
    """One that was announced by the queue `queue`."""
    found = ObjectCreated(
        id="",
        camera="Yard Camera",
        label="Yard",
        origin="queue",
        bucket="photos",
        key=key,
        timestamp=WRITTEN,
        receipt=f"message:{key}",
    )
    found = replace(found, **changes)
    return replace(found, id=object_id(found))


class FakeBucket:
    """What an object source is to the collect stage: `content` by key, and what it was told."""

    def __init__(self) -> None:
        self.content: dict[str, bytes | Exception] = {}
        self.metadata: dict[str, str] = {}
        self.reads = 0
        self.acknowledged: list[str] = []
        self.retried: list[tuple[str, float]] = []

    def read(self, found: ObjectCreated) -> ObjectContent:
        self.reads += 1
        content = self.content.get(found.key, ObjectRejected("object_gone", "there is no such object"))
        if isinstance(content, Exception):
            raise content
        return ObjectContent(content, self.metadata)

    def acknowledge(self, receipt: str) -> None:
        self.acknowledged.append(receipt)

    def retry(self, receipt: str, *, after: float) -> None:
        self.retried.append((receipt, after))
