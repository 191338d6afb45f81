"""A circuit breaker: stops calls, for a while, to a peer that keeps failing."""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Callable


class State(enum.StrEnum):
    """The state of a breaker."""

    CLOSED = "closed"
    """All is well: everything passes."""
    OPEN = "open"
    """It failed: nothing passes until the cooldown is over."""
    HALF_OPEN = "half_open"
    """The cooldown is over: one probe passes and decides."""


DOUBT_S = 60.0
"""Seconds over which a peer that worked has to refuse until it is believed: one that restarts refuses for less."""
DOUBTED = 3
"""How often."""


class Breaker:
    """The circuit of one peer. Any thread may call; each `allow` that returns True is followed by its outcome.

    Opens after `threshold` failures in a row, or at once after a final one. Each time a probe fails the
    cooldown doubles, from `cooldown` to `longest` seconds: what comes while the peer is back and not yet asked
    again is lost. A final failure takes `refused` seconds at once (Hikvision locks an account for 30 minutes
    after a few wrong logins: no guessing there).

    A peer that has done what was asked is believed less: its first final failure is one like any other, the second in
    a row opens the circuit for `DOUBT_S`, and only a third, at least that much after the first, is final.
    """

    def __init__(
        self,
        *,
        threshold: int = 3,
        cooldown: float = 5.0,
        longest: float = 30.0,
        refused: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._threshold = threshold
        self._first_cooldown = cooldown
        self._longest = longest
        self._refused_cooldown = refused
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._cooldown = 0.0
        """Of the current opening; 0 while closed."""
        self._until = 0.0
        self._probing = False
        self._worked = False
        self._refusals = 0
        """Final failures since the last success."""
        self._first_refusal = 0.0

    @property
    def worked(self) -> bool:
        """Whether the peer has ever done what was asked."""
        return self._worked

    def allow(self) -> bool:
        """Whether to try now. When half open, True for one caller and False for all others."""
        with self._lock:
            if not self._cooldown:
                return True
            if self._clock() < self._until:
                return False
            self._probing = True
            # A probe whose outcome is never reported must not keep the circuit open for good.
            self._until = self._clock() + self._cooldown
            return True

    def succeeded(self) -> None:
        """The peer did what was asked: the circuit closes."""
        with self._lock:
            self._worked = True
            self._failures = self._refusals = 0
            self._cooldown = 0.0
            self._probing = False

    def failed(self, *, final: bool = False) -> None:
        """The peer failed; `final` when trying again would do harm or is known to be useless."""
        with self._lock:
            self._failures += 1
            if final and self._refused():
                self._open(self._refused_cooldown)
            elif final and self._refusals > 1:
                self._open(DOUBT_S)
            elif self._probing:
                self._open(min(self._cooldown * 2, self._longest))
            elif not self._cooldown and self._failures >= self._threshold:
                self._open(self._first_cooldown)

    def probe_now(self) -> None:
        """Let the next `allow` return True: a person has corrected the cause, or asks to try."""
        with self._lock:
            self._until = self._clock()

    @property
    def state(self) -> State:
        with self._lock:
            if not self._cooldown:
                return State.CLOSED
            waiting = self._clock() < self._until and not self._probing
            return State.OPEN if waiting else State.HALF_OPEN

    @property
    def retry_in(self) -> float:
        """Seconds until `allow` may return True; 0 when it would now."""
        with self._lock:
            return max(0.0, self._until - self._clock()) if self._cooldown else 0.0

    def _refused(self) -> bool:
        """Counts a final failure; whether it is to be believed."""
        if not self._refusals:
            self._first_refusal = self._clock()
        self._refusals += 1
        lasts = self._clock() - self._first_refusal >= DOUBT_S
        return not self._worked or (self._refusals >= DOUBTED and lasts)

    def _open(self, cooldown: float) -> None:
        self._cooldown = cooldown
        self._until = self._clock() + cooldown
        self._probing = False
