"""The burst stage: takes the further pictures of an event, each when it is due, and keeps those that differ."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import structlog

from app.cameras import CameraRejected
from app.journal import Journal
from app.messages import LONGEST_BURST_S, Burst, BurstBegun, Snapshot
from app.pipeline.channel import ATTEMPTS, Channel
from app.pipeline.frames import Frames
from app.pipeline.staleness import delay_at
from app.storage.cache import Cache
from app.storage.event_media import EventMedia
from pylib import tracing
from pylib.errors import Failure, Permanent
from pylib.runtime.stage import Stage

log = structlog.get_logger(__name__)


class TakeBurst(Stage[BurstBegun]):
    """Ends each burst with what there is: frames that fail are left out, those that show nothing new are dropped.

    A frame is recorded as soon as it is on the disk. After a restart, or a minute after it began, none is taken any
    more, unless there is none at all.
    """

    def __init__(
        self,
        channels: Mapping[str, Channel],
        *,
        journal: Journal,
        cache: Cache,
        media: EventMedia,
        wait: Callable[[float], bool],
        max_age: float = 120.0,
        max_pixels: int = 50_000_000,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        count: Callable[[str, str], None] = lambda _camera, _outcome: None,
        count_frame: Callable[[str, str], None] = lambda _camera, _outcome: None,
    ) -> None:
        """`wait` lets so many seconds pass, and says whether the service is ending, which ends bursts."""
        self._channels = channels
        self._journal = journal
        self._cache = cache
        self._media = media
        self._wait = wait
        self._max_age = max_age
        self._max_pixels = max_pixels
        self._now = now
        self._monotonic = monotonic
        self._count = count
        self._count_frame = count_frame
        self._just_started = True
        self._made = time.monotonic()

    def handle(self, begun: BurstBegun) -> Iterable[Snapshot]:
        snapshot = self._journal.find(begun.id)
        if not isinstance(snapshot, Snapshot) or snapshot.burst is None or snapshot.frames:
            return []  # it has ended before
        frames = Frames(snapshot, self._journal, self._media, max_pixels=self._max_pixels)
        self._take_all(begun, snapshot.burst, frames)
        ended = self._ended(frames)
        if not self._journal.end_burst(ended):
            return []
        if ended.frames < 2:  # its picture is the snapshot's
            self._journal.forget_media([frame.id for frame in frames.kept])
            self._media.drop(ended.id)
        if ended.problem:
            tracing.failed(ended.problem)
        if not snapshot.path:
            self._count(ended.camera, ended.problem or "ok")
        log.info("burst", camera=ended.camera, event_id=ended.id, frames=ended.frames, alike=ended.alike)
        return [ended]

    def pending(self) -> Iterable[BurstBegun]:
        if self._just_started:
            self._just_started = False
            # A snapshot younger than this object has a message that announces it.
            left = self._journal.unfinished_bursts(older_than=time.monotonic() - self._made)
        else:
            left = self._journal.unfinished_bursts()
        return [BurstBegun(snapshot, -math.inf) for snapshot in left]

    def _take_all(self, begun: BurstBegun, burst: Burst, frames: Frames) -> None:
        end = begun.began + LONGEST_BURST_S
        tried = max(len(frames.since), 0 if burst.delay else 1)
        due = begun.began + (burst.pace if tried else burst.delay)
        while tried < burst.frames and not frames.refused:
            now = self._monotonic()
            if max(now, due) > end or self._wait(max(0.0, due - now)):
                break
            due = self._monotonic() + burst.pace
            self._take(begun, frames)
            tried += 1
        if not frames.kept and not tried:  # an earlier run was to take them, or this one ends
            if (self._now() - frames.snapshot.taken_at).total_seconds() > self._max_age > 0:
                frames.problem = "stale: older than max_age when its turn came, so no picture of its moment"
            else:
                self._take(begun, frames)

    def _take(self, begun: BurstBegun, frames: Frames) -> None:
        outcome = "ok"
        try:
            data, picture = self._channel(begun.camera).take(
                begun.device_params.get_secret_value() if begun.device_params else None,
                attempts=1 if frames.kept else ATTEMPTS,
                max_pixels=self._max_pixels,
            )
            seen = frames.seen(data)
        except Failure as error:
            frames.problem, outcome = str(error), error.code
            frames.refused = isinstance(error, CameraRejected)
        except Exception as error:
            log.exception("camera failed unexpectedly", camera=begun.camera, event_id=begun.id)
            frames.problem, outcome = f"internal_error: {type(error).__name__}", "internal_error"
        else:
            outcome = frames.add(data, picture, seen, self._now())
        if outcome not in ("ok", "alike"):
            log.warning("frame left out", camera=begun.camera, event_id=begun.id, reason=frames.problem)
        self._count_frame(begun.camera, outcome)

    def _channel(self, camera: str) -> Channel:
        channel = self._channels.get(camera)
        if channel is None:
            raise Permanent("unknown_camera", "no camera of this name is configured any more")
        return channel

    def _ended(self, frames: Frames) -> Snapshot:
        """What came of it; its picture is in the cache."""
        snapshot, kept = frames.snapshot, frames.kept
        if not kept:
            now = self._now()
            return dataclasses.replace(
                snapshot, taken_at=now, delay_s=delay_at(snapshot, now), problem=frames.problem, burst=None
            )
        if not snapshot.path:
            first = frames.since[0] if frames.since else kept[-1]
            path = self._cache.adopt(
                Path(first.path),
                event_id=snapshot.id,
                camera=snapshot.camera,
                taken_at=first.taken_at,
                format=first.format.upper(),
            )
            snapshot = dataclasses.replace(
                snapshot,
                taken_at=first.taken_at,
                delay_s=delay_at(snapshot, first.taken_at),
                path=str(path),
                size=first.size,
                width=first.width,
                height=first.height,
            )
        return dataclasses.replace(snapshot, frames=len(kept), alike=frames.alike)
