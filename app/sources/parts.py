"""Messages that bring several things at once, each with a receipt of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterable


class Parts:
    """What each message that is not acknowledged yet has brought: several triggers, several objects. Thread-safe.

    A message's name begins with that of its connection, up to a colon. Those of an earlier connection are forgotten
    with the first message of the next: their receipts mean nothing then.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._session = ""
        self._open: dict[str, set[str]] = {}
        self._all: dict[str, list[str]] = {}

    def of(self, message: str, count: int) -> list[str]:
        """A receipt for each part of a message."""
        receipts = [f"{message}:{number}" for number in range(count)]
        session = message.partition(":")[0]
        with self._lock:
            if session != self._session:
                self._session = session
                self._open.clear()
                self._all.clear()
            if receipts:
                self._all[message], self._open[message] = receipts, set(receipts)
        return receipts

    def done(self, receipt: str) -> str:
        """This one is recorded; the message's receipt, when all are."""
        message = receipt.rpartition(":")[0]
        with self._lock:
            left = self._open.get(message, set())
            left.discard(receipt)
            return message if message in self._open and not left else ""

    def settled(self, messages: Iterable[str]) -> list[str]:
        """The receipts of all parts of these messages, which will not come again."""
        with self._lock:
            for message in messages:
                self._open.pop(message, None)
            return [receipt for message in messages for receipt in self._all.pop(message, ())]
