"""The publish stage: delivers events to one target, and retries what is pending."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from app.journal import Backoff, Journal
from app.messages import Inspection
from app.pipeline.delivery import TargetDelivery
from app.publishers import DigestPublisher, EditFollower, Publisher
from pylib.errors import Permanent
from pylib.runtime.stage import Stage

AT_ONCE = 500
"""Pending deliveries that are read from the journal at once."""


@dataclass(frozen=True, slots=True)
class Digest:
    """Have all that waits for a digest told in one message."""

    id: str
    """The same for every digest of a target: there is one at a time."""
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
        hushed: Callable[[str], bool] = lambda _camera: False,
    ) -> None:
        """`hushed`: whether no digest may tell of this camera now."""
        self._publisher = publisher
        self._hushed = hushed
        self._follows_edits = isinstance(publisher, EditFollower)
        self._deliveries = TargetDelivery(
            publisher.name,
            journal=journal,
            backoff=backoff or Backoff(),
            abandon_after=publisher.abandon_after,
            count=count,
        )

    def handle(self, message: Inspection | Digest) -> Iterable[object]:
        if isinstance(message, Digest):
            members = self._digest()
            if members and isinstance(self._publisher, DigestPublisher):
                self._deliver(members, partial(self._publisher.publish_digest, members))
        else:
            self._deliver([message], partial(self._publisher.publish, message))
        return ()

    def pending(self) -> Iterable[Inspection | Digest]:
        yield from self._deliveries.pending(limit=AT_ONCE)
        due = self._digest()
        if isinstance(self._publisher, DigestPublisher):
            yield from [Digest(f"digest of {self._publisher.name}")] if due else []
        else:
            yield from due  # it once made digests

    def _digest(self) -> list[Inspection]:
        """What is to be told in one message now; what is hushed waits for its end."""
        return [one for one in self._deliveries.digest_due(limit=AT_ONCE) if not self._hushed(one.camera)]

    def _deliver(self, events: Sequence[Inspection], publish: Callable[[], None]) -> None:
        try:
            publish()
        except Permanent as error:
            for event in events:
                self._deliveries.abandon(event.id, error)
        except Exception as error:  # noqa: BLE001 - whatever it was, the events stay pending
            for event in events:
                self._deliveries.postpone(event.id, error, outage=getattr(error, "outage", True))
        else:
            for event in events:
                self._deliveries.delivered(event.id, review=event.review if self._follows_edits else None)
