"""The deliveries of one target, done and pending, for the publish and the archive stage alike."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any

import structlog

from app.journal import Backoff, Journal
from app.messages import Inspection, Review
from pylib import tracing
from pylib.errors import Permanent, Transient

log = structlog.get_logger(__name__)

REMEMBERED = 2000
"""How many confirmed events are remembered while the journal cannot record them."""

_NEVER = object()

CODES = {
    "internal_error": (
        "The adapter of this target went wrong. The log says more.",
        "report it, with the traceback from the log",
    ),
}
"""Code -> what happened, and what to do about it."""


class TargetDelivery:
    """One target's deliveries. Every method may be called from any thread."""

    def __init__(
        self,
        target: str,
        *,
        journal: Journal,
        backoff: Backoff,
        abandon_after: Mapping[str, float] | None = None,
        count: Callable[[str, str], None] = lambda _target, _outcome: None,
    ) -> None:
        """`abandon_after`: failure code -> seconds after which an event that still fails so is given up.

        `count` gets the target of each attempt, and `ok`, or the failure as `code: sentence`."""
        self.target = target
        self._journal = journal
        self._backoff = backoff
        self._abandon_after = abandon_after or {}
        self._count = count
        self._outage = False
        self._told: set[str] = set()
        """Codes of single failures that the log has already."""
        self._lock = threading.Lock()
        self._confirmed: dict[str, Review | None] = {}  # by id, the oldest first; not recorded yet

    def pending(self, *, limit: int, newest_first: bool = False) -> list[Inspection]:
        """Deliveries that are pending and may be tried now."""
        return self._unconfirmed(self._journal.pending(self.target, limit=limit, newest_first=newest_first))

    def digest_due(self, *, limit: int) -> list[Inspection]:
        """What is to be told in one message now, oldest first."""
        return self._unconfirmed(self._journal.digest_due(self.target, limit=limit))

    def _unconfirmed(self, pending: list[Inspection]) -> list[Inspection]:
        # Confirmed, but not recorded yet (a full disk): recording is all that is left to do.
        with self._lock:
            confirmed = {
                inspection.id: self._confirmed[inspection.id]
                for inspection in pending
                if self._confirmed.get(inspection.id, _NEVER) in (None, inspection.review)
            }
        for event_id, review in confirmed.items():
            self._record(event_id, review=review)
        return [inspection for inspection in pending if inspection.id not in confirmed]

    def delivered(self, event_id: str, *, md5: str = "", review: Review | None = None) -> None:
        """The target has confirmed this event; with this review, where it follows edits."""
        self._remember(event_id, review)
        self._record(event_id, md5=md5, review=review)
        self._count(self.target, "ok")
        if self._outage:
            self.target_recovered()

    def nothing_to_deliver(self, event_id: str) -> None:
        """There is nothing in this event for the target, which is not asked."""
        self._journal.delivered(event_id, self.target)

    def abandon(self, event_id: str, error: Permanent) -> None:
        """The target will never take this event."""
        tracing.failed(str(error))
        log.error("given up", target=self.target, event_id=event_id, reason=str(error))
        self._journal.abandon(event_id, self.target, problem=str(error))
        self._count(self.target, str(error))

    def postpone(self, event_id: str, error: Exception, *, backoff: Backoff | None = None, outage: bool = True) -> None:
        """The target did not take this event now, or something unforeseen happened: the delivery stays pending.

        `outage`: whether the whole target is affected; then everything is tried at once when it is back.
        """
        if isinstance(error, Transient):
            failure = error
            if outage and not self._outage:  # once an outage, not once an event
                log.warning("target unreachable, its deliveries stay pending", target=self.target, reason=str(error))
            elif not outage and failure.code not in self._told:
                log.warning("event not delivered now", target=self.target, event_id=event_id, reason=str(error))
                self._told.add(failure.code)
        else:
            failure = Transient("internal_error", f"the target's adapter failed with {type(error).__name__}")
            log.error("target failed unexpectedly", target=self.target, event_id=event_id, exc_info=error)
        tracing.failed(str(failure))
        self._outage = self._outage or outage
        self._count(self.target, str(failure))
        self._journal.postpone(
            event_id,
            self.target,
            problem=str(failure),
            backoff=backoff or self._backoff,
            abandon_after=self._abandon_after.get(failure.code),
        )

    def target_recovered(self) -> None:
        """The target is reachable again: everything pending is tried at once."""
        self._outage = False
        self._journal.retry_now(self.target)

    def _remember(self, event_id: str, review: Review | None) -> None:
        with self._lock:
            self._confirmed[event_id] = review
            if len(self._confirmed) > REMEMBERED:
                del self._confirmed[next(iter(self._confirmed))]

    def _record(self, event_id: str, *, md5: str = "", review: Review | None) -> None:
        """Have it in the journal, and from then on there alone: it may become pending again."""
        recorded = self._journal.delivered(event_id, self.target, md5=md5, review=review)
        recorded.add_done_callback(partial(self._forget, event_id))

    def _forget(self, event_id: str, recorded: Future[Any]) -> None:
        if recorded.exception() is None:
            with self._lock:
                self._confirmed.pop(event_id, None)
