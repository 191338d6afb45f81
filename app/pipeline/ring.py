"""The last seconds of one camera, in memory: what an event's pictures begin with."""

from __future__ import annotations

import dataclasses
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from app.cameras import CameraRejected
from app.journal import Journal
from app.media.adjustments import Adjustments
from app.media.picture import MAX_PIXELS, BadPicture, Picture
from app.messages import Snapshot, Trigger
from app.pipeline.channel import Channel
from app.pipeline.frames import Frames
from app.storage.event_media import EventMedia
from pylib.runtime.circuit_breaker import Breaker

log = structlog.get_logger(__name__)

MOST_BYTES = 20_000_000
"""Of one camera's pictures in memory; the oldest leave first."""


@dataclass(frozen=True, slots=True)
class RingPicture:
    """A picture that nobody has asked for yet."""

    data: bytes
    picture: Picture
    taken_at: datetime
    adjustments: Adjustments
    """How it was turned, cut and masked."""


class Ring:
    """Takes pictures of one camera at its pace, and has those of the last seconds. From any thread."""

    def __init__(
        self,
        channel: Channel,
        *,
        seconds: float,
        max_pixels: int = MAX_PIXELS,
        most_bytes: int = MOST_BYTES,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._channel = channel
        self._age = timedelta(seconds=seconds)
        self._max_pixels = max_pixels
        self._most_bytes = most_bytes
        self._now = now
        # Of its own: a gap that costs the ring some pictures must not cost an event its picture.
        self._breaker = Breaker()
        self._lock = threading.Lock()
        self._pictures: deque[RingPicture] = deque()
        self._bytes = 0

    def take(self) -> None:
        """Take one now, unless the camera is busy with an event, or the ring has failed several times.

        Raises what `Channel.take` does; while the camera's circuit is open it is not asked.
        """
        if self._channel.busy or not self._breaker.allow():
            return
        adjustments = self._channel.adjustments()
        try:
            data, picture = self._channel.take(None, attempts=1, max_pixels=self._max_pixels, unasked=True)
        except BaseException as error:
            self._breaker.failed(final=isinstance(error, CameraRejected))
            raise
        self._breaker.succeeded()
        with self._lock:
            self._pictures.append(RingPicture(data, picture, self._now(), adjustments))
            self._bytes += len(data)
            self._forget()

    def pictures(self) -> Sequence[RingPicture]:
        """Those of the last seconds, oldest first; none from before its masks were changed."""
        now = self._channel.adjustments()
        with self._lock:
            self._forget()
            return tuple(one for one in self._pictures if one.adjustments == now)

    def _forget(self) -> None:
        now = self._now()
        # A picture from the future is one from before the clock was set back.
        while self._pictures and (
            self._bytes > self._most_bytes or not now - self._age <= self._pictures[0].taken_at <= now
        ):
            self._bytes -= len(self._pictures.popleft().data)


class BeforeTriggers:
    """What cameras with a ring have of the seconds before a trigger."""

    def __init__(
        self, rings: Mapping[str, Ring], *, journal: Journal, media: EventMedia, max_pixels: int = MAX_PIXELS
    ) -> None:
        """`rings`: by device key."""
        self._rings = rings
        self._journal = journal
        self._media = media
        self._max_pixels = max_pixels

    def of(self, trigger: Trigger) -> Sequence[RingPicture]:
        """What this trigger's camera has, oldest first; nothing where the trigger means another address."""
        ring = self._rings.get(trigger.camera)
        return ring.pictures() if ring is not None and trigger.device_params is None else ()

    def keep(self, before: Sequence[RingPicture], snapshot: Snapshot) -> Snapshot:
        """Make those that differ the first frames of this event; returns the snapshot with how many were alike.

        Done again after a full disk, it goes on behind the last one. Raises `app.storage.event_media.MediaUnavailable`.
        """
        frames = Frames(dataclasses.replace(snapshot, path=""), self._journal, self._media, max_pixels=self._max_pixels)
        for one in before:
            if frames.kept and one.taken_at <= frames.kept[-1].taken_at:
                continue
            try:
                seen = frames.seen(one.data)
            except BadPicture as error:
                log.warning("frame left out", camera=snapshot.camera, event_id=snapshot.id, reason=str(error))
                continue
            frames.add(one.data, one.picture, seen, one.taken_at)
        return dataclasses.replace(snapshot, alike=frames.alike)
