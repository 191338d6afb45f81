"""The section `booth` of the configuration."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pylib.aws.calls import AwsSettings
from pylib.settings.credentials import Secret
from pylib.settings.fields import Directory, Port, Section, SmallLetters

LONGEST_LINK_DAYS = 7
"""No bucket's link lives longer (S3 user guide, "Sharing objects with presigned URLs")."""

CAMERA, LABEL = "Booth Camera", "Photo booth"
"""Device key and label: of the tablet's own camera, and in triggers that start the booth."""

Language = Literal["en", "de", "es", "fr"]
Colour = Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")]


class BoothBucketSettings(AwsSettings):
    """The bucket that guests' animations go to."""

    bucket: str = Field(default="", max_length=63, description="Bucket for guests' animations; empty for none.")
    prefix: str = Field(default="booth/", max_length=200, description="Begins every key.")
    path_style: bool = Field(
        default=False,
        description="Put the bucket into the path instead of the host name, as most other servers want it.",
    )


class BoothMailSettings(Section):
    """The mail server (SMTP) that takes the mails to guests."""

    host: str = Field(default="", max_length=255, description="Mail server; empty to send no mails.")
    port: Port = Field(default=587, description="Its port.")
    tls: Annotated[Literal["off", "starttls", "implicit"], SmallLetters] = Field(
        default="starttls", description="off; starttls; implicit: TLS from the first byte, as on port 465."
    )
    username: str = Field(default="", max_length=200, description="User name of the login; empty for none.")
    password: Secret = Field(default=Secret(""), description="Password of the login.")
    sender: str = Field(default="", max_length=320, description="Address that the mails come from.")
    timeout: float = Field(default=30, ge=1, le=300, description="Seconds that one mail may take.")

    @model_validator(mode="after")
    def _complete(self) -> BoothMailSettings:
        if self.host and "@" not in self.sender:
            raise ValueError("sender is missing: the address that mails to guests come from")
        return self


class BoothSettings(Section):
    """The photo booth, at `/booth`."""

    enabled: bool = Field(default=False, description="Serve the photo booth.")
    event: str = Field(default="", max_length=100, description="Name of the event, such as `Anna & Tom`.")
    text: str = Field(default="", max_length=300, description="A line below it on the first page.")
    language: Language = Field(default="en", description="Language that each guest begins with: en, de, es or fr.")
    consent: str = Field(
        default="", max_length=1000, description="What guests agree to; a sentence in their language unless set."
    )
    camera: str = Field(
        default="",
        max_length=200,
        description="Device key of the camera that takes the pictures; the tablet's own unless set.",
    )
    every: float = Field(default=0, ge=0, description="Seconds from one start without a touch to the next; 0 for none.")
    pictures: int = Field(default=4, ge=2, le=10, description="Pictures of an animation.")
    countdown: int = Field(default=3, ge=1, le=10, description="Seconds before the first picture.")
    pace: float = Field(default=1.5, ge=0.3, le=10, description="Seconds between the pictures.")
    size: int = Field(default=640, ge=160, le=1280, description="Pixels of the animation's longest side.")
    colour: Colour = Field(default="#3a4bc8", description="Colour of buttons.")
    background: Colour = Field(default="#14161f", description="Colour behind everything.")
    frame_picture: Directory | None = Field(
        default=None, description="PNG with transparency that is laid over every picture."
    )
    gallery: bool = Field(default=False, description="Show the evening's animations, without names, on the first page.")
    link_days: float = Field(default=7, gt=0, le=LONGEST_LINK_DAYS, description="Days that a guest's link works.")
    bucket: BoothBucketSettings = Field(
        default=BoothBucketSettings(), description="The bucket that guests' animations go to."
    )
    folder: Directory | None = Field(
        default=None,
        description="Folder for the animations where there is no bucket; `booth` below `data_dir` unless set.",
    )
    mail: BoothMailSettings = Field(default=BoothMailSettings(), description="The server for mails to guests.")

    @property
    def triggers(self) -> dict[str, str]:
        """Device key -> label of what triggers may name, besides the cameras: the booth, where there is one."""
        return {CAMERA: LABEL} if self.enabled else {}
