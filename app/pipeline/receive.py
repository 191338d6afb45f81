"""The receive stage: turns an uploaded file into a recorded snapshot, a video, a duplicate or quarantine."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path, PurePosixPath

import structlog

from app.journal import Journal
from app.media.adjustments import AS_IT_CAME, Adjustments
from app.messages import Snapshot, Upload
from app.pipeline.ingest import Ingest, PushedPicture
from app.pipeline.videos import KeepVideo
from app.storage.cache import Cache
from app.storage.videos import is_video
from app.uploads.capture_time import CaptureTime
from app.uploads.inbox import FOLDER, Inbox, InboxUnavailable
from app.uploads.quarantine import Quarantine
from pylib import tracing
from pylib.errors import Permanent
from pylib.runtime.stage import Stage

log = structlog.get_logger(__name__)

CODES = {
    "unknown_camera": (
        "No folder that the file was put in is a camera's.",
        "correct the folder in the camera, or configure the camera",
    ),
    "too_large": (
        "The file is larger than the limit allows.",
        "raise UPLOADS_MAX_BYTES, or choose a smaller picture in the camera",
    ),
    "unreadable": (
        "It is no regular file, or one that the service may not read.",
        "give the service the rights to what others put there",
    ),
    "killed_twice": (
        "The service ended twice, unasked, while it worked on this file.",
        "look for `killed process` in the system's log (memory); look at the file elsewhere, and report it",
    ),
    "inbox_unavailable": (
        "The inbox cannot be read or written; the service tries again.",
        "free some space; look at the disk and at the rights to the upload folder",
    ),
}
"""Code -> what happened, and what to do about it."""


class NoPicture(Permanent):
    """A file from which no event can come; `code` is one of `unknown_camera`, `too_large`, `unreadable`."""


@dataclass(frozen=True, slots=True)
class _FileContent:
    data: bytes
    written: datetime
    """When the file was last written to."""


class Receive(Stage[Upload]):
    """Turns uploads into recorded snapshots, and deletes the file in the inbox last of all.

    Whatever step a crash comes after: repeating all of them from the inbox changes nothing that was done.
    """

    def __init__(
        self,
        *,
        inbox: Inbox,
        journal: Journal,
        cache: Cache,
        quarantine: Quarantine,
        capture_time: CaptureTime,
        videos: KeepVideo | None,
        max_bytes: int = 50_000_000,
        max_pixels: int = 50_000_000,
        adjustments: Callable[[str], Adjustments] = lambda _camera: AS_IT_CAME,
        count: Callable[[str, str], None] = lambda _camera, _outcome: None,
    ) -> None:
        """Without `videos`, videos are deleted; those of a camera that hides something are in any case.

        `adjustments`: what is done to a camera's pictures now. `count` gets the camera's name (empty for an unknown
        one), and `ok`, `duplicate`, `video`, or why it is no picture: `code: sentence`.
        """
        self._inbox = inbox
        self._journal = journal
        self._quarantine = quarantine
        self._videos = videos
        self._max_bytes = max_bytes
        self._adjustments = adjustments
        self._count = count
        self._ingest = Ingest(
            cache,
            capture_time=capture_time,
            max_pixels=max_pixels,
            adjustments=adjustments,
            earlier=lambda pushed, content: journal.find(journal.sent_before(pushed.camera, content)),
            attempt=lambda pushed: inbox.attempt(pushed.event_id),
        )

    def handle(self, upload: Upload) -> Iterable[Snapshot]:
        if upload.again and self._journal.find(upload.id) is not None:
            self._inbox.done(Path(upload.path))  # its outcome is in the journal
            return []
        try:
            snapshot = self._receive(upload)
        except FileNotFoundError:
            # Stored or found to be a duplicate before a crash, or deleted by a user.
            log.info("upload is gone", camera=upload.camera, name=upload.name, event_id=upload.id)
            snapshot = None
        except Permanent as error:
            self._refuse(upload, error)
            self._count(upload.camera, str(error))
            snapshot = None
        self._inbox.done(Path(upload.path))
        return [snapshot] if snapshot else []

    def take_in(self, upload: Upload) -> Snapshot | None:
        """The same for somebody who waits; None when the file became no snapshot: a video, or sent before.

        Raises `Permanent` where it is refused, which `_refuse` has dealt with by then, and FileNotFoundError. A refusal
        is not counted: it says nothing of the camera, and was counted when the file came.
        """
        try:
            snapshot = self._receive(upload)
        except Permanent as error:
            self._refuse(upload, error)
            self._inbox.done(Path(upload.path))
            raise
        self._inbox.done(Path(upload.path))
        return snapshot

    def _receive(self, upload: Upload) -> Snapshot | None:
        """The recorded snapshot, or None when the file becomes no snapshot."""
        path, name = Path(upload.path), PurePosixPath(upload.name)
        if is_video(name) and self._videos is None:
            self._count(upload.camera, "video")
            return None
        if not upload.camera:
            raise NoPicture("unknown_camera", "no folder that the file was put in is a camera's")
        if is_video(name):
            self._keep_video(upload, path)
            return None
        file = _read(path, self._max_bytes)
        taken = self._ingest.take(
            PushedPicture(
                event_id=upload.id,
                camera=upload.camera,
                label=upload.label,
                origin=upload.origin,
                data=file.data,
                name=name,
                written=file.written,
                # Its writer may still have the file open: the bytes that were examined are stored instead.
                file=None if upload.origin == FOLDER else path,
            ),
            record=self._journal.record,
        )
        if isinstance(taken, Snapshot):
            self._count(upload.camera, "ok")
            return taken
        if taken.earlier.id != upload.id:  # else an earlier attempt was recorded after all
            log.info("sent before", camera=upload.camera, name=upload.name, event_id=taken.earlier.id)
            self._count(upload.camera, "duplicate")
        return None

    def _refuse(self, upload: Upload, error: Permanent) -> None:
        """Keep the file apart; one that may show what its camera is not to show is kept nowhere."""
        tracing.failed(str(error))
        if self._hides(upload):
            log.warning(
                "refused and deleted: its camera has privacy masks or a crop", **_named(upload), reason=str(error)
            )
        else:
            name = PurePosixPath(upload.name)
            self._quarantine.put(
                Path(upload.path),
                error,
                file_id=upload.id,
                name=name,
                camera=upload.camera,
                origin=upload.origin,
                sender=upload.sender,
            )

    def _hides(self, upload: Upload) -> bool:
        return self._adjustments(upload.camera).hides

    def _keep_video(self, upload: Upload, path: Path) -> None:
        assert self._videos is not None  # noqa: S101 - asked by the caller
        if self._hides(upload):
            log.warning("video deleted: its camera has privacy masks or a crop", **_named(upload))
        else:
            with _opened(path) as file:
                self._videos.keep(upload, path, file)
        self._count(upload.camera, "video")


def _named(upload: Upload) -> dict[str, str]:
    return {"camera": upload.camera, "name": upload.name, "event_id": upload.id}


def _read(path: Path, max_bytes: int) -> _FileContent:
    """What is in a file. Raises `NoPicture`, FileNotFoundError, `InboxUnavailable`."""
    with _opened(path) as file:
        status = os.fstat(file.fileno())
        if status.st_size > max_bytes:
            raise NoPicture("too_large", f"it has {status.st_size} bytes; the limit is {max_bytes}")
        return _FileContent(file.read(max_bytes), datetime.fromtimestamp(status.st_mtime, UTC))


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    """A regular file, and no link to one. Raises `NoPicture`, FileNotFoundError, `InboxUnavailable`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:  # noqa: PTH123 - opened above
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise NoPicture("unreadable", "it is no regular file")
            yield file
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM, errno.ELOOP):
            raise NoPicture("unreadable", f"it cannot be read: {error.strerror}") from error
        raise InboxUnavailable("inbox_unavailable", f"cannot read {path}: {error.strerror}") from error
