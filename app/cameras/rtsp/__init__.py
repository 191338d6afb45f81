"""Cameras that stream over RTSP: a frame of the stream as a JPEG.

PyAV comes with the extra `streams`; it is loaded with the first camera of this kind.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, field_validator, model_validator

from app.cameras import CameraRejected, CameraSettings, CameraUnavailable, Frame
from app.cameras.address import CameraTarget, HostPort, Networks, choose_target, login_out_of_url
from app.cameras.rtsp.stream import StreamSource, first_picture
from app.cameras.rtsp.warm import WarmStream
from pylib.runtime.bounded_calls import BoundedCalls
from pylib.settings.credentials import Secret

CODES = {
    "no_streams": (
        "The package that reads RTSP, PyAV, is not installed.",
        "pip install 'snapshot-processor[streams]', or use the image",
    ),
    "refused": (
        "The camera refused the connection: it may be off, or RTSP is switched off in it.",
        "switch RTSP on in the camera, and correct the port in this camera's `url` (554 with most)",
    ),
    "wrong_path": (
        "The camera has no stream at this path.",
        "compare the path in this camera's `url` with its manual",
    ),
    "not_rtsp": (
        "Something answered that does not speak RTSP: the port may be wrong.",
        "correct the port in this camera's `url`; 554 is usual",
    ),
    "no_keyframe": (
        "The stream came, but no keyframe in time, without which nothing can be decoded.",
        "set the camera's keyframe (I-frame) interval to 1 or 2 seconds, raise its `timeout`, or set `warm: true`",
    ),
    "stream_ended": (
        "The camera ended the stream, or stopped sending.",
        "restart the camera; has it a limit of viewers at one time?",
    ),
    "unsupported_codec": (
        "The stream has no video that can be decoded.",
        "set the camera to H.264, H.265 or MJPEG, or take the path of another of its streams",
    ),
}
"""Code -> what happened, and what to do about it; those of every camera stand in `app/cameras/http`."""

PORT = 554
SLACK = 0.1
"""Part of `timeout` after which a stream is given up from inside, so that the error can say how far it came."""


class RtspSettings(CameraSettings):
    """A camera that streams over RTSP."""

    model_config = ConfigDict(hide_input_in_errors=True)  # the input may hold a login

    kind: Literal["rtsp"] = "rtsp"
    url: str = Field(
        repr=False,
        description="Address of the stream: rtsp://host[:port]/path. Without a host, as in rtsp:///path, triggers bring"
        " it.",
    )
    username: str = Field(default="", repr=False, description="User name; empty for no login.")
    password: Secret = Field(default=Secret(""), description="Password.")
    transport: Literal["tcp", "udp"] = Field(
        default="tcp", description="How the stream comes: over the connection itself, or as packets that may get lost."
    )
    warm: bool = Field(
        default=False,
        description="Keep the stream open, so that a picture takes milliseconds; costs its bandwidth all day.",
    )
    quality: int = Field(
        default=90, ge=30, le=98, description="Quality of the JPEG; a stream of JPEGs (MJPEG) is passed on as it is."
    )

    @model_validator(mode="before")
    @classmethod
    def _login_out_of_url(cls, values: Any) -> Any:
        """`rtsp://user:password@host/` becomes `rtsp://host/` and a login, so that no log or error shows it."""
        return login_out_of_url(values) if isinstance(values, Mapping) else values

    @field_validator("url")
    @classmethod
    def _readable_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme != "rtsp":
            raise ValueError("expected rtsp://host[:port]/path")
        if parts.netloc:
            HostPort.parse(parts.netloc, default_port=PORT)
        if any(letter <= " " for letter in url):
            raise ValueError("expected no blanks: %20 stands for one")
        return url


class Rtsp:
    """One camera that streams over RTSP."""

    Settings = RtspSettings

    def __init__(self, settings: RtspSettings, *, networks: Networks) -> None:
        self._settings = settings
        self._networks = networks
        self._url = urlsplit(settings.url)
        self._configured = self._configured_target()
        self._installed = find_spec("av") is not None
        if self._installed:
            import av  # noqa: F401 - it takes part of a second, which is not the first picture's

        # FFmpeg looks at its own time limit only between two steps of its work.
        self._calls = BoundedCalls(f"rtsp {settings.device_key}", seconds=settings.timeout, hanging=2)
        warm = settings.warm and self._configured is not None and self._installed
        self._warm = WarmStream(f"rtsp {settings.device_key}", self._source(self._configured)) if warm else None
        self.threads: tuple[WarmStream, ...] = (self._warm,) if self._warm else ()

    def snapshot(self, device_params: str | None = None) -> Frame:
        began = time.monotonic()
        if not self._installed:
            raise CameraRejected("no_streams", "RTSP needs PyAV: pip install 'snapshot-processor[streams]'")
        if self._warm is not None and self._warm.alive and not device_params:
            return Frame(self._warm.picture(deadline=began + self._settings.timeout))
        target = choose_target(
            self._configured, device_params, networks=self._networks, default_port=self._default_port, rtsp=True
        )
        source = self._source(target)
        deadline = began + self._settings.timeout * (1 - SLACK)
        try:
            return Frame(self._calls.call(lambda: first_picture(source, deadline=deadline)))
        except TimeoutError:
            raise CameraUnavailable(
                "timeout", f"{target.shown} did not answer within {self._settings.timeout:g} s"
            ) from None

    def close(self) -> None:
        """The warm stream ends with its thread; nothing else is held."""

    @property
    def _default_port(self) -> int:
        return self._url.port or PORT

    def _configured_target(self) -> CameraTarget | None:
        if not self._url.netloc:
            return None
        place = HostPort.parse(self._url.netloc, default_port=PORT)
        return CameraTarget(place, self._settings.username, self._settings.password.get_secret_value())

    def _source(self, target: CameraTarget | None) -> StreamSource:
        assert target is not None  # noqa: S101 - a warm stream is made for a configured address only
        settings = self._settings
        return StreamSource(
            target,
            path=(self._url.path or "/") + (f"?{self._url.query}" if self._url.query else ""),
            transport=settings.transport,
            timeout=settings.timeout,
            max_bytes=settings.max_bytes,
            quality=settings.quality,
        )
