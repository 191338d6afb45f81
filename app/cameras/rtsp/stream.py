"""One RTSP connection, the packets of its video, and JPEGs of what they show."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Self
from urllib.parse import quote

from app.cameras import CameraError, CameraRejected, CameraUnavailable
from app.cameras.address import CameraTarget, SocketAddress, resolve

MAX_PIXELS = 100_000_000
"""A stream that says it is larger is not decoded: a frame of it is 150 MB."""
LONGEST_LOGIN = 127
"""Characters of `user:password`, as in a URL: FFmpeg cuts off what is longer."""
HD_LINES = 720
"""From so many lines on, a stream that does not name its colours has those of high definition."""
UNNAMED, BT709 = 2, 1
"""FFmpeg's numbers of colour spaces (H.273, table 4)."""


@dataclass(frozen=True, slots=True)
class StreamSource:
    """Where a stream is, and what is made of it."""

    target: CameraTarget
    path: str
    """With the query."""
    transport: Literal["tcp", "udp"]
    timeout: float
    """Seconds without an answer, or without a packet, after which it is given up."""
    max_bytes: int
    """Of a picture."""
    quality: int
    """Of the JPEG, 1..95."""

    @property
    def shown(self) -> str:
        return self.target.shown


class Stream:
    """An open stream. Used by one thread, except for `jpeg`."""

    def __init__(self, source: StreamSource, address: SocketAddress, *, timeout: float) -> None:
        """Connect to this address, and ask for the video only. Raises `CameraError`."""
        import av  # the class is used by those only who configured such a camera

        self._source = source
        with failing_clearly(source, timeout):
            self._container = av.open(
                _url(source, address),
                format="rtsp",
                options={
                    "rtsp_transport": source.transport,
                    "allowed_media_types": "video",
                    # Decide on nothing in advance: what is read meanwhile is time, and the decoder finds out by itself.
                    "probesize": "32",
                    "analyzeduration": "0",
                    "max_pixels": str(MAX_PIXELS),
                },
                metadata_errors="replace",  # a camera's name for itself may be in any coding
                timeout=(timeout, timeout),
            )
        self._timeout = timeout
        video = self._container.streams.video
        codec = video[0].codec_context if video else None
        if codec is None:
            self.close()
            raise CameraRejected("unsupported_codec", f"{source.shown} streams no video that PyAV can decode")
        self._codec: Any = codec
        self._codec.thread_type = "SLICE"  # threads by frame give each one back several frames later
        self._codec.options = {"max_pixels": str(MAX_PIXELS)}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def packets(self) -> Iterator[Any]:
        """The video's packets as they come; ends with the stream. Raises `CameraError`."""
        with failing_clearly(self._source, self._timeout, during="stream_ended"):
            for packet in self._container.demux(video=0):
                if not packet.size:  # PyAV's mark of the end
                    return
                yield packet

    def decode(self, packet: Any) -> list[Any]:
        """The frames, or JPEGs, that a packet completes; None for a packet asks for those that are left.

        A damaged packet is none.
        """
        import av

        if self._codec.name == "mjpeg":
            return [bytes(packet)] if packet is not None else []
        try:
            return [frame for frame in self._codec.decode(packet) if not frame.is_corrupt]
        except av.error.FFmpegError:
            return []

    def forget(self) -> None:
        """What comes next needs nothing that came before."""
        if self._codec.is_open:
            self._codec.flush_buffers()

    def jpeg(self, frame: Any) -> bytes:
        """A frame as a JPEG. Raises `CameraUnavailable` where it is too large."""
        data = frame if isinstance(frame, bytes) else _jpeg(frame, self._source.quality)
        if len(data) > self._source.max_bytes:
            text = f"{self._source.shown} makes pictures of more than the {self._source.max_bytes} bytes allowed"
            raise CameraUnavailable("too_large", text)
        return data

    def close(self) -> None:
        self._container.close()


def opened(source: StreamSource, *, deadline: float) -> Stream:
    """The stream at the first of the host's addresses that has it. Raises `CameraError`."""
    shown = source.shown
    try:
        addresses = resolve(source.target.place, timeout=max(0.0, deadline - time.monotonic()))
    except TimeoutError:
        raise CameraUnavailable("timeout", f"{shown} has a name that does not resolve in time") from None
    if not addresses:
        raise CameraUnavailable("unresolvable", f"{shown} has a name that does not resolve")
    if source.target.networks is not None:
        source.target.networks.require(addresses)
    for address in addresses[:-1]:
        try:
            return Stream(source, address, timeout=_left(deadline))
        except CameraUnavailable as error:
            if error.code not in ("refused", "unreachable"):
                raise
    return Stream(source, addresses[-1], timeout=_left(deadline))


