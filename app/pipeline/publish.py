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
"""Pending deliveries that are read from the journal at once."""


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
        self._deliveries = TargetDelivery(
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
            self._deliveries.abandon(inspection.id, error)
        except Exception as error:  # noqa: BLE001 - whatever it was, the event stays pending
            self._deliveries.postpone(inspection.id, error)
        else:
            self._deliveries.delivered(inspection.id)
        return ()

    def pending(self) -> Iterable[Inspection]:
        return self._deliveries.pending(limit=AT_ONCE)
