"""A lock that many hold together, or one alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class SharedLock:
    """Held by any number of threads at once, or by one without company, who waits for those that are in.

    While one waits to be alone nobody else comes in. Not for a thread that holds it already.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._left = threading.Condition()
        self._inside = 0

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Hold it together with others for the block."""
        with self._turn, self._left:
            self._inside += 1
        try:
            yield
        finally:
            with self._left:
                self._inside -= 1
                self._left.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold it alone for the block."""
        with self._turn:
            with self._left:
                self._left.wait_for(lambda: not self._inside)
            yield
