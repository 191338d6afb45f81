"""Looks again at all pictures of a time: with another detector, or with one that has learnt more since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import structlog

from app.detectors import DetectorError, DetectorUnavailable
from app.jobs import Keep
from app.journal import Job, Journal
from app.pipeline.look_again import LookAgain
from pylib.errors import Permanent

log = structlog.get_logger(__name__)

BATCH = 50
"""Entries in one query to the journal."""
MOST_REFUSALS = 3
"""In a row and with one code: then it is not the pictures, and a person has to do something."""


@dataclass(frozen=True, slots=True)
class Redetection:
    """Which pictures are looked at again, and by which detector."""

    since: datetime
    until: datetime
    camera: str = ""
    """Device key; empty for all."""
    detector: str = ""
    """Its name; empty for the one that looks at new pictures."""

    @property
    def key(self) -> str:
        """Names the job: `2026-11-20 08:00 to 2026-11-21 08:00 Front Door Camera rekognition`."""
        times = " to ".join(f"{moment:%Y-%m-%d %H:%M:%S}" for moment in (self.since, self.until))
        return " ".join(part for part in (times, self.camera, self.detector) if part)

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The same, for the job."""
        span = {"since": self.since.timestamp(), "until": self.until.timestamp()}
        return {**span, "camera": self.camera, "detector": self.detector}

    @classmethod
    def of(cls, job: Job) -> Redetection:
        given = job.arguments
        since, until = (datetime.fromtimestamp(given[name], UTC) for name in ("since", "until"))
        return cls(since, until, given["camera"], given["detector"])


class Redetect:
    """One such job. It goes on behind the last picture that was looked at."""

    kind: ClassVar[str] = "redetect"
    title: ClassVar[str] = "Looking again"

    def __init__(self, look_again: LookAgain, *, journal: Journal) -> None:
        self._look_again = look_again
        self._journal = journal

    def run(self, job: Job, keep: Keep) -> None:
        """Look at all, or what is left of it. Raises `DetectorUnavailable`, or `Permanent` where it refuses all."""
        wanted, journal = Redetection.of(job), self._journal
        span: dict[str, Any] = {"since": wanted.since, "until": wanted.until, "camera": wanted.camera}
        self._look_again.detector(wanted.detector)
        most = journal.count_to_look_again(**span)
        last, done = job.kept or (0, 0)
        refusals: list[str] = []
        while entries := journal.to_look_again(**span, after=last, limit=BATCH):
            for entry in entries:
                try:
                    self._look_again(entry, detector=wanted.detector)
                    refusals = []
                except DetectorUnavailable:
                    raise
                except DetectorError as refused:  # or broke on this picture
                    log.warning("not looked at again", event_id=entry.id, reason=str(refused))
                    refusals = [*refusals, refused.code] if refused.code in refusals[-1:] else [refused.code]
                    if len(refusals) == MOST_REFUSALS:
                        raise
                except Permanent as gone:  # its picture, meanwhile
                    log.info("not looked at again", event_id=entry.id, reason=str(gone))
                last, done = entry.seq, done + 1
                keep((last, done), min(1.0, done / max(most, 1)))
        log.info("looked again", key=job.key, pictures=done)
