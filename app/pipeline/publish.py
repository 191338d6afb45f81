"""The publish stage: delivers events to one target, and retries what is pending."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from app.journal import Backoff, Journal
from app.messages import Inspection
from app.pipeline.delivery import TargetDelivery
from app.publishers import DigestPublisher, Publisher
from pylib.errors import Permanent
from pylib.runtime.stage import Stage

AT_ONCE = 500
"""Pending deliveries that are read from the journal at once."""


@dataclass(frozen=True, slots=True)
class Digest:
    """Events that one message tells of."""

    id: str
    inspections: tuple[Inspection, ...]
    """Oldest first."""
    camera: str = ""


class Publish(Stage[Inspection | Digest]):
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

    def handle(self, message: Inspection | Digest) -> Iterable[object]:
        ids = [one.id for one in message.inspections] if isinstance(message, Digest) else [message.id]
        try:
            self._publish(message)
        except Permanent as error:
            for event_id in ids:
                self._deliveries.abandon(event_id, error)
        except Exception as error:  # noqa: BLE001 - whatever it was, the event stays pending
            for event_id in ids:
                self._deliveries.postpone(event_id, error)
        else:
            for event_id in ids:
                self._deliveries.delivered(event_id)
        return ()

    def pending(self) -> Iterable[Inspection | Digest]:
        yield from self._deliveries.pending(limit=AT_ONCE)
        if isinstance(self._publisher, DigestPublisher) and (due := self._deliveries.digest_due(limit=AT_ONCE)):
            yield Digest(f"digest of {due[0].id}", tuple(due))

    def _publish(self, message: Inspection | Digest) -> None:
        if not isinstance(message, Digest):
            self._publisher.publish(message)
        elif isinstance(self._publisher, DigestPublisher):
            self._publisher.publish_digest(message.inspections)
