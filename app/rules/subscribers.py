"""The browsers that want messages: people allowed them on a device, in the album."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One browser on one device (Push API, `PushSubscription`)."""

    endpoint: str
    """The address at its push service."""
    outlet: str
    """The outlet, of kind `webpush`, whose messages it gets."""
    person: str
    """Whose device it is, as that person calls it."""
    p256dh: str
    """Its public key, base64url."""
    auth: str
    """Its secret, base64url."""


class SubscriberStore(Protocol):
    """Keeps the subscribers; the journal does."""

    def subscribe(self, subscriber: Subscriber) -> None:
        """Remember a browser, in place of what was known of its endpoint."""
        ...

    def unsubscribe(self, endpoint: str) -> None:
        """Forget a browser."""
        ...

    def subscribers(self, outlet: str = "") -> Sequence[Subscriber]:
        """Those of one outlet, or all."""
        ...
