"""Pictures uploaded over HTTP: stored and recorded before they are accepted, then treated like any other."""

from __future__ import annotations

import hashlib
import queue
import uuid
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import PurePosixPath

import structlog

from app.journal import Journal
from app.media.adjustments import AS_IT_CAME, Adjustments
from app.media.picture import BadPicture
from app.messages import Inspection, Snapshot
from app.pipeline.ingest import Duplicate, Ingest, PushedPicture
from app.storage.cache import Cache
from app.uploads.capture_time import CaptureTime
from pylib.runtime.key_locks import KeyedLock
from pylib.runtime.shared_lock import SharedLock

log = structlog.get_logger(__name__)

ORIGIN = "http"
LONGEST_NAME = 500
"""Characters of a file's name that are used, its last ones."""


class HttpUploads:
    """A source of snapshots. `submit` may be called from any thread; `poll` belongs to the feeder's."""

    def __init__(
        self,
        journal: Journal,
        cache: Cache,
        *,
        capture_time: CaptureTime,
        max_pixels: int,
        adjustments: Callable[[str], Adjustments] = lambda _camera: AS_IT_CAME,
        attempts: SharedLock | None = None,
        count: Callable[[str, str], None] = lambda _camera, _outcome: None,
        receiving: Callable[[str, str], AbstractContextManager[object]] = lambda _id, _camera: nullcontext(),
    ) -> None:
        """`attempts`: held by all that decode what comes from outside; `receiving`: around the work on a picture, by
        the id of the event that it becomes and its camera.

        `count` gets the camera, and `ok`, `duplicate`, or why it is no picture.
        """
        self._journal = journal
        together = attempts or SharedLock()
        self._ingest = Ingest(
            cache,
            capture_time=capture_time,
            max_pixels=max_pixels,
            adjustments=adjustments,
            earlier=self._earlier,
            attempt=lambda _pushed: together.shared(),
        )
        self._count = count
        self._receiving = receiving
        self._turns = KeyedLock()
        self._queue: queue.SimpleQueue[Snapshot] = queue.SimpleQueue()

    def submit(
        self,
        data: bytes,
        *,
        camera: str,
        label: str,
        name: str = "",
        taken_at: datetime | None = None,
        note: str = "",
    ) -> Snapshot:
        """Accept a picture: it and its record are on the disk when this returns.

        `name` is the file's, from its sender. It and `taken_at` are trusted as far as a camera's upload is.
        For a picture that this camera has in the cache already, the earlier snapshot is returned and nothing is
        changed. Raises `BadPicture`, `CacheUnavailable`, `DatabaseUnavailable`.
        """
        pushed = PushedPicture(
            event_id=uuid.uuid4().hex,
            camera=camera,
            label=label,
            origin=ORIGIN,
            data=data,
            name=PurePosixPath(name.replace("\\", "/")[-LONGEST_NAME:]),
            written=datetime.now(UTC),
            claimed=taken_at,
        )
        with self._turns.take((camera, hashlib.sha256(data).digest())), self._receiving(pushed.event_id, camera):
            try:
                snapshot = self._ingest.take(pushed, record=partial(self._journal.record, note=note))
            except BadPicture as error:
                self._count(camera, error.code)
                raise
        if isinstance(snapshot, Duplicate):
            log.info("uploaded before", camera=camera, event_id=snapshot.earlier.id)
            self._count(camera, "duplicate")
            return snapshot.earlier
        self.hand_over(snapshot)
        self._count(camera, "ok")
        return snapshot

    def hand_over(self, snapshot: Snapshot) -> None:
        """Pass on a snapshot that is recorded already; from any thread."""
        self._queue.put(snapshot)

    def poll(self, timeout: float) -> Iterable[Snapshot]:
        try:
            return [self._queue.get(timeout=timeout)]
        except queue.Empty:
            return ()

    def close(self) -> None:
        """Nothing to do: what is still queued is in the journal."""

    def _earlier(self, pushed: PushedPicture, content: bytes) -> Snapshot | None:
        """The snapshot of the same picture, as long as that picture is in the cache."""
        found = self._journal.find(self._journal.sent_before(pushed.camera, content))
        snapshot = found.snapshot if isinstance(found, Inspection) else found
        return snapshot if snapshot is not None and snapshot.path else None
