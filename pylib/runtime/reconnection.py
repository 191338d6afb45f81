"""When to connect again after a loss, with backoff and jitter, and what the log says meanwhile."""

from __future__ import annotations

import random
import time
from typing import Any

import structlog

from pylib.errors import Failure, Permanent

log = structlog.get_logger(__name__)

QUICK_DELAY, QUICK_FOR = 0.3, 60.0
"""Seconds between two attempts, and for how long after a loss they come so quickly: brokers restart within that, and an
attempt that is refused costs nobody anything."""
FIRST_DELAY = 0.5
GROWTH = 1.5
LAST_DELAY = 30.0
REFUSED_DELAY = 60.0
"""Seconds until a refused connection is tried again: a person has to correct it."""
REMIND_EVERY = 60.0
STEADY_AFTER = 30.0
"""Seconds a connection has to last before the next loss counts as a first one."""


class Reconnection:
    """The attempts of one thread to reach one broker."""

    def __init__(self, *, broker: str, thread: str) -> None:
        """`broker`: its address, as log lines name it."""
        self._broker = broker
        self._thread = thread
        self._attempts = 0
        self._began = 0.0
        self._lost: float | None = None
        self._reminded: float | None = None
        self._refusal = ""

    def begins(self) -> None:
        """An attempt to connect begins."""
        self._began = time.monotonic()

    def connected(self) -> None:
        """It is there, and everything is set up."""
        log.info("broker connected", broker=self._broker, thread=self._thread)
        self._reminded = None
        self._refusal = ""

    def lost(self, failure: Failure) -> float:
        """Log what ended the attempt, once and then at most once a minute; returns the seconds to wait."""
        now = time.monotonic()
        if now - self._began > STEADY_AFTER or self._lost is None:
            self._attempts, self._lost = 0, now
        if isinstance(failure, Permanent):
            if str(failure) != self._refusal:
                self._refusal = str(failure)
                self._log(log.error, "broker refuses", failure)
            return REFUSED_DELAY
        if self._reminded is None or now - self._reminded >= REMIND_EVERY:
            self._reminded = now
            self._log(log.warning, "broker unreachable, trying again", failure)
        if failure.code == "broker_away" and now - self._lost < QUICK_FOR:
            return QUICK_DELAY * random.uniform(0.5, 1.0)
        delay: float = min(LAST_DELAY, FIRST_DELAY * GROWTH**self._attempts) * random.uniform(0.5, 1.0)
        self._attempts = min(self._attempts + 1, 20)
        return delay

    def _log(self, method: Any, event: str, failure: Failure) -> None:
        method(event, broker=self._broker, thread=self._thread, reason=str(failure))
