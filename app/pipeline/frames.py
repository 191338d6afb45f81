"""The pictures of one event, each on the disk and recorded before it counts."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

from app.journal import Journal, Medium
from app.media.alike import Fingerprint, fingerprint
from app.media.formats import SUFFIXES
from app.media.picture import MAX_PIXELS, Picture
from app.messages import Snapshot
from app.storage.event_media import EventMedia
from pylib.files import durable

CODES = {
    "other_format": (
        "A frame has another picture format than the first one; it was left out.",
        "set the camera to one format",
    ),
}
"""Code -> what happened, and what to do about it."""


class Frames:
    """The frames of one event that were kept so far, by this run or by an earlier one, in the order of their time."""

    def __init__(
        self, snapshot: Snapshot, journal: Journal, media: EventMedia, *, max_pixels: int = MAX_PIXELS
    ) -> None:
        """`snapshot`: its own picture, where it has one, becomes the first frame since the trigger."""
        self.snapshot = snapshot
        self.alike = snapshot.alike
        self.problem = ""
        """Of the last frame that failed."""
        self.refused = False
        """The camera will give no further one."""
        self._journal = journal
        self._media = media
        self._max_pixels = max_pixels
        self._last: Fingerprint | None = None
        self.kept = journal.media_of(snapshot.id, kind="frame")
        if snapshot.path and not self.since:
            self._begin()

    @property
    def since(self) -> list[Medium]:
        """Those that were taken because of the trigger, and not before it."""
        return [frame for frame in self.kept if frame.taken_at >= self.snapshot.taken_at]

    def seen(self, data: bytes) -> Fingerprint:
        """What is compared of a picture. Raises `BadPicture`."""
        return fingerprint(data, max_pixels=self._max_pixels)

    def add(self, data: bytes, picture: Picture, seen: Fingerprint, taken_at: datetime) -> str:
        """Keep a frame, unless it is like the one before; returns `ok`, `alike` or why it is left out.

        Raises `MediaUnavailable`.
        """
        if self.kept and picture.format != self.kept[0].format.upper():
            self.problem = f"other_format: {picture.format} after {self.kept[0].format.upper()}"
            return "other_format"
        if self.kept and seen.alike(self._last_seen()):
            self.alike += 1
            return "alike"
        name = f"{len(self.kept):02d}{SUFFIXES[picture.format]}"
        path = self._media.store(data, event_id=self.snapshot.id, name=name)
        self._keep(path, len(data), picture, taken_at)
        self._last = seen
        return "ok"

    def _begin(self) -> None:
        """With the snapshot's own picture, unless it shows what the last one before the trigger does."""
        own = Path(self.snapshot.path)
        if self.kept and self.seen(durable.read(str(own))).alike(self._last_seen()):
            self.alike += 1
            return
        path = self._media.adopt(own, event_id=self.snapshot.id, name=f"{len(self.kept):02d}{own.suffix}")
        size = Picture(_FORMATS[own.suffix], self.snapshot.width, self.snapshot.height)
        self._keep(path, self.snapshot.size, size, self.snapshot.taken_at)
        self._last = None

    def _last_seen(self) -> Fingerprint:
        if self._last is None:
            self._last = self.seen(durable.read(self.kept[-1].path))
        return self._last

    def _keep(self, path: Path, size: int, picture: Picture, taken_at: datetime) -> None:
        position = len(self.kept)
        frame = Medium(
            id=hashlib.sha256(f"{self.snapshot.id} frame {position}".encode()).hexdigest()[:32],
            kind="frame",
            format=picture.format.lower(),
            camera=self.snapshot.camera,
            path=str(path),
            size=size,
            width=picture.width,
            height=picture.height,
            taken_at=taken_at,
            snapshot=self.snapshot.id,
            position=position,
        )
        self._journal.record_media([frame])
        self.kept.append(frame)


_FORMATS = {suffix: kind for kind, suffix in SUFFIXES.items()}
