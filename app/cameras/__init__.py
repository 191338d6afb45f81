"""Cameras: how to get a picture from each make. A new make is one file here and one row in `KINDS`."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Protocol, runtime_checkable

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from app.media.adjustments import Adjustments, Quarter
from app.messages import Box
from app.rules.burst import BurstSettings, RingSettings
from app.rules.geometry import cover_all
from app.rules.polygon import Mask
from pylib.errors import Failure, Permanent, Transient
from pylib.settings.fields import Section, TimeZone
from pylib.settings.kinds import Registry

if TYPE_CHECKING:
    from app.cameras.address import Networks


class CameraError(Failure):
    """A camera gave no usable picture."""


class CameraUnavailable(CameraError, Transient):
    """Not now: refused, timed out, busy, or a response that was no picture."""


class CameraRejected(CameraError, Permanent):
    """Not until someone changes something: wrong login, wrong address, wrong model."""


UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode's categories of control and format characters, halves of characters, and line ends."""


class CropSettings(Section):
    """The part of the picture that is kept, in fractions of the turned one; all unless set."""

    left: float = Field(default=0.0, ge=0, lt=1, description="Where the part that is kept begins, from the left, 0..1.")
    top: float = Field(default=0.0, ge=0, lt=1, description="Where the part that is kept begins, from the top, 0..1.")
    width: float = Field(default=1.0, gt=0, le=1, description="Its share of the width; at most to the right edge.")
    height: float = Field(default=1.0, gt=0, le=1, description="Its share of the height; at most to the lower edge.")

    @property
    def box(self) -> Box | None:
        """What is kept, within the picture; None for all of it."""
        width, height = min(self.width, 1 - self.left), min(self.height, 1 - self.top)
        return None if (width, height) == (1, 1) else Box(self.left, self.top, width, height)


def _whole(value: object) -> object:
    return int(value) if isinstance(value, str) and value.strip().isdecimal() else value


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
    ring: RingSettings = Field(
        default=RingSettings(), description="Pictures from before the trigger, which an event's pictures begin with."
    )
    burst: BurstSettings = Field(
        default=BurstSettings(), description="Several pictures of an event, unless its trigger or a rule says how many."
    )
    rotate: Annotated[Quarter, BeforeValidator(_whole)] = Field(
        default=0, description="Degrees clockwise by which each picture is turned: 0, 90, 180 or 270."
    )
    crop: CropSettings = Field(
        default=CropSettings(), description="The part of each picture that is kept, after it was turned."
    )
    masks: tuple[Mask, ...] = Field(
        default=(),
        description="Privacy masks, painted black before anything sees or keeps a picture: corners as fractions of it"
        " as the album shows it, `[[[0, 0], [0.3, 0], [0.3, 0.2]]]`. In the environment the same as JSON.",
    )
    keep_metadata: bool = Field(
        default=True, description="Keep EXIF (place, camera) in its pictures; links and messages never have it."
    )

    @field_validator("location", "type")
    @classmethod
    def _all_is_seen(cls, name: str) -> str:
        if any(unicodedata.category(sign) in UNSEEN for sign in name):
            raise ValueError("must have no line ends and no other characters that nobody sees")
        return name

    @field_validator("masks")
    @classmethod
    def _something_is_left(cls, masks: tuple[Mask, ...]) -> tuple[Mask, ...]:
        if masks and cover_all(masks):
            raise ValueError("must leave something of the picture")
        return masks

    @property
    def adjustments(self) -> Adjustments:
        """What is done to each of its pictures, besides the masks that are drawn in the album."""
        return Adjustments(self.rotate, self.crop.box, self.masks, self.keep_metadata)

    @property
    def has_address(self) -> bool:
        """Whether it can be asked for a picture unless a trigger brings its address; one without may only send."""
        # Adapters differ in the settings of their camera's address; these two names cover all of them.
        places = [getattr(self, name) for name in ("address", "url") if hasattr(self, name)]
        return any(places) or not places

    @property
    def device_key(self) -> str:
        """The name triggers use: `Front Door Camera`."""
        return sys.intern(f"{self.location} {self.type}")  # many tables have it as a key


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture as the camera sent it, not yet validated."""

    data: bytes


class Camera(Protocol):
    """One configured camera. Made once, at start unless its kind is `made_late`; used by one thread at a time.

    One that has to run threads of its own, such as a stream that stays open, has an attribute `threads`: the service
    starts, watches and stops them. Checks and commands do not, and ask it for a picture all the same.
    """

    def snapshot(self, device_params: str | None = None) -> Frame:
        """Take a picture now, in bounded time and bytes.

        `device_params` (`user:password@ip:port[,rtsp_port]`) overrides address and login for this call.
        Raises `CameraUnavailable` or `CameraRejected`; nothing else, and never with a credential in it.
        """
        ...

    def close(self) -> None:
        """Close its connections."""
        ...


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a camera that people may want to know."""

    text: str
    remedy: str = ""
    """What to do about it, where it may be wrong."""


@runtime_checkable
class DescribedCamera(Camera, Protocol):
    """A camera that says more of itself than a picture does."""

    def describe(self) -> Iterable[Remark]:
        """What it says now, in bounded time. Raises `CameraUnavailable` or `CameraRejected`."""
        ...


class CameraKind(Protocol):
    """The class behind a kind.

    With `made_late = True`, a camera is made for its first picture, because making it starts and loads nothing.
    """

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
        "onvif": "app.cameras.onvif:Onvif",
        "rtsp": "app.cameras.rtsp:Rtsp",
        "v4l2": "app.cameras.v4l2:V4L2",
        "file": "app.cameras.file:File",
        "command": "app.cameras.command:Command",
        "demo": "app.cameras.demo:Demo",
    }
)
"""Loaded when a camera of that kind is configured."""
