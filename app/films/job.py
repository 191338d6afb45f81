"""The jobs that make films."""

from __future__ import annotations

from typing import ClassVar

import structlog

from app.films.maker import FilmMaker, NoPictures, forget_parts
from app.films.shelf import KIND, Films, Order
from app.jobs import Keep
from app.journal import Job
from pylib.errors import Permanent

log = structlog.get_logger(__name__)


class FilmJobs:
    """Makes films that were ordered."""

    kind: ClassVar[str] = KIND
    title: ClassVar[str] = "Film"

    def __init__(self, films: Films, maker: FilmMaker) -> None:
        self._films = films
        self._maker = maker

    def run(self, job: Job, keep: Keep) -> None:
        """Make it, all or what is left of it, and record it. Raises as `FilmMaker.make` does."""
        order = Order.of(job)
        path = self._films.path(order.id)
        try:
            made = self._maker.make(order.wanted, path, kept=job.kept, keep=keep)
            self._films.keep(order, made)
        except NoPictures as nothing:
            forget_parts(path)
            if not order.scheduled:
                raise
            log.info("no film", name=order.name, reason=nothing.detail)
            return
        except Permanent:
            forget_parts(path)
            raise
        forget_parts(path)
        log.info("film made", name=order.name, frames=made.film.frames, notes=made.notes())
