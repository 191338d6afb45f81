"""How many pictures a camera, a rule or a trigger wants of one event."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from app.messages import LONGEST_BURST_S, MOST_FRAMES, Burst, Look
from pylib.settings.fields import Section


class BurstSettings(Section):
    """Several pictures of one event, within a minute in all."""

    frames: int = Field(default=1, ge=1, le=MOST_FRAMES, description="Pictures of an event, 1..30.")
    pace: float = Field(default=0.5, ge=0, le=LONGEST_BURST_S, description="Seconds from one picture to the next.")
    delay: float = Field(
        default=0.0, ge=0, le=LONGEST_BURST_S, description="Seconds from the trigger to the first picture."
    )
    look: Look = Field(
        default="all",
        description="Which of them the detector sees: `all`, the `sharpest`, or one after another until there is a"
        " `person`.",
    )

    @model_validator(mode="after")
    def _within_a_minute(self) -> Self:
        self.wish()
        return self

    def wish(self) -> Burst:
        """The same as a message."""
        return Burst(self.frames, float(self.pace), float(self.delay), self.look)


class RingSettings(Section):
    """Pictures from before the trigger: the camera is asked for one at this pace all the time."""

    seconds: float = Field(
        default=0,
        ge=0,
        le=30,
        description="Seconds before a trigger that are kept in memory, 0..30; 0 for none.",
    )
    pace: float = Field(default=1.0, ge=0.2, le=30, description="Seconds from one picture to the next.")

    @model_validator(mode="after")
    def _few_enough(self) -> Self:
        if self.seconds and not 1 <= self.seconds / self.pace <= MOST_FRAMES:
            raise ValueError(
                f"{self.seconds:g} seconds at a pace of {self.pace:g} are not 1 to {MOST_FRAMES} pictures: "
                "change one of them"
            )
        return self
