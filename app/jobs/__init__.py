"""Long work, as the journal records it: animations, films, exports. Each is done once, capped and resumable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Protocol

import structlog

from app.journal import Job, Journal
from pylib.errors import Permanent, Transient
from pylib.runtime.stage import Stage

log = structlog.get_logger(__name__)

CODES = {
    "internal_error": (
        "Something in the service itself went wrong. The log says more.",
        "report it, with the traceback from the log",
    ),
}
"""Code -> what happened, and what to do about it."""

Keep = Callable[[Any, float], None]
"""Remembers, for the next attempt, what was done so far (what MessagePack knows), and how far that is (0..1)."""


class NotYet(Transient):
    """What the job needs is not there yet: it is tried again in `after` seconds, and that counts as no attempt."""

    def __init__(self, code: str, detail: str, *, after: float) -> None:
        super().__init__(code, detail)
        self.after = after


class JobKind(Protocol):
    """Does the jobs of one kind."""

    kind: ClassVar[str]
    title: ClassVar[str]
    """What people read: `Animation`."""

    def run(self, job: Job, keep: Keep) -> None:
        """Do it, all or what is left of it; doing what was done already changes nothing.

        Raises `NotYet`, `Transient` or `Permanent`.
        """
        ...


class Work(Stage[Job]):
    """Does jobs, one at a time of each kind."""

    def __init__(self, kinds: Iterable[JobKind], *, journal: Journal) -> None:
        self._kinds: Mapping[str, JobKind] = {one.kind: one for one in kinds}
        self._journal = journal

    def handle(self, job: Job) -> Iterable[object]:
        kind, journal = self._kinds.get(job.kind), self._journal
        if kind is None or not journal.begin_job(job):
            return ()
        try:
            kind.run(job, lambda kept, progress: journal.keep_job(job, kept=kept, progress=progress))
        except NotYet as error:
            journal.postpone_job(job, problem=str(error), after=error.after, counted=False)
        except Permanent as error:
            log.error("job given up", kind=job.kind, key=job.key, reason=str(error))
            journal.end_job(job, problem=str(error))
        except Transient as error:
            log.warning("job put off", kind=job.kind, key=job.key, reason=str(error))
            journal.postpone_job(job, problem=str(error))
        except Exception as error:
            log.exception("job failed unexpectedly", kind=job.kind, key=job.key)
            journal.postpone_job(job, problem=f"internal_error: {type(error).__name__}")
        else:
            journal.end_job(job)
        return ()

    def pending(self) -> Iterable[Job]:
        return [job for job in self._journal.jobs_due() if job.kind in self._kinds]
