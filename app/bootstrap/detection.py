"""Builds the detectors and the detect stage."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from app.bootstrap.adapters import make_lookers
from app.bootstrap.core import Core
from app.detectors import DetectorError
from app.journal import Spent
from app.messages import Snapshot, Tier
from app.pipeline.decide import Decide
from app.pipeline.detect import Detect
from app.pipeline.look_again import LookAgain
from app.rules.evaluate import tier_of
from pylib.timezones import local_zone


class DetectorParts:
    """The configured detectors, what their calls cost, and how many there were."""

    def __init__(self, core: Core) -> None:
        """Raises `app.detectors.DetectorError` where settings make no sense."""
        self._core = core
        self._zone = local_zone(core.settings.time_zone)
        core.lookers.update(
            make_lookers(
                core.settings,
                answers=core.journal,
                calls_this_month=self._paid_calls_of,
                count=core.tally.detection,
                spent=core.metrics.spent,
            )
        )
        self._detector = core.lookers.get(core.settings.detector.kind)

    @property
    def workers(self) -> int:
        """How many pictures are looked at at once."""
        return self._detector.concurrency if self._detector else 1

    def this_month(self) -> tuple[int, float]:
        """Calls this month, and what they cost in US dollars. Raises `pylib.sqlite.DatabaseUnavailable`."""
        core, spent = self._core, spent_this_month(self._core)
        free = (name for name, looker in core.lookers.items() if not looker.cost_usd)
        calls = sum(core.journal.detections_since(name, _month()) for name in free)
        return calls + sum(one.calls for one in spent), sum(one.cost_usd for one in spent)

    def description(self) -> str:
        """What looks at pictures, or why it cannot; empty where nothing does."""
        if self._detector is None:
            return ""
        try:
            return self._detector.describe()
        except DetectorError as error:
            return f"{self._detector.name}, which cannot look: {error.detail}"

    def stage(self, decide: Decide, *, holds: Callable[[Snapshot], bool]) -> Detect:
        """The detect stage; `holds`: whether a later stage decides what becomes an event."""
        return Detect(self._detector, journal=self._core.journal, decide=decide, holds=holds, tier_of=self._tier_of)

    def _tier_of(self, camera: str) -> Tier | None:
        core = self._core
        return tier_of(core.rules.book, camera, mode=core.telling.mode, moment=datetime.now(self._zone))

    def _paid_calls_of(self, detector: str) -> int:
        return sum(one.calls for one in spent_this_month(self._core) if one.detector == detector)


def look_again_of(core: Core) -> LookAgain:
    """What looks again at pictures of the record, with the configured detectors."""
    return LookAgain(core.lookers, core.settings.detector.kind, journal=core.journal)


def spent_this_month(core: Core) -> list[Spent]:
    """What was paid since the first of the month (UTC, as bills have it), for each camera and detector."""
    return core.journal.spent_since(_month())


def _month() -> datetime:
    return datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
