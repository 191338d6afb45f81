"""Builds the detector and the detect stage."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from app.bootstrap.adapters import make_detector
from app.config.settings import Settings
from app.journal import Journal
from app.messages import Snapshot
from app.monitoring.metrics import SnapshotMetrics
from app.pipeline.decide import Decide
from app.pipeline.detect import Detect


class DetectorParts:
    """The configured detector, what its calls cost, and how many there were."""

    def __init__(self, settings: Settings, *, journal: Journal, metrics: SnapshotMetrics) -> None:
        """Raises `app.detectors.DetectorRejected` where settings make no sense."""
        self._kind = settings.detector.kind
        self._journal = journal
        self._metrics = metrics
        self._detector = make_detector(settings, calls_this_month=self._calls_this_month)

    @property
    def workers(self) -> int:
        """How many pictures the detector looks at at once."""
        return self._detector.concurrency if self._detector else 1

    def this_month(self) -> tuple[int, float]:
        """Its calls this month, and what they cost in US dollars. Raises `pylib.sqlite.DatabaseUnavailable`."""
        calls = self._calls_this_month()
        return calls, calls * self._detector.cost_usd if self._detector else 0.0

    def stage(self, decide: Decide, *, holds: Callable[[Snapshot], bool]) -> Detect:
        """The detect stage; `holds`: whether a later stage decides what becomes an event."""
        return Detect(self._detector, journal=self._journal, decide=decide, count=self._count, holds=holds)

    def _count(self, detector: str, outcome: str) -> None:
        cost = self._detector.cost_usd if self._detector and outcome == "ok" else 0.0
        self._metrics.detection(detector, outcome, cost_usd=cost)

    def _calls_this_month(self) -> int:
        month = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return self._journal.detections_since(self._kind, month)
