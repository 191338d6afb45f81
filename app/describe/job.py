"""Describes an event's picture as soon as the event is made; the event itself never waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import ClassVar

import structlog

from app.describe.server import DescribingServer
from app.describe.settings import DescribeSettings
from app.jobs import Keep, NotYet
from app.journal import Job, Journal
from app.media.picture import MAX_PIXELS, BadPicture
from app.media.thumbnail import preview
from pylib.errors import Permanent, Transient
from pylib.files import durable

log = structlog.get_logger(__name__)

JOB = "describe"
"""Kind of the jobs."""
REST_S = 60.0
"""Seconds for which a server is left alone that could not answer."""
LONGEST_S = 86_400.0
"""Seconds after its picture for which an event waits for a server."""

CODES = {
    "describe_late": (
        "The server that describes pictures could not be used for a day, and the event stays without a sentence.",
        "look at the reason",
    ),
}
"""Code -> what happened, and what to do about it."""


class Describe:
    """One sentence; the job's arguments name its `event`."""

    kind: ClassVar[str] = JOB
    title: ClassVar[str] = "Description"

    def __init__(
        self,
        settings: DescribeSettings,
        *,
        journal: Journal,
        max_pixels: int = MAX_PIXELS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock`: Unix seconds."""
        self._settings = settings
        self._server = DescribingServer(settings)
        self._journal = journal
        self._max_pixels = max_pixels
        self._clock = clock
        self._rest: tuple[float, Transient] | None = None
        """Until when the server is left alone, and why."""
        self._capped = ""
        """The month whose end of calls the log has."""

    def run(self, job: Job, keep: Keep) -> None:
        del keep  # one call: begun anew
        event_id = job.arguments["event"]
        entry = self._journal.entry(event_id)
        if entry is None or not entry.inspection.snapshot.path or entry.inspection.description:
            return  # deleted or evicted meanwhile; or described before a crash
        snapshot = entry.inspection.snapshot
        try:
            picture = preview(durable.read(snapshot.path), side=self._settings.long_side, max_pixels=self._max_pixels)
        except (OSError, BadPicture) as error:
            log.info("not described", event_id=event_id, reason=str(error))
            return
        try:
            sentence = self._described(picture)
        except Transient as error:
            if self._clock() > snapshot.taken_at.timestamp() + LONGEST_S:
                raise Permanent("describe_late", error.detail) from None
            raise NotYet(error.code, error.detail, after=REST_S) from None
        if sentence and self._journal.describe(event_id, sentence):
            log.info("described", event_id=event_id, camera=snapshot.camera)

    def _described(self, picture: bytes) -> str:
        """The sentence; empty where this month has no more calls. Raises `Transient` or `Permanent`."""
        now = self._clock()
        if self._rest and 0 <= self._rest[0] - now <= REST_S:  # else it is over, or the clock was set back
            raise self._rest[1]
        month = f"{datetime.fromtimestamp(now, UTC):%Y-%m}"
        if not self._journal.count_description_call(month, cap=self._settings.monthly_cap):
            if self._capped != month:
                log.warning("no more descriptions this month", calls=self._settings.monthly_cap)
                self._capped = month
            return ""
        try:
            sentence = self._server.describe(picture)
        except Transient as error:
            log.warning("not described now", reason=str(error))
            self._rest = now + REST_S, error
            raise
        self._rest = None
        return sentence
