"""What becomes of a video that a camera sent: an event of the album, which nobody is told of and archives get."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path, PurePosixPath

import structlog

from app.journal import Journal
from app.media.picture import BadPicture, examine
from app.media.poster import NoPoster, poster
from app.messages import Inspection, Snapshot, Upload
from app.pipeline.decide import sum_up
from app.storage.cache import Cache
from app.storage.videos import Videos, is_index
from app.uploads.capture_time import CaptureTime

log = structlog.get_logger(__name__)


class KeepVideo:
    """Keeps videos and records them. Thread-safe."""

    def __init__(
        self,
        videos: Videos,
        *,
        journal: Journal,
        cache: Cache,
        capture_time: CaptureTime,
        archives: Sequence[str] = (),
        announce: Callable[[Inspection], object] = lambda _inspection: None,
        poster: Callable[[Path], bytes] = poster,
    ) -> None:
        """`archives`: names of those that get them; `announce` is called with what was recorded, for open pages;
        `poster` takes a picture out of a video."""
        self._videos = videos
        self._journal = journal
        self._cache = cache
        self._capture_time = capture_time
        self._archives = tuple(archives)
        self._announce = announce
        self._poster = poster

    def keep(self, upload: Upload, path: Path, file: BufferedReader) -> None:
        """Keep a video under its time; one that this camera sent before is not kept again.

        The file is in its place before its record is. Raises `VideosUnavailable`, `CacheUnavailable`,
        `DatabaseUnavailable`, FileNotFoundError.
        """
        content = hashlib.file_digest(file, "sha256").digest()
        if earlier := self._journal.sent_before(upload.camera, content):
            log.info("sent before", camera=upload.camera, name=upload.name, event_id=earlier)
            return
        name = PurePosixPath(upload.name)
        written = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
        taken_at = self._capture_time.taken_at(name, b"", camera=upload.camera, written=written)
        kept = self._videos.keep(path, event_id=upload.id, camera=upload.camera, taken_at=taken_at)
        log.info("video kept", camera=upload.camera, name=upload.name, path=str(kept))
        if is_index(name):
            return
        inspection = self._as_event(upload, kept, taken_at)
        self._journal.record_video(inspection, self._archives, content=content)
        self._announce(inspection)

    def _as_event(self, upload: Upload, video: Path, taken_at: datetime) -> Inspection:
        path, size, width, height, problem = "", 0, 0, 0, ""
        try:
            if picture := self._poster(video):
                found, size = examine(picture), len(picture)
                width, height = found.width, found.height
                store = self._cache.store
                path = str(store(picture, event_id=upload.id, camera=upload.camera, taken_at=taken_at, format="JPEG"))
        except (NoPoster, BadPicture) as error:
            problem = str(error)
            log.warning("video without a picture", camera=upload.camera, name=upload.name, reason=problem)
        snapshot = Snapshot(
            id=upload.id,
            camera=upload.camera,
            label=upload.label,
            timestamp=taken_at,
            taken_at=taken_at,
            delay_s=0.0,
            origin=upload.origin,
            path=path,
            size=size,
            width=width,
            height=height,
            problem=problem,
            video=str(video),
        )
        return Inspection(snapshot, decision=sum_up(None), problem=problem)
