"""The section `retention` of the configuration: how long the cache keeps pictures and videos."""

from __future__ import annotations

from pydantic import Field

from pylib.settings.fields import Section


class CameraRetention(Section):
    """How long one camera's pictures stay in the cache, where that differs from the others."""

    camera: str = Field(min_length=1, description="Device key of the camera: `Front Door Camera`.")
    days: float = Field(
        ge=0, le=36_500, description="Days that a picture or video stays; 0 for as long as there is room."
    )
    person_days: float = Field(
        ge=0, le=36_500, description="Days that a picture with a person stays; 0 for as long as there is room."
    )


class RetentionSettings(Section):
    """How long pictures stay in the cache, and videos beside it.

    What is starred stays, and where there is an archive, what it does not have yet; except below `hard_free_gb`.
    """

    days: float = Field(
        default=30, ge=0, le=36_500, description="Days that a picture or video stays; 0 for as long as there is room."
    )
    person_days: float = Field(
        default=90,
        ge=0,
        le=36_500,
        description="Days that a picture with a person stays; 0 for as long as there is room.",
    )
    cameras: tuple[CameraRetention, ...] = Field(default=(), description="Cameras with other numbers of days.")
    max_gb: float = Field(
        default=0,
        ge=0,
        description="Gigabytes of all pictures, and as many again of all videos; beyond that the oldest are deleted. 0"
        " for no limit.",
    )
    min_free_gb: float = Field(
        default=1.0,
        ge=0,
        description="Gigabytes of disk to keep free: the oldest videos are deleted, then the oldest pictures. 0 for no"
        " limit.",
    )
    hard_free_gb: float = Field(
        default=0.3,
        ge=0,
        description="Gigabytes of free disk below which the oldest pictures are deleted even if they are starred or not"
        " archived; 0 for never.",
    )
    forget_days: float = Field(
        default=365,
        ge=1,
        le=36_500,
        description="Days after which the journal forgets an event whose picture has left the cache.",
    )
    every: float = Field(default=600, ge=10, le=86_400, description="Seconds between two cleanings.")
