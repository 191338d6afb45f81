"""Counts wrong passwords: the more guesses, the longer the wait."""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from pylib.net.addresses import neighbourhood

log = structlog.get_logger(__name__)

FREE = 5
"""Wrong passwords from one address that cost no wait: people mistype."""
FIRST_WAIT_S, LONGEST_WAIT_S = 2.0, 900.0
"""Seconds after one more; each further one doubles them."""
FORGOTTEN_AFTER_S = 3600.0
"""Seconds without another wrong one from that address."""

MOST_IN_ALL, IN_ALL_S = 60, 60.0
"""After so many wrong ones in so many seconds from all addresses, only addresses with a right one before may try."""
MOST_ADDRESSES = 4096
"""Addresses remembered; beyond it the one that was quiet for longest is forgotten."""


@dataclass(slots=True)
class _Record:
    failures: int = 0
    last: float = 0.0
    until: float = 0.0
    trusted: bool = False
    """Whether a password from there was right."""


class Attempts:
    """Knows which address has to wait before its next password. For one thread."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._records: OrderedDict[str, _Record] = OrderedDict()
        self._lately: deque[float] = deque(maxlen=MOST_IN_ALL)

    def wait(self, address: str) -> int:
        """Whole seconds until a password from there is checked; 0 for now."""
        now = self._clock()
        record = self._records.get(neighbourhood(address), _Record())
        wait = max(0.0, record.until - now)
        if not record.trusted and len(self._lately) == MOST_IN_ALL:
            wait = max(wait, self._lately[0] + IN_ALL_S - now)
        return math.ceil(wait)

    def failed(self, address: str) -> None:
        """A password from there was wrong."""
        now = self._clock()
        record = self._record(address)
        if now - record.last >= FORGOTTEN_AFTER_S:
            record.failures = 0
        record.failures, record.last = record.failures + 1, now
        self._lately.append(now)
        log.warning("login refused", address=address)
        if record.failures > FREE:
            # Bounded, or enough guesses would be more than a float holds.
            wait = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(record.failures - FREE - 1, 20))
            record.until = now + wait
            log.warning("login locked", address=address, seconds=wait)

    def succeeded(self, address: str) -> None:
        """A password from there was right.

        That resets nothing: beside a program that logs in every second another one could guess for ever.
        """
        self._record(address).trusted = True

    def _record(self, address: str) -> _Record:
        where = neighbourhood(address)
        record = self._records.setdefault(where, _Record())
        self._records.move_to_end(where)
        while len(self._records) > MOST_ADDRESSES:
            self._records.popitem(last=False)
        return record
