"""The publish stage: tell one target, and keep account of what it is still owed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import structlog

from app.journal import Backoff, Journal
from app.messages import Inspection
from app.publishers import Publisher
from pylib.errors import Permanent, Transient
from pylib.relay import Stage

log = structlog.get_logger(__name__)

AT_ONCE = 500
"""Deliveries taken up from the journal in one go."""

REMEMBERED = 2000
"""The latest events that the target has confirmed, in case that the journal cannot take note of it."""


class Publish(Stage[Inspection]):
    """Delivers inspections to one publisher. Retries are the journal's delivery rows, so none blocks the next."""

    def __init__(
        self,
        publisher: Publisher,
        *,
        journal: Journal,
        backoff: Backoff | None = None,
        give_up_after: Mapping[str, float] | None = None,
        count: Callable[[str, str], None] = lambda _target, _outcome: None,
    ) -> None:
        """`give_up_after`: failure code -> seconds after which an event that still fails so is let go."""
        self._publisher = publisher
        self._journal = journal
        self._backoff = backoff or Backoff()
        self._give_up_after = give_up_after or {}
        self._count = count
        self._away = False
        self._told: dict[str, None] = {}  # in the order of telling

    def handle(self, inspection: Inspection) -> Iterable[object]:
        target = self._publisher.name
        try:
            self._publisher.publish(inspection)
        except Permanent as error:
            log.error("event given up", target=target, event_id=inspection.id, reason=str(error))
            self._journal.give_up(inspection.id, target, problem=str(error))
            self._count(target, error.code)
        except Exception as error:  # noqa: BLE001 - whatever it was, the event stays owed
            self._put_off(inspection, error)
        else:
            self._remember(inspection.id)
            self._journal.delivered(inspection.id, target)
            self._count(target, "ok")
            if self._away:
                self.back()
        return ()

    def owed(self) -> Iterable[Inspection]:
        owed = self._journal.owed(self._publisher.name, limit=AT_ONCE)
        # Confirmed, and the record of it not written yet (a full disk): that is what is still to be done.
        told = {inspection.id for inspection in owed if inspection.id in self._told}
        for event_id in told:
            self._journal.delivered(event_id, self._publisher.name)
        return [inspection for inspection in owed if inspection.id not in told]

    def back(self) -> None:
        """The target is there again: what it is owed waits no longer. From any thread."""
        self._away = False
        self._journal.retry_now(self._publisher.name)

    def _remember(self, event_id: str) -> None:
        self._told[event_id] = None
        if len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]

    def _put_off(self, inspection: Inspection, error: Exception) -> None:
        target = self._publisher.name
        if isinstance(error, Transient):
            failure = error
            if not self._away:  # once an outage, not once an event
                log.warning("target away, events are kept for it", target=target, reason=str(error))
        else:
            failure = Transient("internal_error", f"the publisher failed with {type(error).__name__}")
            log.error("publisher failed unexpectedly", target=target, event_id=inspection.id, exc_info=error)
        self._away = True
        self._count(target, failure.code)
        self._journal.postpone(
            inspection.id,
            target,
            problem=str(failure),
            backoff=self._backoff,
            give_up_after=self._give_up_after.get(failure.code),
        )
