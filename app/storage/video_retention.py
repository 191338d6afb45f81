"""How long videos stay: by age, size and free disk, as pictures do."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import structlog

from app.journal import VideoClaim
from app.naming import slug
from app.storage.retention import DAY_S, GB
from app.storage.settings import RetentionSettings
from app.storage.videos import Video, Videos

log = structlog.get_logger(__name__)

BATCH = 200
"""Videos in one query to the journal."""
UNKNOWN = VideoClaim(stays=False, gone=False)
"""Of a video that an earlier release kept, or whose event was forgotten."""


class VideoRetention:
    """Cleans the folder of videos. Called by one thread at a time, and before pictures have to give room."""

    def __init__(
        self,
        settings: RetentionSettings,
        *,
        videos: Videos,
        pictures_size: Callable[[], int],
        claims: Callable[[Sequence[str]], Mapping[str, VideoClaim]] = lambda _ids: {},
        forget: Callable[[Sequence[str]], None] = lambda _ids: None,
        clock: Callable[[], float] = time.time,
        free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        """`pictures_size`: bytes of all pictures in the cache; `claims`: what the journal says of the videos of these
        events; `forget` gets those that go, before they do; `free`: bytes free on a folder's disk."""
        self._settings = settings
        self._videos = videos
        self._pictures_size = pictures_size
        self._claims = claims
        self._forget = forget
        self._clock = clock
        self._free = free
        self._days = {slug(own.camera): own.days for own in settings.cameras}

    def clean(self, *, dry_run: bool = False) -> list[Video]:
        """Delete videos that are too old or too many, and return them; with `dry_run` only return them.

        Raises `pylib.sqlite.DatabaseUnavailable`.
        """
        kept = self._videos.kept()
        excess = self._excess(size_of(kept)) if kept else 0
        gone: list[Video] = []
        for start in range(0, len(kept), BATCH):
            chosen = self._chosen(kept[start : start + BATCH], excess - size_of(gone))
            if chosen and not dry_run:
                self._forget([video.event_id for video in chosen])
                chosen = [video for video in chosen if _deleted(video)]
            gone += chosen
        if gone and not dry_run:
            log.info("videos cleaned", videos=len(gone), bytes=size_of(gone))
        return gone

    def _chosen(self, some: Sequence[Video], excess: int) -> list[Video]:
        """Those that go; `excess`: bytes that they have to free, whatever their age."""
        claims = self._claims([video.event_id for video in some])
        chosen: list[Video] = []
        for video in some:
            claim = claims.get(video.event_id, UNKNOWN)
            if claim.gone or (not claim.stays and (size_of(chosen) < excess or self._is_too_old(video))):
                chosen.append(video)
        return chosen

    def _excess(self, size: int) -> int:
        """Bytes to delete for the videos' size limit and the disk's free space."""
        settings = self._settings
        excess = size - int(settings.max_gb * GB) if settings.max_gb else 0
        lacking = int(max(settings.min_free_gb, settings.hard_free_gb) * GB) - self._free(self._videos.folder)
        if lacking > 0 and lacking > size + self._pictures_size():
            lacking = 0  # something else fills the disk: deleting every video would only add to the damage
        return max(0, excess, lacking)

    def _is_too_old(self, video: Video) -> bool:
        days = self._days.get(video.camera, self._settings.days)
        return days > 0 and self._clock() - video.taken_at > days * DAY_S


def size_of(videos: Sequence[Video]) -> int:
    """Bytes of all of them."""
    return sum(video.size for video in videos)


def _deleted(video: Video) -> bool:
    try:
        video.path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("cannot delete", path=str(video.path), reason=error.strerror)
        return False
    return True
