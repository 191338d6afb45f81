"""What `rules.yml` may say: zones, rules, quiet hours, digests, and what counts as standing still."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from app.messages import PERSON, Tier
from app.rules.burst import BurstSettings
from app.rules.geometry import Point, cover_all
from app.rules.polygon import Polygon, covers_something
from pylib.settings.fields import Section, SmallLetters

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Mode = Literal["home", "away", "night"]

Fraction = Annotated[float, Field(ge=0, le=1)]

LONGEST_COOLDOWN_S = 7 * 86_400

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


HoursText = Annotated[str, AfterValidator(_hours)]


class Zone(Section):
    """A part of a camera's picture."""

    camera: str = Field(min_length=1, description="The camera: its device key or its location.")
    name: str = Field(min_length=1, max_length=50, pattern=_NAME, description="Its name, for rules and reasons.")
    points: Polygon = Field(
        description="Its corners in order, as fractions of the picture's width and height: `[[0.1, 0.5], ...]`."
    )
    mask: bool = Field(default=False, description="Whether nothing that stands in it counts, for any rule.")
    private: bool = Field(
        default=False,
        description="Whether it is painted black in each picture of the camera before anything sees or keeps it.",
    )

    @property
    def counts(self) -> bool:
        """Whether rules can ask for it."""
        return not self.mask and not self.private

    @model_validator(mode="after")
    def _hides_something(self) -> Zone:
        if self.private:
            covers_something(self.points)
        return self


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
    tier: Tier | None = Field(
        default=None,
        description="Which of the detectors of `kind: tiers` look, where that is not left to their settings: only the"
        " `first`, only the `second`, or `both`. As for `burst`, only cameras, days, hours and modes count.",
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

    @model_validator(mode="after")
    def _something_is_left(self) -> RuleBook:
        hidden: dict[str, list[tuple[Point, ...]]] = {}
        for zone in self.zones:
            if zone.private:
                hidden.setdefault(zone.camera.casefold(), []).append(zone.points)
        for camera, masks in hidden.items():
            if cover_all(masks):
                raise ValueError(f"the privacy masks of {camera!r} leave nothing of its pictures: make them smaller")
        return self


def _once(what: str, names: Iterable[object]) -> None:
    seen = set()
    for name in names:
        if name in seen:
            shown = name[-1] if isinstance(name, tuple) else name
            raise ValueError(f"two {what} are called {shown!r}: give one another name")
        seen.add(name)
