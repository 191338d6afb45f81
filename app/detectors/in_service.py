"""A detector in service: as many calls at once as make sense, none while it is away, each one counted."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from app.detectors import Detector, DetectorError, DetectorUnavailable, Question, Sight, description
from pylib.errors import Transient
from pylib.runtime.circuit_breaker import Breaker

log = structlog.get_logger(__name__)


class InService:
    """One detector, with its circuit."""

    def __init__(
        self,
        detector: Detector,
        *,
        breaker: Breaker | None = None,
        count: Callable[[str, str], None] = lambda _detector, _outcome: None,
    ) -> None:
        """`count` is told of each call: the detector's name, and `ok` or the failure, `code: sentence`."""
        self.name = detector.name
        self.concurrency = detector.concurrency
        self.cost_usd = detector.cost_usd
        self._detector = detector
        self._breaker = breaker or Breaker()
        self._count = count
        self._slots = threading.BoundedSemaphore(detector.concurrency)

    def look(self, picture: bytes, question: Question) -> Sight:
        """What it sees. Raises `DetectorError`, whatever goes wrong."""
        del question
        try:
            with self._slots:
                sight = self._look(picture)
        except DetectorError as failure:
            self._count(self.name, str(failure))
            raise
        except Exception as error:
            log.exception("detector failed unexpectedly", detector=self.name)
            unforeseen = DetectorError("internal_error", f"the detector failed with {type(error).__name__}")
            self._count(self.name, str(unforeseen))
            raise unforeseen from error
        self._count(self.name, "ok")
        return sight

    def describe(self) -> str:
        """The detector in its own words, else its title."""
        return description(self._detector, getattr(self._detector, "title", self.name))

    def close(self) -> None:
        """Release what the detector holds."""
        self._detector.close()

    def _look(self, picture: bytes) -> Sight:
        if not self._breaker.allow():
            wait = f"{self._breaker.retry_in:.0f} s"
            raise DetectorUnavailable("detector_away", f"{self.name} failed repeatedly and is not asked for {wait}")
        try:
            detection = self._detector.detect(picture)
        except Transient:
            self._breaker.failed()
            raise
        except BaseException:
            self._breaker.succeeded()  # it answered: a refused picture says nothing about the next one
            raise
        self._breaker.succeeded()
        return Sight(self.name, detection, self.cost_usd)
