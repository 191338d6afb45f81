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

from app.media.adjustments import AS_IT_CAME, Adjustments
from app.media.develop import developed
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
        adjustments: Callable[[str], Adjustments] = lambda _camera: AS_IT_CAME,
        earlier: Callable[[PushedPicture, bytes], Inspection | Snapshot | None] = lambda _pushed, _content: None,
        attempt: Callable[[PushedPicture], AbstractContextManager[None]] = lambda _pushed: nullcontext(),
    ) -> None:
        """`adjustments`: what is done to a camera's pictures now; `earlier`: the snapshot of the same picture, by the
        SHA-256 of what came; `attempt` is around what decodes it."""
        self._cache = cache
        self._capture_time = capture_time
        self._max_pixels = max_pixels
        self._adjustments = adjustments
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
            data, picture = developed(pushed.data, self._adjustments(pushed.camera), max_pixels=self._max_pixels)
            taken_at = self._capture_time.taken_at(
                pushed.name, pushed.data, camera=pushed.camera, written=pushed.written, claimed=pushed.claimed
            )
        cache = self._cache
        as_it_came = pushed.file if data is pushed.data else None
        keep = partial(cache.adopt, as_it_came) if as_it_came else partial(cache.store, data)
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
            size=len(data),
            width=picture.width,
            height=picture.height,
            bucket=pushed.bucket,
            object_key=pushed.object_key,
        )
