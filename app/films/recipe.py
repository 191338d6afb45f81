"""What a film is made of, and how it looks: the same in the configuration, the API, the command line and in jobs."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from app.media import stamp
from pylib.errors import Permanent
from pylib.settings.fields import Section

MOST_PIXELS_ACROSS = 3840
_SIMPLE = stamp.Look()


def _format(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be one line")
    return text


def clock(text: str) -> str:
    """A time of day as `HH:MM`. Raises ValueError."""
    try:
        return f"{time.fromisoformat(text):%H:%M}"
    except ValueError:
        raise ValueError("must be a time of day such as 06:30") from None


def clock_text(value: object) -> object:
    """A time of day as it was meant."""
    # YAML reads 22:00 as 1320, a number to the base of 60.
    return f"{value // 60:02}:{value % 60:02}" if type(value) is int else value


class StampSettings(Section):
    """Date and time on every picture of a film."""

    position: Literal["none", "top-left", "top-right", "bottom-left", "bottom-right"] = Field(
        default="bottom-right", description="The corner; `none` for no date."
    )
    format: Annotated[str, AfterValidator(_format)] = Field(
        default=_SIMPLE.format,
        min_length=1,
        max_length=100,
        description="As Python's strftime has it: `%A, %d %B %Y, %H:%M`.",
    )
    language: stamp.Language = Field(default="en", description="Of the names of months and days: en, de, es, fr.")
    font: str = Field(
        default="", max_length=500, description="A font file with the letters of the language; Pillow's own unless set."
    )
    outline: bool = Field(default=True, description="Black around the white letters.")
    size: float = Field(
        default=_SIMPLE.size, ge=0.01, le=0.3, description="Height of the letters, as a part of the frame's."
    )

    @property
    def look(self) -> stamp.Look | None:
        """None for no date."""
        if self.position == "none":
            return None
        return stamp.Look(self.format, self.position, self.language, self.font, self.outline, self.size)

    @model_validator(mode="after")
    def _has_letters(self) -> Self:
        look = self.look
        if look is not None and look != _SIMPLE:
            try:
                stamp.check(look)
            except Permanent as error:
                raise ValueError(error.detail) from None
        return self


class FilmStyle(Section):
    """How any film looks."""

    fps: int = Field(default=12, ge=1, le=60, description="Pictures a second.")
    width: int = Field(
        default=0,
        ge=0,
        le=MOST_PIXELS_ACROSS,
        description="Pixels across; 0 for those of the first picture, up to 1920.",
    )
    quality: int = Field(
        default=23, ge=0, le=51, description="H.264's CRF: less is better and larger; 6 more are half the bytes."
    )
    stamp: StampSettings = Field(default=StampSettings(), description="Date and time on every picture.")


class Recipe(FilmStyle):
    """Which pictures, and how they are shown."""

    cameras: tuple[str, ...] = Field(default=(), description="Device keys; all cameras unless set.")
    filter: Literal["all", "hourly", "persons", "daylight"] = Field(
        default="all",
        description="Which pictures: all, the first of each hour, those with a person, those from sunrise to sunset.",
    )
    every: float = Field(
        default=0, ge=0, le=31_536_000, description="Seconds between two pictures of a camera, at least."
    )
    starred: bool = Field(default=False, description="Only pictures with a star.")
    progress_bar: bool = Field(default=False, description="A bar at the bottom that fills while the film plays.")
    deflicker: int = Field(
        default=0,
        ge=0,
        le=500,
        description="Bring each picture's brightness to the mean of so many pictures before it; 0 for as it is.",
    )
    gaps: Literal["skip", "mark"] = Field(
        default="skip", description="`mark`: a grey picture says from when to when there is none."
    )
    gap_hours: float = Field(
        default=3, gt=0, le=8_760, description="Hours without a picture from which on that is a gap."
    )


class Named(Section):
    """What has a name for people."""

    name: str = Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]*$", description="Its name.")


class ScheduledFilm(Recipe, Named):
    """A film that is made by the clock."""

    each: Literal["day", "week"] = Field(
        default="day", description="day or week: of that span, up to `at`; a week ends on Monday."
    )
    at: Annotated[str, BeforeValidator(clock_text), AfterValidator(clock)] = Field(
        default="00:00", description="Time of day at home when the span ends, `HH:MM`."
    )

    @property
    def recipe(self) -> Recipe:
        """Without name and clock."""
        return Recipe.model_construct(**{name: getattr(self, name) for name in Recipe.model_fields})


class HomeSettings(Section):
    """Where the home is."""

    latitude: float | None = Field(default=None, ge=-90, le=90, description="Degrees north; for sunrise and sunset.")
    longitude: float | None = Field(default=None, ge=-180, le=180, description="Degrees east.")

    @property
    def place(self) -> tuple[float, float] | None:
        """Latitude and longitude; None unless both are set."""
        if self.latitude is None or self.longitude is None:
            return None
        return self.latitude, self.longitude
