"""What `rules.yml` may say: zones, rules, quiet hours, digests, and what counts as standing still."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, field_validator, model_validator

from app.messages import PERSON
from app.rules.burst import BurstSettings
from app.rules.geometry import Point, crosses_itself
from pylib.settings.fields import Section, SmallLetters

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Mode = Literal["home", "away", "night"]

Fraction = Annotated[float, Field(ge=0, le=1)]

LONGEST_COOLDOWN_S = 7 * 86_400
MOST_POINTS = 50

_NAME = r"^[^\s/?#\[\]]([^/?#\[\]]*[^\s/?#\[\]])?$"
"""A name that may stand in an address and in a reason."""


def _hours(value: str) -> str:
    if value:
        Hours.parse(value)
    return value


class Hours:
    """A time of day from a beginning to an end, over midnight where the end is earlier."""

    def __init__(self, begin: time, end: time) -> None:
        self.begin = begin
        self.end = end

    @classmethod
    def parse(cls, text: str) -> Hours:
        """Of `22:00-06:30`. Raises ValueError."""
        begin, _, end = text.partition("-")
        try:
            hours = cls(time.fromisoformat(begin.strip()), time.fromisoformat(end.strip()))
        except ValueError:
            raise ValueError("must be two times of day such as 22:00-06:30") from None
        if hours.begin.tzinfo or hours.end.tzinfo:
            raise ValueError("must be times of the home's zone, without one of their own")
        if hours.begin == hours.end:
            raise ValueError("must begin and end at different times")
        return hours

    def hold(self, moment: datetime) -> bool:
        """Whether this moment, in the home's zone, lies in them."""
        now = moment.time()
        if self.begin < self.end:
            return self.begin <= now < self.end
        return now >= self.begin or now < self.end


Corner = Annotated[
    Point,
    WithJsonSchema(
        {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1}, "minItems": 2, "maxItems": 2}
    ),
]

HoursText = Annotated[str, AfterValidator(_hours)]


class Zone(Section):
    """A part of a camera's picture."""

    camera: str = Field(min_length=1, description="The camera: its device key or its location.")
    name: str = Field(min_length=1, max_length=50, pattern=_NAME, description="Its name, for rules and reasons.")
    points: tuple[Corner, ...] = Field(
        description="Its corners in order, as fractions of the picture's width and height: `[[0.1, 0.5], ...]`."
    )
    mask: bool = Field(default=False, description="Whether nothing that stands in it counts, for any rule.")

    @field_validator("points")
    @classmethod
    def _is_a_polygon(cls, points: tuple[Point, ...]) -> tuple[Point, ...]:
        if not 3 <= len(points) <= MOST_POINTS:
            raise ValueError(f"must have 3 to {MOST_POINTS} corners, and has {len(points)}")
        if not all(0 <= value <= 1 for point in points for value in point):
            raise ValueError("must have corners from 0 to 1: fractions of the picture's width and height")
        if crosses_itself(points):
            raise ValueError("must not cross its own edges")
        return points


class Rule(Section):
    """When outlets are told: where everything that it sets is true."""

    name: str = Field(min_length=1, max_length=50, pattern=_NAME, description="Its name, in reasons and messages.")
    cameras: tuple[str, ...] = Field(default=(), description="Cameras, by device key or location; all unless set.")
    labels: dict[str, Fraction] = Field(
        default={PERSON: 0.0},
        description="Labels with the least confidence, 0..1, one of which is needed; `{}` for every event.",
    )
    zones: tuple[str, ...] = Field(default=(), description="Zones in one of which it has to stand.")
    min_size: Fraction = Field(default=0.0, description="Least share of the picture that its box covers, 0..1.")
    days: tuple[Annotated[Day, SmallLetters], ...] = Field(default=(), description="Days; all unless set.")
    hours: HoursText = Field(default="", description="Time of day, such as `22:00-06:30`.")
    modes: tuple[Annotated[Mode, SmallLetters], ...] = Field(
        default=(), description="Modes of the home (`home`, `away`, `night`); all unless set."
    )
    cooldown: float = Field(
        default=0.0,
        ge=0,
        le=LONGEST_COOLDOWN_S,
        description="Seconds from a message that was sent to the next one of the same camera; at most a week.",
    )
    outlets: tuple[str, ...] = Field(default=(), description="Names of those that are told; all that tell people.")
    urgent: bool = Field(default=False, description="Told in quiet hours as well, and never as part of a digest.")
    burst: BurstSettings | None = Field(
        default=None,
        description="Pictures of an event at its cameras, on its days, in its hours and modes: that is all that counts"
        " before anything is seen.",
    )


class Still(Section):
    """From when on a thing counts as standing still, and is not told."""

    after: float = Field(
        default=600, ge=0, le=86_400, description="Seconds for which it has to be seen in one place; 0 for never."
    )
    overlap: float = Field(
        default=0.85, ge=0.5, le=1, description="How much its boxes overlap while it counts as in one place, 0.5..1."
    )


class Digest(Section):
    """When messages of one outlet come together in one."""

    after: int = Field(
        default=0, ge=0, le=1000, description="Messages within that time, after which one waits; 0: never."
    )
    within: float = Field(default=600, ge=10, le=86_400, description="Seconds.")


class RuleBook(Section):
    """All that decides who is told of what. Without rules, everything is told."""

    zones: tuple[Zone, ...] = Field(default=(), description="Parts of the cameras' pictures.")
    rules: tuple[Rule, ...] = Field(default=(), description="The rules.")
    quiet_hours: HoursText = Field(default="", description="Time of day without messages, such as `23:00-06:30`.")
    still: Still = Field(default=Still(), description="What counts as standing still.")
    digest: Digest = Field(default=Digest(), description="When many messages become one.")

    @model_validator(mode="after")
    def _names_once(self) -> RuleBook:
        _once("rules", (rule.name.casefold() for rule in self.rules))
        _once("zones of one camera", ((zone.camera.casefold(), zone.name.casefold()) for zone in self.zones))
        return self


def _once(what: str, names: Iterable[object]) -> None:
    seen = set()
    for name in names:
        if name in seen:
            shown = name[-1] if isinstance(name, tuple) else name
            raise ValueError(f"two {what} are called {shown!r}: give one another name")
        seen.add(name)
