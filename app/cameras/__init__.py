"""Cameras: how to get a picture from each make. A new make is one file here and one row in `KINDS`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from app.rules.burst import BurstSettings
from pylib.errors import Failure, Permanent, Transient
from pylib.settings.fields import TimeZone
from pylib.settings.kinds import Registry

if TYPE_CHECKING:
    from app.cameras.address import Networks


class CameraError(Failure):
    """A camera gave no usable picture."""


class CameraUnavailable(CameraError, Transient):
    """Not now: refused, timed out, busy, or a response that was no picture."""


class CameraRejected(CameraError, Permanent):
    """Not until someone changes something: wrong login, wrong address, wrong model."""


class CameraSettings(BaseModel):
    """The settings of every camera, whatever its make; each adapter's `Settings` extends it and fixes `kind`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    location: str = Field(min_length=1, description="Location of the camera; with `type` it forms the device key.")
    type: str = Field(default="Camera", min_length=1, description="Last word of the device key.")
    label: str = Field(default="", description="Name of the place for people; the location unless set.")
    timeout: float = Field(
        default=10.0, gt=0, le=120, description="Seconds for one snapshot, from connecting to the last byte."
    )
    max_bytes: int = Field(default=16_000_000, ge=1_000, description="Larger answers are refused.")
    time_zone: TimeZone = Field(
        default="",
        description="Zone of the camera's clock, such as UTC, by which the times of its uploads are read; the home's"
        " unless set.",
    )
    every: float = Field(default=0, ge=0, description="Seconds between pictures without a trigger; 0 for none.")
    burst: BurstSettings = Field(
        default=BurstSettings(), description="Several pictures of an event, unless its trigger or a rule says how many."
    )

    @property
    def device_key(self) -> str:
        """The name triggers use: `Front Door Camera`."""
        return f"{self.location} {self.type}"


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture as the camera sent it, not yet validated."""

    data: bytes


class Camera(Protocol):
    """One configured camera. Made once at start; used by one thread at a time."""

    def snapshot(self, device_params: str | None = None) -> Frame:
        """Take a picture now, in bounded time and bytes.

        `device_params` (`user:password@ip:port[,rtsp_port]`) overrides address and login for this call.
        Raises `CameraUnavailable` or `CameraRejected`; nothing else, and never with a credential in it.
        """
        ...

    def close(self) -> None:
        """Close its connections."""
        ...


class CameraKind(Protocol):
    """The class behind a kind."""

    Settings: type[CameraSettings]

    def __call__(self, settings: Any, *, networks: Networks) -> Camera:
        """A camera of these `Settings`; no connection is made before the first snapshot.

        `networks` are those that addresses in a trigger's `device_params` must lie in. Every kind takes them,
        so that the caller need not know which ones have an address.
        """
        ...


KINDS: Registry[CameraKind] = Registry(
    {
        "foscam": "app.cameras.foscam:Foscam",
        "still": "app.cameras.still:Still",
        "demo": "app.cameras.demo:Demo",
    }
)
"""Loaded when a camera of that kind is configured."""
