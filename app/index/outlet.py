"""The shared index as an outlet: what the journal has and the index has not goes there, many events at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog

from app.index.database import IndexDatabase, IndexUnavailable
from app.index.writing import IndexWriting
from app.journal import Backoff, Journal
from app.journal.mirror import INDEX, Change
from pylib.runtime.stage import Stage

log = structlog.get_logger(__name__)

REFUSED_S = 86_400.0
"""Seconds after which an event that the database itself refuses is given up."""
LONGEST_PAUSE_S = 30.0


@dataclass(frozen=True, slots=True)
class Pending:
    """There is something that the index does not have."""

    id: str = INDEX
    camera: str = ""


class Mirror(Stage[Pending]):
    """Brings the index up to date. Retries are the journal's delivery rows; an outage costs one attempt at a time."""

    def __init__(
        self,
        database: IndexDatabase,
        *,
        journal: Journal,
        count: Callable[[str, str], None] = lambda _target, _outcome: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`count`: as `app.pipeline.delivery.TargetDelivery` has it."""
        self._database = database
        self._writing = IndexWriting(database)
        self._journal = journal
        self._count = count
        self._clock = clock
        self._identity = ""
        self._pause = 0.0
        self._again_at = 0.0

    def pending(self) -> Iterable[Pending]:
        if self._clock() >= self._again_at and (self._journal.changes(limit=1) or self._journal.forgotten(limit=1)):
            yield Pending()

    def handle(self, message: Pending) -> Iterable[object]:
        del message
        try:
            self._bring_up_to_date()
        except IndexUnavailable as error:
            self._put_off(error)
        else:
            if self._pause:
                log.info("shared index reachable again", waiting=self._journal.backlog(INDEX).count)
            self._pause = 0.0
        return ()

    def close(self) -> None:
        self._database.close()

    def _bring_up_to_date(self) -> None:
        self._begin_anew_where_it_is_another()
        with self._database.in_turn:
            if forgotten := self._journal.forgotten():
                self._writing.forget(forgotten)
                self._journal.forgotten_there(forgotten)
            if changes := self._journal.changes():
                self._write(changes)

    def _begin_anew_where_it_is_another(self) -> None:
        self._database.ready()
        if self._identity != self._database.identity:
            self._identity = self._database.identity
            self._journal.mirror_anew(self._identity)

    def _write(self, changes: Sequence[Change]) -> None:
        try:
            self._writing.write(changes)
        except IndexUnavailable as error:
            if error.code != "row_refused":
                raise
            if len(changes) > 1:
                for change in changes:  # one that is refused harms itself only
                    self._write([change])
                return
            log.warning("event not taken by the shared index", event_id=changes[0].entry.id, reason=str(error))
            self._count(INDEX, str(error))
            backoff = Backoff()
            self._journal.postpone(
                changes[0].entry.id, INDEX, problem=str(error), backoff=backoff, abandon_after=REFUSED_S
            )
        else:
            self._journal.mirrored(changes)
            self._count(INDEX, "ok")

    def _put_off(self, error: IndexUnavailable) -> None:
        if not self._pause:
            log.warning("shared index unreachable, its events stay pending", reason=str(error))
        self._count(INDEX, str(error))
        self._pause = min(LONGEST_PAUSE_S, 2 * self._pause or 1.0)
        self._again_at = self._clock() + self._pause

    def try_now(self) -> None:
        """End the pause."""
        self._again_at = 0.0
