"""The deliveries of one target, done and pending, for the publish and the archive stage alike."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import structlog

from app.journal import Backoff, Journal
from app.messages import Inspection
from pylib.errors import Permanent, Transient

log = structlog.get_logger(__name__)

REMEMBERED = 2000
"""The latest that the target has confirmed, in case that the journal cannot take note of it."""

CODES = {
    "internal_error": (
        "The adapter of this target went wrong. The log says more.",
        "report it, with the traceback from the log",
    ),
}
"""Code -> what happened, and what to do about it."""


class TargetDelivery:
    """One target's account. Every method may be called from any thread."""

    def __init__(
        self,
        target: str,
        *,
        journal: Journal,
        backoff: Backoff,
        abandon_after: Mapping[str, float] | None = None,
        count: Callable[[str, str], None] = lambda _target, _outcome: None,
    ) -> None:
        """`abandon_after`: failure code -> seconds after which what still fails so is let go."""
        self.target = target
        self._journal = journal
        self._backoff = backoff
        self._abandon_after = abandon_after or {}
        self._count = count
        self._away = False
        self._lock = threading.Lock()
        self._told: dict[str, None] = {}  # in the order of telling

    def pending(self, *, limit: int, newest_first: bool = False) -> list[Inspection]:
        """What it is owed and may be tried now."""
        pending = self._journal.pending(self.target, limit=limit, newest_first=newest_first)
        # Confirmed, and the record of it not written yet (a full disk): that is what is still to be done.
        with self._lock:
            told = {inspection.id for inspection in pending if inspection.id in self._told}
        for event_id in told:
            self._journal.delivered(event_id, self.target)
        return [inspection for inspection in pending if inspection.id not in told]

    def delivered(self, event_id: str, *, md5: str = "") -> None:
        """It has confirmed this one."""
        self._remember(event_id)
        self._journal.delivered(event_id, self.target, md5=md5)
        self._count(self.target, "ok")
        if self._away:
            self.target_recovered()

    def abandon(self, event_id: str, error: Permanent) -> None:
        """It will never take this one."""
        log.error("given up", target=self.target, event_id=event_id, reason=str(error))
        self._journal.abandon(event_id, self.target, problem=str(error))
        self._count(self.target, error.code)

    def postpone(self, event_id: str, error: Exception, *, backoff: Backoff | None = None, away: bool = True) -> None:
        """It did not take this one now, or something unforeseen happened: in any case it stays owed.

        `away`: whether that says something of the whole target; then everything is tried again once it is back.
        """
        if isinstance(error, Transient):
            failure = error
            if away and not self._away:  # once an outage, not once an event
                log.warning("target away, what it is owed is kept", target=self.target, reason=str(error))
        else:
            failure = Transient("internal_error", f"the target's adapter failed with {type(error).__name__}")
            log.error("target failed unexpectedly", target=self.target, event_id=event_id, exc_info=error)
        self._away = self._away or away
        self._count(self.target, failure.code)
        self._journal.postpone(
            event_id,
            self.target,
            problem=str(failure),
            backoff=backoff or self._backoff,
            abandon_after=self._abandon_after.get(failure.code),
        )

    def target_recovered(self) -> None:
        """The target is there again: what it is owed waits no longer."""
        self._away = False
        self._journal.retry_now(self.target)

    def _remember(self, event_id: str) -> None:
        with self._lock:
            self._told[event_id] = None
            if len(self._told) > REMEMBERED:
                del self._told[next(iter(self._told))]
