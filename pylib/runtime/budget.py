"""An amount of something scarce that threads share."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Budget:
    """So much is there in all; who asks for more than is left waits, and who asks later waits behind."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._left = total
        self._turn = threading.Lock()
        self._returned = threading.Condition()

    @contextmanager
    def take(self, amount: int) -> Iterator[None]:
        """Hold this much for the block; of more than there is in all, all of it."""
        amount = min(amount, self.total)
        with self._turn, self._returned:
            self._returned.wait_for(lambda: self._left >= amount)
            self._left -= amount
        try:
            yield
        finally:
            with self._returned:
                self._left += amount
                self._returned.notify_all()
