"""Films by the clock."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from datetime import time as day_time

from app.films.recipe import ScheduledFilm
from app.films.selection import Wanted
from app.films.shelf import KIND, Films, Order
from app.journal import Journal
from app.journal.entries import Filter

LATE_S = 600.0
"""Seconds after its span ends when a film is made: late uploads come in until then."""
NAMESPACE = uuid.UUID("6f5b9a52-2d6e-4f0c-9a4e-1f1c5d8c7b11")
"""Of the ids of films: the same span has the same id, so that it is made once."""
MONDAY = 0


class FilmSchedule:
    """Orders each film of the configuration once a span."""

    def __init__(
        self,
        films: Sequence[ScheduledFilm],
        *,
        journal: Journal,
        shelf: Films,
        zone: tzinfo,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._films = films
        self._journal = journal
        self._shelf = shelf
        self._zone = zone
        self._clock = clock
        self._last: dict[str, datetime] = {}
        """Name -> end of the span that was ordered last."""

    def tick(self) -> None:
        """Order the films whose span has ended; the last one too that ended while the service was not running."""
        for film in self._films:
            since, until = self._span(film)
            if self._last.get(film.name) == until:
                continue
            film_id = uuid.uuid5(NAMESPACE, f"{film.name} {until.isoformat()}").hex
            if self._shelf.film(film_id) is None:
                wanted = Wanted(film.recipe, Filter(since=since, until=until))
                order = Order(film_id, film.name, wanted, scheduled=True)
                self._journal.enqueue_job(KIND, film_id, order.as_map(), at=until.timestamp() + LATE_S)
            self._last[film.name] = until

    def _span(self, film: ScheduledFilm) -> tuple[datetime, datetime]:
        """The last one that has ended."""
        now = datetime.fromtimestamp(self._clock(), self._zone)
        at = day_time.fromisoformat(film.at)
        last = now.date()
        while self._moment(last, at) > now or (film.each == "week" and last.weekday() != MONDAY):
            last -= timedelta(days=1)
        first = last - timedelta(days=7 if film.each == "week" else 1)
        return self._moment(first, at), self._moment(last, at)

    def _moment(self, day: date, at: day_time) -> datetime:
        return datetime.combine(day, at, self._zone).astimezone(UTC)
