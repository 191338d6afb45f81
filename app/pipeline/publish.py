"""The publish stage: delivers events to one target, and retries what is pending."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from app.journal import Backoff, Journal
from app.messages import Inspection
from app.pipeline.delivery import TargetDelivery
from app.publishers import Publisher
from pylib.errors import Permanent
from pylib.runtime.stage import Stage

AT_ONCE = 500
"""Deliveries taken up from the journal in one go."""


class Publish(Stage[Inspection]):
    """Delivers inspections to one publisher. Retries are the journal's delivery rows, so none blocks the next."""

    def __init__(
        self,
        publisher: Publisher,
        *,
        journal: Journal,
        backoff: Backoff | None = None,
        count: Callable[[str, str], None] = lambda _target, _outcome: None,
    ) -> None:
        self._publisher = publisher
        self._account = TargetDelivery(
            publisher.name,
            journal=journal,
            backoff=backoff or Backoff(),
            abandon_after=publisher.abandon_after,
            count=count,
        )

    def handle(self, inspection: Inspection) -> Iterable[object]:
        try:
            self._publisher.publish(inspection)
        except Permanent as error:
            self._account.abandon(inspection.id, error)
        except Exception as error:  # noqa: BLE001 - whatever it was, the event stays owed
            self._account.postpone(inspection.id, error)
        else:
            self._account.delivered(inspection.id)
        return ()

    def pending(self) -> Iterable[Inspection]:
        return self._account.pending(limit=AT_ONCE)
