"""The one way in for a pushed picture: validated, stored and recorded, each only once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path, PurePath
from typing import Protocol

from app.media.picture import examine
from app.messages import Inspection, Snapshot
from app.storage.cache import Cache
from app.uploads.capture_time import CaptureTime


@dataclass(frozen=True, slots=True)
class PushedPicture:
    """A file that was pushed as a camera's picture, and what is known about it."""

    event_id: str
    camera: str
    label: str
    origin: str
    data: bytes
    name: PurePath
    """What its sender calls it; it may hold the time."""
    written: datetime
    """When the file was last written to."""
    claimed: datetime | None = None
    """When it was taken, according to its sender."""
    bucket: str = ""
    """The bucket that it was found in."""
    object_key: str = ""
    """Its key there."""
    file: Path | None = None
    """Where it lies, if no program writes to it any more: the cache then links it instead of writing it again."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The picture was received before."""

    earlier: Snapshot


class Record(Protocol):
    """Records a snapshot durably, with the digest by which its picture is recognised."""

    def __call__(self, snapshot: Snapshot, *, content: bytes) -> None: ...


class Ingest:
    """Takes in pushed pictures. Thread-safe."""

    def __init__(
        self,
        cache: Cache,
        *,
        capture_time: CaptureTime,
        max_pixels: int,
        earlier: Callable[[PushedPicture, bytes], Inspection | Snapshot | None] = lambda _pushed, _content: None,
        attempt: Callable[[PushedPicture], AbstractContextManager[None]] = lambda _pushed: nullcontext(),
    ) -> None:
        """`earlier`: the snapshot of the same picture, by its SHA-256; `attempt` is around what decodes it."""
        self._cache = cache
        self._capture_time = capture_time
        self._max_pixels = max_pixels
        self._earlier = earlier
        self._attempt = attempt

    def take(self, pushed: PushedPicture, *, record: Record) -> Snapshot | Duplicate:
        """Take a picture in: its file is on the disk before `record` is called, and both when this returns.

        Raises `app.media.picture.BadPicture`, `app.storage.cache.CacheUnavailable`, and what `attempt` and `record`
        raise.
        """
        content = hashlib.sha256(pushed.data).digest()
        found = self._earlier(pushed, content)
        if found is not None:
            return Duplicate(found.snapshot if isinstance(found, Inspection) else found)
        snapshot = self._store(pushed)
        record(snapshot, content=content)
        return snapshot

    def _store(self, pushed: PushedPicture) -> Snapshot:
        with self._attempt(pushed):
            picture = examine(pushed.data, max_pixels=self._max_pixels)
            taken_at = self._capture_time.taken_at(
                pushed.name, pushed.data, camera=pushed.camera, written=pushed.written, claimed=pushed.claimed
            )
        cache = self._cache
        keep = partial(cache.adopt, pushed.file) if pushed.file else partial(cache.store, pushed.data)
        path = keep(event_id=pushed.event_id, camera=pushed.camera, taken_at=taken_at, format=picture.format)
        return Snapshot(
            id=pushed.event_id,
            camera=pushed.camera,
            label=pushed.label,
            timestamp=taken_at,
            taken_at=taken_at,
            delay_s=0.0,
            origin=pushed.origin,
            path=str(path),
            size=len(pushed.data),
            width=picture.width,
            height=picture.height,
            bucket=pushed.bucket,
            object_key=pushed.object_key,
        )
