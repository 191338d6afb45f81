"""The messages of a queue that are being worked on, or wait for another attempt."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from app.messages import ObjectCreated
from app.sources.parts import Parts

_SESSION = "sqs"
"""The id of a message outlasts connections."""


@dataclass(slots=True)
class _Held:
    handle: str
    until: float
    """When it becomes visible again (monotonic)."""


class InHand:
    """Messages from their receipt until all of their objects are settled. Thread-safe."""

    def __init__(self, *, visibility: float, size: int, now: Callable[[], float] = time.monotonic) -> None:
        """`visibility`: seconds that a message stays invisible to others; `size`: objects that may wait for another
        attempt."""
        self._visibility = visibility
        self._size = size
        self._now = now
        self._lock = threading.Lock()
        self._parts = Parts()
        self._held: dict[str, _Held] = {}
        self._objects: dict[str, ObjectCreated] = {}
        self._waiting: list[tuple[float, int, str]] = []
        self._later: set[str] = set()
        self._order = itertools.count()
        self._settled: dict[str, str] = {}
        self._put_off: dict[str, str] = {}

    @property
    def objects(self) -> int:
        """How many objects are being worked on. Those that wait to be tried again hold nobody up."""
        return len(self._objects) - len(self._later)

    def __len__(self) -> int:
        """How many messages are not deleted."""
        return len(self._held) + len(self._settled)

    def take(self, message: str, handle: str, objects: Sequence[ObjectCreated]) -> list[ObjectCreated]:
        """Take a message by its id; its objects, each with a receipt, none of those that are in hand already."""
        with self._lock:
            if message in self._settled:
                self._settled[message] = handle
                return []
            self._put_off.pop(message, None)
            known = message in self._held
            self._held[message] = _Held(handle, self._now() + self._visibility)
            if known:
                return []
            receipts = self._parts.of(f"{_SESSION}:{message}", len(objects))
            new = [replace(one, receipt=receipt) for one, receipt in zip(objects, receipts, strict=True)]
            self._objects.update({one.receipt: one for one in new})
            if not new:
                self._settle(message)
            return new

    def done(self, receipt: str) -> None:
        """This object is recorded; its message is settled when all of its objects are."""
        with self._lock:
            self._objects.pop(receipt, None)
            if name := self._parts.done(receipt):
                self._parts.settled([name])
                self._settle(name.partition(":")[2])

    def retry(self, receipt: str, *, after: float) -> None:
        """Bring this object again in so many seconds; where too many wait for that already, its message is put off."""
        with self._lock:
            if receipt not in self._objects:
                return
            if len(self._later) < self._size:
                self._later.add(receipt)
                heapq.heappush(self._waiting, (self._now() + after, next(self._order), receipt))
                return
            name = receipt.rpartition(":")[0]
            for part in self._parts.settled([name]):
                self._objects.pop(part, None)
                self._later.discard(part)
            message = name.partition(":")[2]
            self._put_off[message] = self._held.pop(message).handle

    def due(self) -> list[ObjectCreated]:
        """The objects whose time has come."""
        found = []
        with self._lock:
            while self._waiting and self._waiting[0][0] <= self._now():
                _, _, receipt = heapq.heappop(self._waiting)
                if receipt in self._later:
                    self._later.discard(receipt)
                    found.append(self._objects[receipt])
        return found

    def settled(self) -> Mapping[str, str]:
        """Id -> handle of the messages that can be deleted."""
        with self._lock:
            return dict(self._settled)

    def deleted(self, messages: set[str]) -> None:
        """These need not be deleted any more."""
        with self._lock:
            for message in messages:
                self._settled.pop(message, None)

    def expiring(self) -> Mapping[str, str]:
        """Id -> handle of the messages whose time is half over."""
        limit = self._now() + self._visibility / 2
        with self._lock:
            return {name: held.handle for name, held in self._held.items() if held.until <= limit}

    def extended(self, messages: set[str]) -> None:
        """These stay invisible from now on for as long as they did at first."""
        with self._lock:
            for message in messages & self._held.keys():
                self._held[message].until = self._now() + self._visibility

    def put_off(self) -> Mapping[str, str]:
        """Id -> handle of the messages that are to come again much later."""
        with self._lock:
            return dict(self._put_off)

    def gone(self, messages: set[str]) -> None:
        """These will come again."""
        with self._lock:
            for message in messages:
                self._put_off.pop(message, None)

    def let_go(self) -> Mapping[str, str]:
        """Forget all that is not settled; id -> handle."""
        with self._lock:
            held = {name: one.handle for name, one in self._held.items()}
            self._held.clear()
            self._objects.clear()
            self._later.clear()
        return held

    def _settle(self, message: str) -> None:
        if held := self._held.pop(message, None):  # else it was let go meanwhile
            self._settled[message] = held.handle
