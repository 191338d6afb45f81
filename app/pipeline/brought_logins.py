"""The circuits of the addresses and logins that triggers bring to one camera."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from pylib.errors import Transient
from pylib.runtime.circuit_breaker import Breaker

MOST = 16
"""Circuits that are remembered. A home has one login for each camera: whoever brings many guesses, or is lost."""
GUESSES = 3
"""Wrong logins within `PAUSE_S` after which none is tried that never worked: cameras lock accounts after five."""
PAUSE_S = 300.0


class BroughtLogins:
    """Knows each address and login by its text, the latest `MOST` of them. Used by one thread at a time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._circuits: dict[str, Breaker] = {}
        self._refused: deque[float] = deque(maxlen=GUESSES)

    def circuit(self, params: str) -> Breaker:
        """The breaker of this address and login.

        Raises `Transient` (`circuit_open`) for one that never worked while too many were refused.
        """
        own = self._circuits.pop(params, None) or Breaker(clock=self._clock)
        self._circuits[params] = own
        if len(self._circuits) > MOST:
            self._forget_one()
        pause = self._pause()
        if pause > 0 and not own.worked:
            raise Transient("circuit_open", f"triggers brought {GUESSES} wrong logins, next try in {pause:.0f} s")
        return own

    def refused(self) -> None:
        """One of them was a wrong login."""
        self._refused.append(self._clock())

    def _pause(self) -> float:
        """Seconds until another guess may be made."""
        return self._refused[0] + PAUSE_S - self._clock() if len(self._refused) == GUESSES else 0.0

    def _forget_one(self) -> None:
        """The oldest that never worked, or else the oldest."""
        never_worked = (params for params, circuit in self._circuits.items() if not circuit.worked)
        del self._circuits[next(never_worked, next(iter(self._circuits)))]
