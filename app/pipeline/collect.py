"""The collect stage: turns an object in a bucket into a recorded snapshot, or its reason why there is none."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Protocol, runtime_checkable
from urllib.parse import unquote

import structlog

from app.journal import Backoff, Journal, RecordedObject
from app.media.adjustments import AS_IT_CAME, Adjustments
from app.media.picture import BadPicture
from app.messages import ObjectCreated, Snapshot
from app.pipeline.ingest import Ingest, PushedPicture
from app.storage.cache import Cache
from app.uploads.capture_time import CaptureTime
from pylib import tracing
from pylib.errors import Permanent, Transient
from pylib.observability.printable import printable
from pylib.runtime.shared_lock import SharedLock
from pylib.runtime.stage import Stage

log = structlog.get_logger(__name__)

SUPERSEDED, OWN_OUTPUT, DUPLICATE = "superseded", "own output", "duplicate"
"""Why an object becomes no snapshot: a newer one is under its key, we wrote it ourselves, it is recorded already."""
OUR_MARKS = ("snapshot-processor", "event-id")
"""Metadata of objects that this service wrote: what it is, and in older archives the event's id."""
FILE_NAME = "file-name"
"""Metadata of objects from the upload form: what the file was called, percent-encoded."""
MOST_ATTEMPTS = 2
"""Attempts that may end with the process's: it may have been chance, or another object's fault."""
LONGEST_NOTE = 2000
"""Characters of a note that came with an object."""
BACKOFF = Backoff(first_s=1.0, last_s=60.0)

CODES = {
    "internal_error": (
        "Something in the service itself went wrong. The log says more.",
        "report it, with the traceback from the log",
    ),
    "killed_twice": (
        "The service ended twice, unasked, while it worked on this object.",
        "look for `killed process` in the system's log (memory); look at the object elsewhere, and report it",
    ),
}
"""Code -> what happened, and what to do about it."""


class ObjectRejected(Permanent):
    """No picture will ever come of this object."""


class ObjectUnavailable(Transient):
    """The object cannot be read now."""


@dataclass(frozen=True, slots=True)
class ObjectContent:
    """An object as it was read."""

    data: bytes
    metadata: Mapping[str, str]
    """Of its writer, names in small letters."""


@runtime_checkable
class ObjectReader(Protocol):
    """The source of an object: reads it, and hears what became of it. Every method may be called from any thread."""

    def read(self, found: ObjectCreated) -> ObjectContent:
        """What is in it, within bounded time and memory.

        Raises `ObjectRejected` (`object_gone`, `object_changed`, `too_large`) or `ObjectUnavailable`.
        """
        ...

    def acknowledge(self, receipt: str) -> None:
        """Its outcome is recorded: it need not be delivered again."""
        ...

    def retry(self, receipt: str, *, after: float) -> None:
        """Deliver it once more in so many seconds: it could not be read now."""
        ...


