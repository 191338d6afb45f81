"""Rejected uploads over a real quarantine, inbox and receive stage."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from pathlib import Path, PurePosixPath

from app.journal import Journal
from app.messages import Snapshot, Upload
from app.pipeline.receive import Receive
from app.storage.cache import Cache
from app.uploads.camera_folders import CameraFolders, PushingCamera
from app.uploads.capture_time import CaptureTime
from app.uploads.inbox import Inbox, InboxFile
from app.uploads.quarantine import Quarantine
from app.uploads.rejected import RejectedUploads

FRONT = PushingCamera("Front Door Camera", "Front", "frontdoor")
KITCHEN = PushingCamera("Küche Camera", "Küche", "küche")


class Rejecting:
    """Something that rejects uploads, and what it hands over when one is taken in after all."""

    def __init__(self, folder: Path, journal: Journal) -> None:
        self.inbox = Inbox(folder / "area")
        self.inbox.open()
        self.quarantine = Quarantine(folder / "quarantine")
        self.folders = CameraFolders([FRONT, KITCHEN])
        self.receive = Receive(
            inbox=self.inbox,
            journal=journal,
            cache=Cache(folder / "cache", zone=UTC),
            quarantine=self.quarantine,
            capture_time=CaptureTime(zone=UTC),
            videos=None,
        )
        self.handed_over: list[Snapshot] = []
        self.tried_later: list[InboxFile] = []
        self.uploads = self.over(self.receive.take_in)

    def over(self, take_in: Callable[[Upload], Snapshot | None]) -> RejectedUploads:
        """What is rejected, with this instead of the stage."""
        return RejectedUploads(
            self.quarantine,
            self.inbox,
            self.folders,
            take_in=take_in,
            later=lambda taken, _origin: self.tried_later.append(taken),
            hand_over=self.handed_over.append,
        )

    def reject(self, data: bytes, name: str, *, sender: str = "192.0.2.7") -> str:
        """Have this upload rejected; its id."""
        arriving = self.inbox.arriving()
        arriving.write_bytes(data)
        taken = self.inbox.take_as(arriving, PurePosixPath(name), sender=sender)
        assert taken is not None
        camera = self.folders.camera(taken.name)
        key, label = (camera.device_key, camera.label) if camera else ("", "")
        upload = Upload(taken.id, key, label, str(taken.path), str(taken.name), taken.origin, sender=taken.sender)
        assert list(self.receive.handle(upload)) == []
        return taken.id
