"""The settings that all sources of objects share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from app.media.formats import OTHER_SUFFIXES, SUFFIXES, TAKEN
from pylib.aws.bucket_name import BucketName
from pylib.aws.calls import AwsSettings
from pylib.settings.fields import Section

PICTURES = (*(SUFFIXES[kind] for kind in TAKEN), *OTHER_SUFFIXES)
"""Suffixes of all pictures that are accepted."""


def _prefix(value: str) -> str:
    return value.strip().lstrip("/")


def _suffixes(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(value.strip().lower() for value in values)


class WatchedBucket(Section):
    """A bucket, or a part of one, and the camera whose pictures are in it."""

    bucket: BucketName = Field(min_length=1, max_length=255, description="The bucket's name.")
    prefix: Annotated[str, AfterValidator(_prefix)] = Field(
        default="",
        max_length=900,
        description="How the keys begin that count: `uploads/`. Empty for all; of two that fit, the longer one holds.",
    )
    camera: str = Field(
        default="",
        max_length=200,
        description="The camera that took the pictures: a configured one in any spelling, or another. Empty where each"
        " first folder below the prefix is a camera.",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        """`photos/uploads/` is a bucket and a prefix, for the environment."""
        if not isinstance(value, str):
            return value
        bucket, _, prefix = value.strip().removeprefix("s3://").partition("/")
        return {"bucket": bucket, "prefix": prefix}


def _not_empty(buckets: tuple[WatchedBucket, ...]) -> tuple[WatchedBucket, ...]:
    if not buckets:
        raise ValueError("must name a bucket")
    return buckets


class BucketSourceSettings(AwsSettings):
    """Objects in buckets."""

    buckets: Annotated[tuple[WatchedBucket, ...], AfterValidator(_not_empty)] = Field(
        max_length=100,
        description="The buckets, or parts of them, that count; others are passed over. In the environment:"
        " `photos, photos/uploads/`.",
    )
    suffixes: Annotated[tuple[str, ...], AfterValidator(_suffixes)] = Field(
        default=PICTURES,
        description="How the names end that count, in any case; those of pictures unless set. Empty for all.",
    )
    max_bytes: int = Field(default=50_000_000, ge=1_000, description="Larger objects are not read.")
    path_style: bool = Field(
        default=False,
        description="Put the bucket into the path instead of the host name, as most other servers want it.",
    )
    download_timeout: float = Field(
        default=60, ge=1, le=600, description="Seconds that reading one object may take, in all."
    )
    max_in_hand: int = Field(default=1000, ge=1, le=10_000, description="Objects that may wait in the service at once.")

    def covers(self, place: str) -> bool:
        """Whether all of a bucket's folder (`home/uploads/`) is watched."""
        return any(place.startswith(f"{one.bucket}/{one.prefix}") for one in self.buckets)
