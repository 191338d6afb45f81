"""What one connection has received, from its arrival to the broker's word that its acknowledgement is processed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any


class Receipts:
    """The messages of one connection that are to be acknowledged. Belongs to the connection's thread."""

    def __init__(self, session: str = "") -> None:
        """`session`: the connection's name, with which its receipts begin."""
        self._session = session
        self._numbers = itertools.count(1)
        self._unacknowledged: dict[str, int] = {}  # receipt -> id of the message
        self._unsettled: list[str] = []  # acknowledged since the last question
        self._settling: list[str] = []  # processed when the broker answers the question
        self._question = 0

    def new(self, message_id: int) -> str:
        """The receipt of a message that has come."""
        receipt = f"{self._session}:{next(self._numbers)}"
        self._unacknowledged[receipt] = message_id
        return receipt

    def acknowledge(self, receipts: Iterable[str], client: Any, *, topic: str) -> None:
        """Acknowledge these, and ask for an answer after them; those of another connection are ignored.

        `topic`: one to which nobody subscribed. MQTT confirms no acknowledgement, but answers in their order.
        """
        for receipt in receipts:
            if receipt in self._unacknowledged:
                client.ack(self._unacknowledged.pop(receipt), 1)
                self._unsettled.append(receipt)
        if self._unsettled and not self._settling:
            self._settling, self._unsettled = self._unsettled, []
            _, self._question = client.unsubscribe(topic)

    def answered(self, message_id: int) -> list[str]:
        """The receipts that the broker has processed with this answer; none where it answers something else."""
        if message_id != self._question:
            return []
        settled, self._settling = self._settling, []
        return settled
