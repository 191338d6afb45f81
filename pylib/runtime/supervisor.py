"""The supervisor: starts threads in order, watches them, restarts those that die, and stops all by a deadline."""

from __future__ import annotations

import faulthandler
import os
import queue
import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType

import structlog

from pylib.runtime.threads import ManagedThread

log = structlog.get_logger(__name__)

EXIT_FAULT = 70
"""Exit status when a thread cannot be kept alive (EX_SOFTWARE of sysexits.h): Docker starts us again."""

WATCH_EVERY_S = 0.5
RESTARTS = 5
RESTARTS_WITHIN_S = 600.0
BACKOFF_FIRST_S = 0.5
LAST_RESORT_S = 1.0


class Supervisor:
    """Watches the threads of a process, from the main thread.

    `threads` are in the order of the stream: they are started from the last to the first, so that none sends to
    one that does not run yet, and stopped from the first to the last, so that each can finish what it received.
    A thread that dies is started again with a growing pause; one that dies more than `RESTARTS` times
    in ten minutes, or that makes no progress, ends the process with `EXIT_FAULT`.
    """

    def __init__(
        self,
        threads: Sequence[ManagedThread],
        *,
        grace: float,
        on_restart: Callable[[str], None] = lambda _name: None,
    ) -> None:
        """`grace`: seconds the whole stop may take."""
        self.threads = tuple(threads)
        self._grace = grace
        self._on_restart = on_restart
        self.signalled = False
        """Whether a signal asked for the end."""
        self._is_asked = False
        # Not an Event: its lock may be held by the very thread that a signal interrupts, and then both wait for ever.
        # A SimpleQueue's `put` may interrupt its `get`.
        self._requests: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._deaths: dict[str, deque[float]] = {thread.name: deque(maxlen=RESTARTS) for thread in threads}
        self._restart_at: dict[str, float] = {}

    def run(self) -> int:
        """Start all, watch until a signal or `request_stop`, stop all; returns the exit status."""
        self.take_signals()
        if self._is_asked:
            log.info("stopped before anything was started")
            return 0
        self.start()
        status = 0
        while not self._asked_within(WATCH_EVERY_S):
            if not self._watch():
                status = EXIT_FAULT
                break
        self.stop()
        return status

    def take_signals(self) -> None:
        """From now on SIGTERM and SIGINT end `run`, or let it end before it begins; a second one exits at once."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def start(self) -> None:
        """Start the threads, downstream first."""
        for thread in reversed(self.threads):
            thread.start()

    def request_stop(self, *, grace: float | None = None) -> None:
        """End `run` soon; from any thread. `grace`: seconds instead of those that a stop has otherwise."""
        self._grace = self._grace if grace is None else min(grace, self._grace)
        self._is_asked = True
        self._requests.put(None)

    def stop(self) -> None:
        """Stop the threads, upstream first, within the grace."""
        deadline = time.monotonic() + self._grace
        for thread in self.threads:
            thread.pause()
        for thread in self.threads:
            thread.stop()
            # Half of what is left for one, so that a stage that hangs leaves time for those after it.
            if not thread.join((deadline - time.monotonic()) / 2):
                log.warning("not finished in time, resumed at the next start", thread=thread.name)
                thread.abandon()
                thread.join(LAST_RESORT_S)
        log.info("stopped", unfinished=[thread.name for thread in self.threads if thread.alive])

    @property
    def stopped_cleanly(self) -> bool:
        """Whether no thread is left."""
        return not any(thread.alive for thread in self.threads)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.signalled:
            os._exit(128 + number)  # asked twice: the user does not want to wait, and the record is safe
        self.signalled = True
        self.request_stop()

    def _asked_within(self, seconds: float) -> bool:
        with suppress(queue.Empty):
            self._requests.get(timeout=seconds)
            return True
        return False

    def _watch(self) -> bool:
        """Look at every thread once; False when the process should end."""
        for thread in self.threads:
            if thread.stuck:
                log.critical("thread makes no progress", thread=thread.name)
                faulthandler.dump_traceback()
                return False
            if not thread.alive and not self._revive(thread):
                return False
        return True

    def _revive(self, thread: ManagedThread) -> bool:
        """Start a dead thread again when its pause is over; False when it has died too often."""
        now = time.monotonic()
        if thread.name not in self._restart_at:
            deaths = self._deaths[thread.name]
            if len(deaths) == RESTARTS and now - deaths[0] < RESTARTS_WITHIN_S:
                log.critical("thread dies again and again", thread=thread.name, reason=repr(thread.error))
                return False
            self._restart_at[thread.name] = now + BACKOFF_FIRST_S * 2 ** len(deaths)
            deaths.append(now)
        if now >= self._restart_at[thread.name]:
            del self._restart_at[thread.name]
            log.warning("thread started again", thread=thread.name)
            self._on_restart(thread.name)
            thread.start()
        return True