class Collect(Stage[ObjectCreated]):
    """Turns objects into recorded snapshots, and acknowledges each object as its last step.

    Of the objects of one key one at a time is handled: what was recorded of it last decides about the next.
    """

    def __init__(
        self,
        sources: Mapping[str, ObjectReader],
        *,
        journal: Journal,
        cache: Cache,
        capture_time: CaptureTime,
        labels: Mapping[str, str],
        max_pixels: int = 50_000_000,
        adjustments: Callable[[str], Adjustments] = lambda _camera: AS_IT_CAME,
        backoff: Backoff = BACKOFF,
        attempts: SharedLock | None = None,
        count: Callable[[str, str], None] = lambda _camera, _outcome: None,
        count_source: Callable[[str, str], None] = lambda _source, _outcome: None,
    ) -> None:
        """`sources`: by name; `labels`: device key -> what people call the place, of every configured camera;
        `attempts`: held by all that decode what comes from outside.

        `count` gets the camera, and `ok`, `duplicate`, `superseded`, `own output`, or why it is no picture;
        `count_source` the source of each object that was read, and `accepted`.
        """
        self._sources = sources
        self._journal = journal
        self._labels = labels
        self._backoff = backoff
        self._count = count
        self._count_source = count_source
        self._ingest = Ingest(cache, capture_time=capture_time, max_pixels=max_pixels, adjustments=adjustments)
        self._attempts = attempts or SharedLock()
        self._tries: dict[str, int] = {}

    def handle(self, found: ObjectCreated) -> Iterable[Snapshot]:
        source = self._sources[found.origin]
        try:
            snapshot = self._collect(found, source)
        except ObjectUnavailable as error:
            tries = self._tries[found.id] = self._tries.get(found.id, 0) + 1
            after = _delay(self._backoff, tries)
            # An outage has as many of these as there are objects: its source says once that there is one.
            log.debug("object not readable now", **_named(found), reason=str(error), seconds=round(after, 1))
            source.retry(found.receipt, after=after)
            return []
        except Transient:
            raise
        except Exception as error:
            log.exception("unexpected error", **_named(found))
            snapshot = self._failed(found, Permanent("internal_error", type(error).__name__))
        self._tries.pop(found.id, None)
        source.acknowledge(found.receipt)
        self._count_source(found.origin, "accepted")
        return [snapshot] if snapshot else []

    def _collect(self, found: ObjectCreated, source: ObjectReader) -> Snapshot | None:
        """The recorded snapshot, or None where there is none; what became of the object is recorded in any case."""
        known = self._journal.object_found(found)
        if known and known.outcome and (reason := self._settled(found, known)):
            self._count(found.camera, reason)
            return None
        try:
            content = source.read(found)
        except ObjectRejected as error:
            if error.code != "object_changed" or found.version:
                return self._failed(found, error)
            log.info("object was written over before it was read", **_named(found))
            self._passed_over(found, SUPERSEDED, known)  # what is there now has an event of its own
            return None
        if any(mark in content.metadata for mark in OUR_MARKS):
            self._passed_over(found, OWN_OUTPUT, None)
            return None
        found, note, name = self._as_sent(found, content.metadata)
        try:
            return self._picture(found, content.data, note, name, attempts=known.attempts if known else 0)
        except (BadPicture, ObjectRejected) as error:
            return self._failed(found, error)

    def _picture(self, found: ObjectCreated, data: bytes, note: str, name: str, *, attempts: int) -> Snapshot:
        pushed = PushedPicture(
            event_id=found.id,
            camera=found.camera,
            label=found.label,
            origin=found.origin,
            data=data,
            name=PurePosixPath(name),
            written=found.timestamp,
            bucket=found.bucket,
            object_key=found.key,
        )

        def record(snapshot: Snapshot, *, content: bytes) -> None:
            del content  # two keys are two pictures, whatever is in them
            self._journal.record_object(found, snapshot=snapshot, note=note)

        with self._attempt(found, attempts):
            snapshot = self._ingest.take(pushed, record=record)
        assert isinstance(snapshot, Snapshot)  # noqa: S101 - nothing is a duplicate by its content
        self._count(found.camera, "ok")
        return snapshot

    @contextmanager
    def _attempt(self, found: ObjectCreated, before: int) -> Iterator[None]:
        """Around the work by which an object can kill the process: the third attempt raises `ObjectRejected`.

        An object that was worked on when the process was killed is tried again alone, so that none is blamed for
        another.
        """
        if before >= MOST_ATTEMPTS:
            raise ObjectRejected("killed_twice", "the process ended twice while it worked on this object")
        if before:
            with self._attempts.alone(), self._marked(found):
                yield
        else:
            with self._attempts.shared(), self._marked(found) if found.redelivered else nullcontext():
                yield

    @contextmanager
    def _marked(self, found: ObjectCreated) -> Iterator[None]:
        """What is done meanwhile stays as an attempt in the journal if it is never done."""
        self._journal.begin_object(found)
        try:
            yield
        except Exception:
            self._journal.end_object(found)
            raise

    def _as_sent(self, found: ObjectCreated, metadata: Mapping[str, str]) -> tuple[ObjectCreated, str, str]:
        """The object with the camera that its sender named, if there is one, the sender's note, and its file's name.

        That, and not the key, which is ours, may say when the picture was taken.
        """
        camera = unquote(metadata.get("camera", ""))
        if camera in self._labels:
            found = replace(found, camera=camera, label=self._labels[camera])
        note = printable(unquote(metadata.get("note", "")), keep="\n\r\t")[:LONGEST_NOTE]
        return found, note, unquote(metadata.get(FILE_NAME, "")) or found.key

    def _settled(self, found: ObjectCreated, known: RecordedObject) -> str:
        """Why nothing is to be done about an object of which an outcome is recorded; empty where it is a newer one."""
        return _compared(found, known) or (DUPLICATE if self._journal.find(found.id) else "")

    def _passed_over(self, found: ObjectCreated, outcome: str, known: RecordedObject | None) -> None:
        """`known`: the outcome of another writing of the same key, which stands."""
        if not (known and known.outcome):
            self._journal.record_object(found, outcome=outcome)
        self._count(found.camera, outcome)

    def _failed(self, found: ObjectCreated, error: Permanent) -> Snapshot:
        snapshot = Snapshot(
            id=found.id,
            camera=found.camera,
            label=found.label,
            timestamp=found.timestamp,
            taken_at=datetime.now(UTC),
            delay_s=0.0,
            origin=found.origin,
            problem=str(error),
            bucket=found.bucket,
            object_key=found.key,
        )
        self._journal.record_object(found, snapshot=snapshot)
        tracing.failed(str(error))
        log.warning("object became no picture", **_named(found), reason=str(error))
        self._count(found.camera, error.code)
        return snapshot


def _compared(found: ObjectCreated, known: RecordedObject) -> str:
    """What an object is beside the one that is recorded under its key; empty for a newer one."""
    if found.version or found.id == known.outcome:
        return DUPLICATE
    if found.sequencer and known.sequencer:
        width = max(len(found.sequencer), len(known.sequencer))
        this, last = (one.ljust(width, "0").upper() for one in (found.sequencer, known.sequencer))
        return "" if this > last else DUPLICATE if this == last else SUPERSEDED
    return DUPLICATE if found.etag and found.etag == known.etag else ""


def _delay(backoff: Backoff, tries: int) -> float:
    return min(backoff.last_s, backoff.first_s * 2.0 ** min(tries - 1, 20)) * random.uniform(0.8, 1.2)


def _named(found: ObjectCreated) -> dict[str, str]:
    return {"source": found.origin, "bucket": found.bucket, "key": printable(found.key), "event_id": found.id}
