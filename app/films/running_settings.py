"""How a running film is configured."""

from __future__ import annotations

from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from app.films.recipe import FilmStyle, Named, clock, clock_text
from pylib.aws.bucket_name import BucketName
from pylib.aws.calls import AwsSettings
from pylib.settings.fields import Section


class BucketPlace(Section):
    """A bucket, or a part of one."""

    bucket: BucketName = Field(default="", max_length=255, description="The bucket's name; empty for none.")
    prefix: str = Field(default="", max_length=900, description="How its keys begin: `house/`.")

    def __bool__(self) -> bool:
        return bool(self.bucket)


class FilmBucketsSettings(AwsSettings):
    """Buckets of a running film."""

    pictures: BucketPlace = Field(
        default=BucketPlace(), description="The pictures that it shows, in place of a folder."
    )
    originals: BucketPlace = Field(
        default=BucketPlace(), description="Where the pictures that it shows are copied, under their dates."
    )
    films: BucketPlace = Field(default=BucketPlace(), description="Where the film goes each time that it has grown.")
    path_style: bool = Field(
        default=False,
        description="Put the bucket into the path instead of the host name, as most other servers want it.",
    )

    def __bool__(self) -> bool:
        return any((self.pictures, self.originals, self.films))


class RunningFilmSettings(Named, FilmStyle):
    """A film that grows: each day's pictures are added to it."""

    cameras: tuple[str, ...] = Field(default=(), description="Device keys of the cameras whose pictures it shows.")
    folder: Path | None = Field(default=None, description="Or a folder of pictures, with those in it.")
    each: Literal["all", "day", "week"] = Field(
        default="all",
        description="Pictures that it shows: all, or one a day or week, which is chosen when that is over.",
    )
    at: Annotated[str, BeforeValidator(clock_text), AfterValidator(clock)] = Field(
        default="12:00", description="Time of day that this one is nearest to, `HH:MM`."
    )
    every: float = Field(default=3600, ge=60, le=86_400, description="Seconds between two looks for new pictures.")
    originals: Path | None = Field(
        default=None, description="Folder to which the pictures that it shows are copied, under their dates."
    )
    buckets: FilmBucketsSettings = Field(
        default=FilmBucketsSettings(), description="Buckets that pictures come from, and originals and the film go to."
    )
    announced_wait: float = Field(
        default=3600, ge=0, le=604_800, description="Seconds for which it waits for pictures that were announced."
    )
    announced_tries: int = Field(
        default=10,
        ge=0,
        le=1_000,
        description="Looks after that, two minutes apart, before it does without and says so.",
    )

    @property
    def hour(self) -> float:
        """`at` in hours."""
        at = time.fromisoformat(self.at)
        return at.hour + at.minute / 60

    @model_validator(mode="after")
    def _has_pictures(self) -> Self:
        if sum((bool(self.cameras), self.folder is not None, bool(self.buckets.pictures))) != 1:
            raise ValueError("needs either cameras, or a folder, or a bucket of pictures")
        return self
