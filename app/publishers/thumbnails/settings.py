"""The settings of thumbnails in a bucket."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from app.media.thumbnail import can_write
from app.publishers.thumbnails.names import PLACEHOLDERS, placeholders
from pylib.aws.bucket_name import BucketName
from pylib.aws.calls import AwsSettings
from pylib.aws.links import LONGEST_S
from pylib.settings.error_texts import did_you_mean

LARGEST_SIDE = 8192
_SIZE = re.compile(r"([1-9][0-9]{0,3})x([1-9][0-9]{0,3})")


class ThumbnailsSettings(AwsSettings):
    """Small pictures of all events that have one, in a bucket."""

    bucket: BucketName = Field(
        default="",
        max_length=63,
        description="Bucket for the thumbnails; that of the picture unless set, and then only pictures from buckets"
        " get any.",
    )
    prefix: str = Field(
        default="thumbnails", max_length=500, description="Prefix of every key; empty for none. It ends at a slash."
    )
    path_style: bool = Field(
        default=False,
        description="Put the bucket into the path instead of the host name, as most other servers want it.",
    )
    sizes: tuple[str, ...] = Field(
        default=("64x64",),
        min_length=1,
        max_length=10,
        description="Width x height in pixels that each must fit; an object for each. Links open the first.",
    )
    mode: Literal["fit", "cover"] = Field(
        default="fit", description="Whole, so that its longest side fits; or cut to the size's shape, to fill it."
    )
    format: Literal["same", "jpeg", "webp", "png", "avif"] = Field(
        default="same", description="Format; the picture's own unless set, and JPEG where that is BMP or HEIC."
    )
    quality: int = Field(default=82, ge=1, le=100, description="Quality of a JPEG, WebP or AVIF.")
    keep_metadata: bool = Field(
        default=False, description="Keep the EXIF: when, where and with what the picture was taken."
    )
    key: str = Field(
        default="<folder>thumbnail_<name>",
        min_length=1,
        max_length=500,
        description=f"Template of the key behind the prefix: {', '.join(f'<{name}>' for name in PLACEHOLDERS)}.",
    )
    cache_control: str = Field(
        default="",
        max_length=200,
        pattern=r"^[\x20-\x7e]*$",
        description="Cache-Control of every thumbnail, such as `max-age=86400`; none unless set.",
    )
    cameras: tuple[str, ...] = Field(
        default=(),
        description="Only pictures of these cameras: device keys, or as addresses have them; of all unless set.",
    )
    link_lifetime: int = Field(
        default=LONGEST_S, ge=60, le=LONGEST_S, description="Seconds for which a link in a message opens a thumbnail."
    )
    concurrency: int = Field(default=4, ge=1, le=64, description="Pictures worked on at once.")

    @property
    def boxes(self) -> list[tuple[int, int]]:
        """The sizes as pixels."""
        return [(int(width), int(height)) for width, _, height in (size.partition("x") for size in self.sizes)]

    @property
    def below(self) -> str:
        """What every key begins with: nothing, or the prefix and a slash."""
        return f"{self.prefix.strip('/')}/".lstrip("/")

    @property
    def mixes_buckets(self) -> bool:
        """Whether pictures that have one key in two buckets get one thumbnail, which is of either."""
        used = placeholders(self.key)
        return bool(self.bucket and used & {"name", "key"} and not used & {"bucket", "camera", "id"})

    @field_validator("sizes")
    @classmethod
    def _in_pixels(cls, sizes: tuple[str, ...]) -> tuple[str, ...]:
        for size in sizes:
            found = _SIZE.fullmatch(size)
            if not found or max(int(found[1]), int(found[2])) > LARGEST_SIDE:
                raise ValueError(f"a size is width x height in pixels up to {LARGEST_SIDE}, such as 64x64")
        if len(set(sizes)) < len(sizes):
            raise ValueError("a size stands there twice")
        return sizes

    @field_validator("format")
    @classmethod
    def _writable(cls, format: str) -> str:
        if format != "same" and not can_write(format.upper()):
            raise ValueError(f"Pillow cannot write {format} on this machine: choose jpeg, webp or png")
        return format

    @field_validator("key")
    @classmethod
    def _known(cls, key: str) -> str:
        for unknown in placeholders(key) - set(PLACEHOLDERS):
            hint = did_you_mean(unknown, PLACEHOLDERS) or f"; there are: {', '.join(PLACEHOLDERS)}"
            raise ValueError(f"knows no <{unknown[:50]}>{hint}")
        return key

    @model_validator(mode="after")
    def _told_apart(self) -> ThumbnailsSettings:
        if len(self.sizes) > 1 and "size" not in placeholders(self.key):
            raise ValueError("several sizes need <size> in `key`, or each would be written over the one before")
        return self
