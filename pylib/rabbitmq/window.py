"""The deliveries in flight on one connection: passed on, and not yet acknowledged."""

from __future__ import annotations

import itertools
from collections import deque
from typing import NamedTuple


class Done(NamedTuple):
    """Deliveries to acknowledge now."""

    up_to: int
    """Delivery tag up to which everything is done; 0 when the oldest is not."""
    others: list[int]
    """Tags beyond it, one by one."""
    receipts: list[str]
    """Of all of them."""


class Window:
    """Delivery tags of one session, in the order of delivery. A receipt names the session and the tag."""

    def __init__(self, session: str, size: int) -> None:
        self._session = session
        self._size = size
        self._receipts: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._receipts)

    @property
    def full(self) -> bool:
        """Whether the broker holds further messages back."""
        return len(self._receipts) >= self._size

    def receipt(self, tag: int) -> str:
        return f"{self._session}:{tag}"

    def tag(self, receipt: str) -> int:
        """Of a delivery in flight; 0 where the receipt names none."""
        session, _, number = receipt.partition(":")
        return int(number) if session == self._session and int(number) in self._receipts else 0

    def add(self, tag: int) -> None:
        self._receipts[tag] = self.receipt(tag)

    def discard(self, tag: int) -> None:
        self._receipts.pop(tag, None)

    def take(self, receipts: deque[str]) -> Done:
        """Empty `receipts` and release those that are of this session and in flight."""
        tags = set()
        while receipts:
            tags.add(self.tag(receipts.popleft()))
        tags.discard(0)
        # One frame for all up to the first that is not done yet, since most are done in order.
        prefix = list(itertools.takewhile(tags.__contains__, self._receipts))
        others = sorted(tags.difference(prefix))
        return Done(prefix[-1] if prefix else 0, others, [self._receipts.pop(tag) for tag in (*prefix, *others)])
