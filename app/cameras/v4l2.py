"""USB cameras, and whatever else Linux has as a video device (Video4Linux2), through OpenCV."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol, Self

from pydantic import Field, model_validator

from app.cameras import CameraRejected, CameraSettings, CameraUnavailable, Frame
from app.cameras.address import Networks
from pylib.runtime.bounded_calls import BoundedCalls

CODES = {
    "no_device": (
        "There is no such video device.",
        "plug the camera in; `ls /dev/v4l/by-id/` names what is there. In a container, pass it on with `devices:`",
    ),
    "no_access": (
        "The service's user may not use the video device.",
        "add the user to the group `video`; in a container, with `group_add: [video]`",
    ),
    "device_busy": (
        "The video device cannot be opened.",
        "end the other program that uses it; take the camera's first device: each has a second one without pictures",
    ),
    "no_frame": (
        "The video device gives no picture.",
        "choose a smaller width and height; plug the camera in anew, or without a hub",
    ),
    "timeout": (
        "The video device hangs.",
        "plug the camera in anew, or without a hub; raise this camera's `timeout` if it is only slow",
    ),
}
"""Code -> what happened, and what to do about it; those of every camera stand in `app/cameras/http`."""


class V4l2Settings(CameraSettings):
    """A USB camera."""

    kind: Literal["v4l2"] = "v4l2"
    device: Path = Field(
        default=Path("/dev/video0"),
        description="The device; a name below /dev/v4l/by-id/ stays the same whatever is plugged in.",
    )
    width: int = Field(default=0, ge=0, le=16_384, description="Pixels; 0, with height, for what the camera likes.")
    height: int = Field(default=0, ge=0, le=16_384, description="Pixels; the camera takes the nearest that it knows.")
    warm_up: int = Field(
        default=10, ge=0, le=300, description="Frames that are dropped first, until the exposure has settled."
    )
    quality: int = Field(default=90, ge=30, le=98, description="Quality of the JPEG.")

    @model_validator(mode="after")
    def _both_sides(self) -> Self:
        if bool(self.width) != bool(self.height):
            raise ValueError("width and height belong together")
        return self


class Device(Protocol):
    """What is used of OpenCV's `VideoCapture`."""

    def isOpened(self) -> bool: ...  # noqa: N802 - OpenCV's names

    def set(self, prop: int, value: float) -> bool: ...

    def grab(self) -> bool: ...

    def read(self) -> tuple[bool, Any]: ...

    def release(self) -> None: ...


class V4L2:
    """One video device, open for the time of a picture only: another program may want it."""

    Settings = V4l2Settings

    def __init__(
        self, settings: V4l2Settings, *, networks: Networks, open_device: Callable[[str], Device] | None = None
    ) -> None:
        del networks  # only for cameras that have an address
        import cv2

        # It writes to the terminal what the codes say.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        self._cv2 = cv2
        self._settings = settings
        self._open_device = open_device or (lambda path: cv2.VideoCapture(path, cv2.CAP_V4L2))
        # A driver may hang for ever, and keeps the device meanwhile.
        self._calls = BoundedCalls(f"v4l2 {settings.device_key}", seconds=settings.timeout, hanging=1)

    def snapshot(self, device_params: str | None = None) -> Frame:
        del device_params
        try:
            data = self._calls.call(self._take)
        except TimeoutError:
            text = f"{self._settings.device} gave no picture within {self._settings.timeout:g} s"
            raise CameraUnavailable("timeout", text) from None
        if len(data) > self._settings.max_bytes:
            text = f"{self._settings.device} gives pictures of more than the {self._settings.max_bytes} bytes allowed"
            raise CameraUnavailable("too_large", text)
        return Frame(data)

    def close(self) -> None:
        """Nothing is held."""

    def _take(self) -> bytes:
        path = self._settings.device
        if not path.exists():
            raise CameraUnavailable("no_device", f"there is no {path}: is the camera plugged in?")
        if not os.access(path, os.R_OK | os.W_OK):
            raise CameraRejected("no_access", f"the service's user may not use {path}")
        device = self._open_device(str(path))
        try:
            if not device.isOpened():
                raise CameraUnavailable("device_busy", f"{path} cannot be opened: does another program use it?")
            return self._jpeg(device)
        except self._cv2.error:
            raise CameraUnavailable("no_frame", f"{path} gave a picture that OpenCV cannot read") from None
        finally:
            device.release()

    def _jpeg(self, device: Device) -> bytes:
        cv2, settings = self._cv2, self._settings
        # Over USB 2, most cameras have their full size as MJPEG only; before the size, which depends on it.
        device.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        if settings.width:
            device.set(cv2.CAP_PROP_FRAME_WIDTH, settings.width)
            device.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.height)
        for _ in range(settings.warm_up):
            if not device.grab():
                break
        read, pixels = device.read()
        if not read or pixels is None:
            raise CameraUnavailable("no_frame", f"{settings.device} gave no picture")
        _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, settings.quality])
        return bytes(encoded)
