"""Builds the kinds of jobs, and the threads that do them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import structlog

from app.archives import Archive
from app.bootstrap.archives import thumbnails_of
from app.bootstrap.booth import booth_jobs
from app.bootstrap.core import Core
from app.bootstrap.detection import look_again_of
from app.bootstrap.films import film_jobs_of, film_schedule_of
from app.bootstrap.relays import Relays
from app.bootstrap.running_films import running_film_looks, running_films_of
from app.describe.job import Describe
from app.jobs import JobKind, Work
from app.jobs.animation import Animate
from app.jobs.deletion import CarryOut, DeletePictures
from app.jobs.redetect import Redetect
from app.journal import Journal
from app.journal.jobs import EventJob
from app.media.film import FilmError, encoder_hint
from app.messages import Snapshot
from app.storage.erasure import Erasure
from pylib.observability.health import Status
from pylib.runtime.periodic import Every, Periodic
from pylib.runtime.threads import ManagedThread

log = structlog.get_logger(__name__)

JOBS = "inproc://jobs"
WORKERS = 4
"""Jobs that are done at once, each of another kind."""
NICENESS = 5
"""Of their threads (0..19): what makes an event goes first."""
LONGEST_S = 6 * 3600.0
"""Seconds after which a job that has not ended counts as stuck."""
FORGET_EVERY_S = 86_400.0


def kinds_of(core: Core, archives: Sequence[Archive]) -> list[JobKind]:
    """The kinds of jobs that these settings ask for."""
    settings, formats = core.settings, core.animations.formats
    if "mp4" in formats or settings.films:
        _say_encoder()
    described = [EventJob(Describe.kind, "sentence", of=settings.describe.events)] if settings.describe.url else []
    core.journal.event_jobs = [*(EventJob(Animate.kind, name, {"format": name}) for name in formats), *described]
    describe = [Describe(settings.describe, journal=core.journal, max_pixels=settings.max_pixels)] if described else []
    redetect = Redetect(look_again_of(core), journal=core.journal)
    own: list[JobKind] = [Animate(core.animations), film_jobs_of(core), running_films_of(core), redetect]
    return [*own, *describe, *booth_jobs(core), *_deleting(core, archives)]


def _deleting(core: Core, archives: Sequence[Archive]) -> list[JobKind]:
    erase, named = Erasure(thumbnails_of(core.settings), core.media), {archive.name: archive for archive in archives}

    def name(snapshot: Snapshot) -> str:
        return str(core.cache.path_of(snapshot.id, snapshot.camera, snapshot.taken_at, ".jpg"))

    carry_out = CarryOut(erase, journal=core.journal, archives=tuple(named))
    return [carry_out, DeletePictures(erase, journal=core.journal, archives=named, name=name)]


def _say_encoder() -> None:
    try:
        hint = encoder_hint()
    except FilmError as error:
        hint = str(error)
    if hint:
        log.warning("films will not be H.264", reason=hint)


def job_threads(core: Core, relays: Relays, archives: Sequence[Archive]) -> list[ManagedThread]:
    """The threads that do jobs, and forget those that ended long ago; people see jobs by health and metrics."""
    kinds, journal = kinds_of(core, archives), core.journal
    core.job_titles.update({kind.kind: kind.title for kind in kinds})
    for kind in kinds:
        core.metrics.jobs_waiting(kind.kind, partial(journal.jobs_waiting, kind.kind))
    work = Work(kinds, journal=journal, stopping=lambda: relay.stopping.is_set(), count=core.metrics.job)
    options: dict[str, Any] = {"key": lambda job: job.kind, "identity": lambda job: job.id}
    relay = relays.stage("jobs", work, source=JOBS, workers=WORKERS, longest=LONGEST_S, niceness=NICENESS, **options)
    looks = running_film_looks(running_films_of(core))
    core.health.add("failed jobs", _failed(journal, core.job_titles), critical=False, alarm=True)
    return [Periodic("old jobs", journal.forget_jobs, Every(FORGET_EVERY_S)), film_schedule_of(core), looks, relay]


def _failed(journal: Journal, titles: dict[str, str]) -> Callable[[], Status]:
    def probe() -> Status:
        failed = journal.failed_jobs()
        if not failed:
            return Status(ok=True, detail="none has failed")
        last = failed[0]
        what = f"{titles.get(last.kind, last.kind)} {last.key}: {last.problem}"
        return Status(ok=False, detail=f"{len(failed)} failed, the last: {what}")

    return probe
