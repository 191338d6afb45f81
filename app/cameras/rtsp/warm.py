"""A stream that stays open: a picture of now costs what decoding the packets since the last one does."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

import structlog

from app.cameras import CameraError, CameraRejected, CameraUnavailable
from app.cameras.rtsp.stream import Stream, StreamSource, ended, no_keyframe, opened
from pylib.runtime.threads import ManagedThread

log = structlog.get_logger(__name__)

MOST_BYTES = 8_000_000
MOST_PACKETS = 250
"""Of packets that wait; when more come, they are decoded. Two seconds of 4K are some 4 MB."""
FRESH_S = 1.0
"""A picture shows the moment at which it was asked for; its packet may be so much older, in seconds."""
FIRST_PAUSE_S = 1.0
LAST_PAUSE_S = 60.0
"""Seconds from a lost stream to the next attempt; twice as many each time, and the last at once where the camera
refuses: it may lock the account."""
STEADY_AFTER_S = 30.0
"""A stream that lasted so long is tried again soon."""


class Gop:
    """What is needed for the newest frame: the packets since the last keyframe, or since the last decoded one.

    Nothing is decoded until somebody asks, or until too much waits.
    """

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.arrived = 0.0
        """`time.monotonic()` of the newest packet."""
        self.shown_at = 0.0
        """`time.monotonic()` of the packet that the newest frame came with: packets that do not decode show nothing."""
        self._waiting: list[tuple[float, Any]] = []
        self._bytes = 0
        self._frame: Any = None
        self._begun = False

    def add(self, packet: Any) -> None:
        """A packet has come."""
        if packet.is_keyframe:
            self._waiting, self._bytes, self._begun = [], 0, True
            self.stream.forget()
        if not self._begun:
            return
        self.arrived = time.monotonic()
        self._waiting.append((self.arrived, packet))
        self._bytes += packet.size
        if self._bytes > MOST_BYTES or len(self._waiting) >= MOST_PACKETS:
            self.newest()

    def newest(self) -> Any:
        """The frame that the stream shows now; None until there was one."""
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        for arrived, packet in waiting:
            for frame in self.stream.decode(packet):
                self._frame, self.shown_at = frame, arrived
        return self._frame


class WarmStream(ManagedThread):
    """Keeps a camera's stream open, and opens it again when it is lost. `picture` from any thread."""

    def __init__(self, name: str, source: StreamSource) -> None:
        super().__init__(name)
        self.stall_after = 4 * source.timeout + 30  # FFmpeg connects, looks and reads without a beat
        self._source = source
        self._changed = threading.Condition()
        self._gop: Gop | None = None
        self._failure: CameraError | None = None
        self._failed_at = 0.0
        self._hurry = threading.Event()
        self._losses = 0

    def picture(self, *, deadline: float) -> bytes:
        """What the camera shows now, by `deadline` of `time.monotonic()`. Raises `CameraError`."""
        began = time.monotonic()
        with self._changed:
            while True:
                gop = self._gop
                if gop is not None and gop.arrived >= began - FRESH_S:
                    frame = gop.newest()
                    if frame is not None and gop.shown_at >= began - FRESH_S:
                        break
                self._raise_failure(since=began)
                left = deadline - time.monotonic()
                if left <= 0:
                    raise no_keyframe(self._source) if gop else _silent(self._source)
                self._changed.wait(left)
        return gop.stream.jpeg(frame)

    def run(self) -> None:
        while not self.stopping.is_set():
            self.beat()
            self._hurry.clear()
            began = time.monotonic()
            try:
                self._follow()
            except CameraError as error:
                self._hurry.wait(self._lost(error, lasted=time.monotonic() - began))

    def stop(self) -> None:
        super().stop()
        self._hurry.set()

    def _follow(self) -> None:
        with opened(self._source, deadline=time.monotonic() + self._source.timeout) as stream:
            gop = Gop(stream)
            try:
                for packet in stream.packets():
                    self.beat()
                    if self.stopping.is_set():
                        return
                    self._take(gop, packet)
            finally:
                with self._changed:
                    self._gop = None
        raise ended(self._source)

    def _take(self, gop: Gop, packet: Any) -> None:
        with self._changed:
            if self._gop is None:
                log.info("stream open", thread=self.name, address=self._source.shown)
                self._gop, self._failure = gop, None
            gop.add(packet)
            self._changed.notify_all()

    def _lost(self, error: CameraError, *, lasted: float) -> float:
        """Log what ended the stream, once; returns the seconds to wait."""
        self._losses = 0 if lasted > STEADY_AFTER_S else self._losses + 1
        with self._changed:
            if self._failure is None or self._failure.code != error.code:
                log.warning("no stream, trying again", thread=self.name, reason=str(error))
            self._failure, self._failed_at = error, time.monotonic()
            self._changed.notify_all()
        if isinstance(error, CameraRejected):
            return LAST_PAUSE_S
        pause: float = min(FIRST_PAUSE_S * 2 ** min(self._losses, 10), LAST_PAUSE_S)
        return pause * random.uniform(0.5, 1.0)

    def _raise_failure(self, *, since: float) -> None:
        """What keeps the stream away. One that may pass is tried anew first, at once."""
        failure = self._failure
        if failure is None:
            return
        if isinstance(failure, CameraRejected) or self._failed_at >= since:
            raise type(failure)(failure.code, failure.detail)
        self._hurry.set()


def _silent(source: StreamSource) -> CameraUnavailable:
    return CameraUnavailable("timeout", f"{source.shown} did not answer within {source.timeout:g} s")