def first_picture(source: StreamSource, *, deadline: float) -> bytes:
    """The stream's next keyframe as a JPEG, by `deadline` of `time.monotonic()`. Raises `CameraError`."""
    with opened(source, deadline=deadline) as stream:
        for packet in stream.packets():
            if packet.is_keyframe:
                # The decoder waits for what may belong before it; nothing more will come.
                for frame in stream.decode(packet) or stream.decode(None):
                    return stream.jpeg(frame)
                stream.forget()
            if time.monotonic() >= deadline:
                raise no_keyframe(source)
    raise ended(source)


def no_keyframe(source: StreamSource) -> CameraUnavailable:
    return CameraUnavailable("no_keyframe", f"{source.shown} sent no keyframe within {source.timeout:g} s")


def ended(source: StreamSource) -> CameraUnavailable:
    return CameraUnavailable("stream_ended", f"{source.shown} ended the stream")


@contextmanager
def failing_clearly(source: StreamSource, timeout: float, *, during: str = "") -> Iterator[None]:
    """PyAV's errors, which quote the address with the login, as `CameraError`.

    `during`: the code of a stream that was there and stays away; else it never was.
    """
    import av

    began = time.monotonic()
    try:
        yield
    except (av.error.FFmpegError, OSError, ValueError, RuntimeError) as error:
        # FFmpeg says "invalid data" of much that it was interrupted in.
        raise _failure(error, source, late=time.monotonic() - began >= timeout, during=during) from None


def _failure(error: Exception, source: StreamSource, *, late: bool, during: str) -> CameraError:
    import av

    shown = source.shown
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        why = "wrong user name or password" if source.target.username else "it asks for one, and none is configured"
        return CameraRejected("login_refused", f"{shown} refuses the login: {why}")
    if isinstance(error, av.error.HTTPNotFoundError):
        return CameraRejected("wrong_path", f"{shown} has no stream at the configured path")
    if isinstance(error, av.error.HTTPClientError):
        return CameraUnavailable("camera_error", f"{shown} does not stream so: is transport: {source.transport} right?")
    if isinstance(error, av.error.HTTPServerError):
        return CameraUnavailable("camera_error", f"{shown} cannot stream now")
    if isinstance(error, ConnectionRefusedError):
        return CameraUnavailable("refused", f"{shown} refuses connections: wrong port, or RTSP is off")
    if during:
        what = f"sent nothing for {source.timeout:g} s" if isinstance(error, av.error.ExitError) else "broke off"
        return CameraUnavailable(during, f"{shown} {what}")
    if late or isinstance(error, av.error.ExitError | TimeoutError):
        return CameraUnavailable("timeout", f"{shown} did not answer within {source.timeout:g} s")
    if isinstance(error, av.error.InvalidDataError | EOFError | ConnectionError):
        return CameraUnavailable("not_rtsp", f"{shown} did not answer in RTSP: is the port right?")
    reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__
    return CameraUnavailable("unreachable", f"{shown} cannot be reached: {reason}")


def _url(source: StreamSource, address: SocketAddress) -> str:
    """The address as FFmpeg takes it: resolved, since it looks names up without a time limit; with the login."""
    host, port = address[1][:2]
    login = ""
    if source.target.username:
        login = f"{quote(source.target.username, safe='')}:{quote(source.target.password, safe='')}"
        if len(login) > LONGEST_LOGIN:
            raise CameraRejected("login_refused", f"user name and password for {source.shown} are too long for FFmpeg")
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"rtsp://{login}{'@' if login else ''}{place}{source.path}"


def _left(deadline: float) -> float:
    return max(0.01, deadline - time.monotonic())


def _jpeg(frame: Any, quality: int) -> bytes:
    hd = frame.colorspace == BT709 or (frame.colorspace == UNNAMED and frame.height >= HD_LINES)
    file = io.BytesIO()
    frame.to_image(src_colorspace="ITU709" if hd else "ITU601").save(file, "JPEG", quality=quality)
    return file.getvalue()
