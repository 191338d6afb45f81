"""Subscribers to events inside this process: HTTP requests that wait, and the demo."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from app.messages import Inspection
from pylib.runtime.stage import Stage

Listener = Callable[[Inspection], None]


class InProcessEvents(Stage[Inspection]):
    """Passes every event to those who listen at that moment. A listener must return at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []

    def handle(self, inspection: Inspection) -> Iterable[object]:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener(inspection)
        return ()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every event from now on, in the relay's thread; returns a function that ends that."""
        with self._lock:
            self._listeners.append(listener)

        def end() -> None:
            with self._lock:
                self._listeners.remove(listener)

        return end
