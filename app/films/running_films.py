"""All running films: looked after by jobs, announced pictures, dates that people give."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import ClassVar

import structlog

from app.films.running import RunningFilm, Standing
from app.jobs import Keep, NotYet
from app.journal import FilmPicture, Job, Journal
from pylib.errors import Permanent

log = structlog.get_logger(__name__)

KIND = "append"
"""Of the jobs."""
AGAIN_S = 120.0
"""Seconds between two looks for pictures that were announced."""
MOST_NAMED = 20
"""Of the pictures that are missing, or have no date."""
MOST_JOBS = 1_000

CODES = {
    "unknown_film": ("There is no running film of this name.", "look at `running_films` in the configuration"),
    "pictures_missing": (
        "Pictures of a running film were announced, and did not come. It goes on without them.",
        "send them: late pictures are put in their places",
    ),
    "pictures_awaited": ("Pictures of a running film were announced, and are not there yet.", "nothing: it waits"),
}
"""Code -> what happened, and what to do about it."""


class UnknownFilm(Permanent):
    """There is no running film of this name; `code` is `unknown_film`."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A running film, and how it is kept up."""

    film: RunningFilm
    every_s: float = 3600.0
    announced_wait_s: float = 3600.0
    announced_tries: int = 10


class RunningFilms:
    """The running films, by their names; also the jobs that append to them."""

    kind: ClassVar[str] = KIND
    title: ClassVar[str] = "Running film"

    def __init__(
        self,
        films: Mapping[str, Kept],
        *,
        journal: Journal,
        zone: tzinfo = UTC,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._films = films
        self._journal = journal
        self._zone = zone
        self._clock = clock
        self._looked: dict[str, float] = {}

    @property
    def names(self) -> list[str]:
        return list(self._films)

    def standing(self, name: str) -> Standing:
        """How a film is. Raises `UnknownFilm`."""
        return self._kept(name).film.standing()

    def medium_id(self, name: str) -> str:
        """The id of the film among all films. Raises `UnknownFilm`."""
        return self._kept(name).film.plan.id

    def undated(self, name: str, *, limit: int = 100) -> Sequence[FilmPicture]:
        """Pictures of which somebody has to say when they were taken. Raises `UnknownFilm`."""
        return self._journal.film_pictures(self._kept(name).film.plan.name, state="undated", limit=limit)

    def broken(self, name: str, *, limit: int = 100) -> Sequence[FilmPicture]:
        """Pictures that cannot be shown. Raises `UnknownFilm`."""
        return self._journal.film_pictures(self._kept(name).film.plan.name, state="broken", limit=limit)

    def date(self, name: str, picture: str, taken_at: datetime) -> bool:
        """Record when a picture was taken, and have it shown; False when it does not wait for that.

        `taken_at` without a zone is at home. Raises `UnknownFilm`.
        """
        self._kept(name)
        local = taken_at.astimezone(self._zone) if taken_at.tzinfo else taken_at.replace(tzinfo=self._zone)
        if not self._journal.date_picture(name, picture, local.astimezone(UTC), day=local.date().isoformat()):
            return False
        self.order(name)
        return True

    def announce(self, name: str, pictures: int, *, names: Sequence[str] = ()) -> None:
        """So many pictures, or those of these names, are going to come: the film waits for them. Raises `UnknownFilm`.

        What is offered from now on counts.
        """
        now, kept = self._clock(), self._kept(name)
        arguments = {
            "film": name,
            "pictures": max(pictures, len(names)),
            "names": list(names),
            "since": now,
            "until": now + kept.announced_wait_s,
        }
        self._journal.enqueue_job(KIND, f"{name}, announced {self._moment(now)}", arguments)

    def order(self, name: str) -> None:
        """Have it look for new pictures now. Raises `UnknownFilm`."""
        self._kept(name)
        key = f"{name} {self._moment(self._clock())[:10]}"
        self._journal.enqueue_job(KIND, key, {"film": name}, again=True)

    def tick(self) -> None:
        """Order what is due."""
        now = self._clock()
        for name, kept in self._films.items():
            if now - self._looked.get(name, float("-inf")) >= kept.every_s:
                self.order(name)
                self._looked[name] = now

    def run(self, job: Job, keep: Keep) -> None:
        """Take in what is new, and have the film show it.

        Raises `NotYet` while pictures are awaited, `Permanent` once they are given up.
        """
        kept = self._kept(str(job.arguments.get("film")))
        film = kept.film
        film.take_in()
        missing = self._missing(job)
        if missing:
            self._wait(job, kept, missing, keep)
        elif "pictures" not in job.arguments and self._awaited(film.plan.name):
            return  # until they are there, or given up
        before = film.standing()
        after = film.bring_up(lambda progress: keep(job.kept, progress))
        if after != before:
            log.info("running film appended to", film=film.plan.name, frames=after.shown, undated=after.undated)
        if missing:
            raise Permanent("pictures_missing", f"the film {film.plan.name} goes on without {missing}")

    def _wait(self, job: Job, kept: Kept, missing: str, keep: Keep) -> None:
        """Raises `NotYet`, as long as it may wait."""
        left, looks = job.arguments["until"] - self._clock(), int(job.kept or 0)
        if left <= 0:
            if looks >= kept.announced_tries:
                return
            keep(looks + 1, job.progress)
        after = min(AGAIN_S, left) if left > 0 else AGAIN_S
        raise NotYet("pictures_awaited", f"it waits for {missing}", after=max(1.0, after))

    def _missing(self, job: Job) -> str:
        """The announced pictures that are not there, in words; empty when all are."""
        if "pictures" not in job.arguments:
            return ""
        film, wanted, names = job.arguments["film"], job.arguments["pictures"], job.arguments["names"]
        if names:
            there = {one.name for one in self._journal.film_pictures(film) if one.state not in ("broken", "undated")}
            lost = [name for name in names if name not in there]
            more = f" and {len(lost) - MOST_NAMED} more" if len(lost) > MOST_NAMED else ""
            return (
                f"{len(lost)} of {len(names)} announced pictures: {', '.join(lost[:MOST_NAMED])}{more}" if lost else ""
            )
        arrived = len(self._journal.arrived_names(film, since=job.arguments["since"]))
        return f"{wanted - arrived} of {wanted} announced pictures" if arrived < wanted else ""

    def _awaited(self, name: str) -> bool:
        waiting = (job for job in self._journal.jobs(limit=MOST_JOBS) if job.kind == KIND and job.state == "waiting")
        return any(job.arguments.get("film") == name and "pictures" in job.arguments for job in waiting)

    def _kept(self, name: str) -> Kept:
        try:
            return self._films[name]
        except KeyError:
            raise UnknownFilm("unknown_film", f"there is no running film {name!r}") from None

    def _moment(self, seconds: float) -> str:
        return datetime.fromtimestamp(seconds, self._zone).isoformat(timespec="milliseconds")
