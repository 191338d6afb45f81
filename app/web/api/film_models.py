"""The models of films' requests and responses."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from app.films.recipe import Recipe, StampSettings
from app.web.api.param_types import Moment, Text
from app.web.api.request_models import ONE_LINE, RequestBody
from app.web.api.response_models import ResponseModel
from app.web.api.selection_models import Ids


class AnnouncementBody(RequestBody):
    """Pictures that are going to come."""

    pictures: int = Field(default=0, ge=0, le=100_000, description="How many.")
    names: tuple[Annotated[str, StringConstraints(min_length=1, max_length=1_000)], ...] = Field(
        default=(), max_length=10_000, description="Their paths below the folder, where they are known."
    )


class PictureDateBody(RequestBody):
    """When a picture was taken."""

    picture: Annotated[str, StringConstraints(min_length=1, max_length=4_096)] = Field(
        description="Its path below the folder."
    )
    taken_at: Moment


class FilmStamp(StampSettings):
    """Date and time on every picture of a film."""

    font: Literal[""] = Field(default="", description="Only the configuration names files.")


class FilmOrderBody(Recipe):
    """A film that is to be made: which pictures, and how they are shown."""

    name: Annotated[str, StringConstraints(max_length=60, pattern=ONE_LINE)] = Field(
        default="", description="Its name; made of its cameras and days where none is given."
    )
    since: Moment | None = Field(default=None, description="Taken then or later.")
    until: Moment | None = Field(default=None, description="Taken earlier than that; now where it is not given.")
    label: Text = Field(default="", description="Something in the picture, in any case.")
    confidence: float = Field(default=0.0, ge=0, le=1, description="How sure the detector has to be of it.")
    q: Text = Field(default="", description="Words in labels, cameras' names and notes.")
    problem: bool | None = Field(default=None, description="Whether something went wrong.")
    ids: Ids = ()
    stamp: FilmStamp = Field(default=FilmStamp(), description="Date and time on every picture.")


class ChapterModel(ResponseModel):
    """A day in a film."""

    day: str = Field(description="`2026-11-21`, at home.")
    start_s: float = Field(description="Seconds from the film's start.")


class FilmModel(ResponseModel):
    """A film."""

    id: str
    name: str
    camera: str = Field(description="Device key; empty for a film of several.")
    since: datetime = Field(description="When its first picture was taken.")
    until: datetime | None = Field(description="When its last picture was taken; null where that is not known.")
    frames: int
    duration_s: float
    width: int
    height: int
    size: int = Field(description="Bytes.")
    chapters: list[ChapterModel]
    notes: list[str] = Field(description="What is not as one might expect, a sentence each.")
    video_url: str
    still_url: str
    chapters_url: str


class OrderedFilmModel(ResponseModel):
    """A film that is being made, or could not be made."""

    id: str
    name: str
    state: Literal["waiting", "failed"]
    progress: float = Field(ge=0, le=1)
    problem: str = Field(description="Of its last attempt, as `code: sentence`; empty when all is well.")


class FilmsModel(ResponseModel):
    """Films, the newest first."""

    films: list[FilmModel]
    ordered: list[OrderedFilmModel]


class RunningFilmModel(ResponseModel):
    """A film that grows."""

    id: str = Field(description="Of the film among all films, once it has a picture.")
    name: str
    shown: int = Field(description="Pictures, which are its frames.")
    waiting: int
    undated: int = Field(description="Pictures of which somebody has to say when they were taken.")
    broken: int
    passed: int = Field(description="Pictures that are there twice, or for whose day or week another one stands.")


class RunningFilmsModel(ResponseModel):
    """Films that grow."""

    films: list[RunningFilmModel]


class LeftOutPictureModel(ResponseModel):
    """A picture that a running film cannot show."""

    picture: str
    problem: str = Field(description="Why, in a sentence.")


class LeftOutModel(ResponseModel):
    """The pictures that a running film cannot show."""

    undated: list[LeftOutPictureModel]
    broken: list[LeftOutPictureModel]


class AcceptedFilmModel(ResponseModel):
    """A film that will be made."""

    id: str
    url: str
