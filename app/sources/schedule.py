"""Triggers by the clock: a picture every so often, without a sensor."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from app.sources import new_trigger
from app.sources.requests import Intake


@dataclass(slots=True)
class _Due:
    camera: str
    label: str
    every: float
    at: float


class Schedule:
    """Triggers cameras at regular intervals; missed triggers are not made up for."""

    def __init__(
        self,
        intake: Intake,
        *,
        leads: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`leads`: whether it is for this service to trigger them; its turn is counted as missed where not."""
        self._intake = intake
        self._leads = leads
        self._clock = clock
        self._due: list[_Due] = []

    def add(self, camera: str, *, label: str, every: float) -> None:
        """Trigger this camera every so many seconds, for the first time soon; before `tick` is first called."""
        self._due.append(_Due(camera, label, every, self._clock() + min(every, 1 + len(self._due))))

    def __bool__(self) -> bool:
        return bool(self._due)

    def tick(self) -> None:
        """Submit the triggers that are due now."""
        now, leads = self._clock(), self._leads()
        for due in self._due:
            if now >= due.at:
                due.at = now + due.every
                if leads:
                    self._intake.submit(new_trigger(due.camera, label=due.label, origin="schedule"))
