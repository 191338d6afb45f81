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


class Stopping(NotYet):
    """The service ends; the job goes on after the next start."""

    def __init__(self) -> None:
        super().__init__("stopping", "the service ends", after=1.0)


class JobKind(Protocol):
    """Does the jobs of one kind."""

    kind: ClassVar[str]
    title: ClassVar[str]
    """What people read: `Animation`."""

    def run(self, job: Job, keep: Keep) -> None:
        """Do it, all or what is left of it; doing what was done already changes nothing.

        Call `keep` often, every few seconds at least: it raises `Stopping` when the service ends, and what was kept is
        where the next attempt goes on. Raises `NotYet`, `Transient` or `Permanent`.
        """
        ...


class Work(Stage[Job]):
    """Does jobs, one at a time of each kind."""

    def __init__(
        self,
        kinds: Iterable[JobKind],
        *,
        journal: Journal,
        stopping: Callable[[], bool] = lambda: False,
        count: Callable[[str, str], None] = lambda _kind, _outcome: None,
    ) -> None:
        """`stopping`: whether the service ends; `count`: counts an attempt by kind and outcome."""
        self._kinds: Mapping[str, JobKind] = {one.kind: one for one in kinds}
        self._journal = journal
        self._stopping = stopping
        self._count = count

    def handle(self, job: Job) -> Iterable[object]:
        kind, journal = self._kinds.get(job.kind), self._journal
        if kind is None or self._stopping() or not journal.begin_job(job):
            return ()
        outcome = "ok"
        try:
            kind.run(job, lambda kept, progress: self._keep(job, kept, progress))
        except NotYet as error:
            outcome = error.code
            journal.postpone_job(job, problem=str(error), after=error.after, counted=False)
        except Permanent as error:
            outcome = error.code
            log.error("job given up", kind=job.kind, key=job.key, reason=str(error))
            journal.end_job(job, problem=str(error))
        except Transient as error:
            outcome = error.code
            log.warning("job put off", kind=job.kind, key=job.key, reason=str(error))
            journal.postpone_job(job, problem=str(error))
        except Exception as error:
            outcome = "internal_error"
            log.exception("job failed unexpectedly", kind=job.kind, key=job.key)
            journal.postpone_job(job, problem=f"internal_error: {type(error).__name__}")
        else:
            journal.end_job(job)
        self._count(job.kind, outcome)
        return ()

    def pending(self) -> Iterable[Job]:
        return self._journal.jobs_due(self._kinds) if self._kinds else ()

    def _keep(self, job: Job, kept: Any, progress: float) -> None:
        self._journal.keep_job(job, kept=kept, progress=progress)
        if self._stopping():
            raise Stopping
