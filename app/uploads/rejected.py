"""Rejected uploads: whose each may be, and a second chance for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

import structlog

from app.messages import Snapshot, Upload
from app.uploads.camera_folders import CameraFolders
from app.uploads.inbox import FOLDER, Inbox, InboxFile
from app.uploads.quarantine import Quarantine, Quarantined
from pylib.errors import Permanent, Transient

log = structlog.get_logger(__name__)


class NotRejected(Permanent):
    """There is no such rejected upload any more."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A rejected upload, and the camera that it may be of."""

    entry: Quarantined
    suggestion: str
    """Device key of its camera, or of the one that its folder, misspelled, may mean; empty where none comes near."""


class RejectedUploads:
    """What the quarantine holds. Every method may be called from any thread."""

    def __init__(
        self,
        quarantine: Quarantine,
        inbox: Inbox,
        camera_folders: CameraFolders,
        *,
        take_in: Callable[[Upload], Snapshot | None],
        later: Callable[[InboxFile, str], None],
        hand_over: Callable[[Snapshot], None],
    ) -> None:
        """`take_in`: the receive stage's; `later` has it tried again by the pipeline, where disk or journal fail;
        `hand_over`: passes on what was recorded."""
        self._quarantine = quarantine
        self._inbox = inbox
        self._camera_folders = camera_folders
        self._take_in = take_in
        self._later = later
        self._hand_over = hand_over
        self._one_at_a_time = threading.Lock()

    def newest(self, limit: int) -> tuple[list[Rejected], int]:
        """The last so many, newest first, and how many there are."""
        entries, count = self._quarantine.newest(limit)
        meant: dict[PurePosixPath, str] = {}
        for entry in entries:
            folder = PurePosixPath(entry.name).parent
            if not entry.camera and folder not in meant:
                camera = self._camera_folders.close_to(folder / "file")
                meant[folder] = camera.device_key if camera else ""
        found = [Rejected(entry, entry.camera or meant[PurePosixPath(entry.name).parent]) for entry in entries]
        return found, count

    def find(self, rejected_id: str) -> Quarantined:
        """Raises `NotRejected`."""
        entry = self._quarantine.find(rejected_id)
        if entry is None:
            raise NotRejected("not_rejected", "This upload is no longer here: taken in, deleted, or too old.")
        return entry

    def read(self, rejected_id: str, *, most: int) -> bytes:
        """Its first bytes. Raises `NotRejected`."""
        try:
            with self._quarantine.path(self.find(rejected_id)).open("rb") as file:
                return file.read(most)
        except OSError:
            raise NotRejected("not_rejected", "This upload cannot be read any more.") from None

    def discard(self, rejected_id: str) -> None:
        """Delete it. Raises `NotRejected`."""
        self._quarantine.discard(self.find(rejected_id))

    def take_in(self, rejected_id: str, device_key: str) -> Snapshot | None:
        """Take it in as a file of this camera's folder; None where it becomes no event: a video, or sent before.

        Killed in between, the next start does the rest. Raises `NotRejected`, `Permanent` where it is refused again,
        KeyError for a camera that is not configured, and `Transient`: then it is tried again by itself.
        """
        with self._one_at_a_time:  # each may be as large as an upload may be
            entry = self.find(rejected_id)
            folder = self._camera_folders.folder_of(device_key)
            taken = self._inbox.take_as(
                self._quarantine.path(entry),
                folder / self._within(PurePosixPath(entry.name)),
                origin=entry.origin or FOLDER,
                sender=entry.sender,
            )
            if taken is None:
                raise NotRejected("not_rejected", "This upload is no longer here.")
            self._quarantine.discard(entry)
            return self._received(taken, device_key)

    def _received(self, taken: InboxFile, device_key: str) -> Snapshot | None:
        camera = self._camera_folders.with_key(device_key)
        upload = Upload(
            taken.id,
            camera.device_key,
            camera.label,
            str(taken.path),
            str(taken.name),
            taken.origin,
            sender=taken.sender,
        )
        try:
            snapshot = self._take_in(upload)
        except Transient:
            self._later(taken, taken.origin)
            raise
        log.info("rejected upload taken in", camera=device_key, name=upload.name, event_id=upload.id)
        if snapshot is not None:
            self._hand_over(snapshot)
        return snapshot

    def _within(self, name: PurePosixPath) -> PurePosixPath:
        """The name without what would name a camera: its folders may hold the date."""
        below = self._camera_folders.upload_dir
        parts = (name.relative_to(below) if name.is_relative_to(below) else name).parts[:-1]
        above = [part for part in parts if not self._camera_folders.names_camera(PurePosixPath(part, "file"))]
        return PurePosixPath(*above, name.name)
