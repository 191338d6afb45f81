"""A thread that can be watched, stopped and started again."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod

import structlog

log = structlog.get_logger(__name__)


class ManagedThread(ABC):
    """One long-lived thread with a name, a stop flag and a pulse; what the supervisor looks after.

    A subclass keeps in the object what must outlive a crash: after one, `start` runs `run` again in a new
    thread of the same object. `stop` and `join` are called by others, `run` and `beat` by the thread itself.
    """

    stall_after: float = 60.0
    """Seconds without a beat after which the thread counts as stuck."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.stopping = threading.Event()
        self.error: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._beat = time.monotonic()

    @abstractmethod
    def run(self) -> None:
        """The body: works until `self.stopping` is set, calling `beat` at least every few seconds."""

    def start(self) -> None:
        """Start the thread, the first time or after its death."""
        self.error = None
        self.beat()
        self._thread = threading.Thread(target=self._guarded, name=self.name, daemon=True)
        self._thread.start()

    def pause(self) -> None:  # noqa: B027 - most threads have nothing to refuse
        """Accept nothing new; called for all threads before the first is stopped."""

    def stop(self) -> None:
        """Ask the thread to end; returns at once. Subclasses that block elsewhere extend it with a wake-up."""
        self.stopping.set()

    def abandon(self) -> None:  # noqa: B027
        """After `stop`, when the time for finishing is over: end as soon as possible."""

    def join(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds for the end; returns whether it came."""
        if self._thread is not None:
            self._thread.join(max(0.0, timeout))
        return not self.alive

    @property
    def alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def quiet_for(self) -> float:
        """Seconds since the last beat."""
        return time.monotonic() - self._beat

    @property
    def stuck(self) -> bool:
        return self.alive and self.quiet_for > self.stall_after

    def beat(self) -> None:
        """Report that the thread makes progress."""
        self._beat = time.monotonic()

    def _guarded(self) -> None:
        try:
            self.run()
        except BaseException as error:
            self.error = error
            log.exception("thread died", thread=self.name)
