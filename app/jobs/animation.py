"""Makes the animation of an event as soon as it is settled."""

from __future__ import annotations

from typing import ClassVar

import structlog

from app.jobs import Keep
from app.journal import Job
from app.media.animation import NotAnimated
from app.storage.animations import JOB, Animations

log = structlog.get_logger(__name__)


class Animate:
    """One animation; the job's arguments name its `event` and `format`."""

    kind: ClassVar[str] = JOB
    title: ClassVar[str] = "Animation"

    def __init__(self, animations: Animations) -> None:
        self._animations = animations

    def run(self, job: Job, keep: Keep) -> None:
        del keep  # a second or two: begun anew
        event_id, kind = job.arguments["event"], job.arguments["format"]
        try:
            made = self._animations.make(event_id, kind)
        except NotAnimated as error:
            if error.code != "one_picture":
                raise
            log.info("not animated", event_id=event_id, reason=str(error))  # deleted, or evicted, meanwhile
        else:
            log.info("animated", event_id=event_id, format=kind, frames=made.frames, bytes=made.size)
