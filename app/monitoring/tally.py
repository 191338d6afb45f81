"""Counts each outcome where it becomes known: for Prometheus, and for people, who read `Outcomes`."""

from __future__ import annotations

from collections.abc import Collection

from app.monitoring.metrics import SnapshotMetrics
from app.monitoring.outcomes import OK, Outcomes, Subject

UPLOADS = "uploads"
"""The name of all uploads together among the outcomes."""


class Tally:
    """Hears of every outcome: a word such as `ok`, a failure's code, or `code: sentence`."""

    def __init__(self, metrics: SnapshotMetrics, outcomes: Outcomes, *, push_only: Collection[str] = ()) -> None:
        """`push_only`: device keys of cameras that only send: nothing but their uploads tells how they do."""
        self._metrics = metrics
        self._outcomes = outcomes
        self._push_only = push_only

    def trigger(self, origin: str, outcome: str) -> None:
        """A trigger came from this source."""
        self._metrics.trigger(origin, _code(outcome))
        self._outcomes.report("trigger", origin, outcome)

    def snapshot(self, camera: str, outcome: str) -> None:
        """A camera was asked for a picture."""
        self._metrics.snapshot(camera, _code(outcome))
        self._outcomes.report("camera", camera, outcome)

    def upload(self, camera: str, outcome: str) -> None:
        """A camera sent a file; an empty name for an unknown one."""
        self._metrics.snapshot(camera or "unknown", _code(outcome))
        self._outcomes.report("upload", UPLOADS, outcome)
        if outcome in OK or camera in self._push_only:  # anybody with the login can send a broken file
            self._outcomes.report("camera", camera, outcome)

    def detection(self, detector: str, outcome: str) -> None:
        """A detector was asked once."""
        self._metrics.detection(detector, _code(outcome))
        self._outcomes.report("detector", detector, outcome)

    def publication(self, target: str, outcome: str) -> None:
        """One attempt to deliver an event to a publisher ended."""
        self._delivery("publisher", target, outcome)

    def archiving(self, target: str, outcome: str) -> None:
        """One attempt to store a picture in an archive ended."""
        self._delivery("archive", target, outcome)

    def _delivery(self, subject: Subject, target: str, outcome: str) -> None:
        self._metrics.delivery(target, _code(outcome))
        self._outcomes.report(subject, target, outcome)


def _code(outcome: str) -> str:
    return outcome.partition(":")[0]
