"""Temporary bans of addresses after too many bad logins."""

from __future__ import annotations

import json
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from pylib.files import durable

log = structlog.get_logger(__name__)

FILE = "ftp-bans.json"
"""In the data directory: what bans there are, across restarts and for `check`, which is another process."""
MOST = 10_000
"""Addresses remembered; beyond it the longest known is forgotten, so that an attack with many costs no memory."""

ANONYMOUS = frozenset({"anonymous", "ftp"})


@dataclass(frozen=True, slots=True)
class Ban:
    """A banned address."""

    address: str
    until: datetime
    failures: int
    """Bad logins that led to it."""


class Bans:
    """Counts bad logins by address. For one thread; `count` and `read` for any.

    A right login forgives the wrong ones under the same name, and the anonymous ones that some clients try
    first; not those under other names, or a camera that was taken over could guess for ever.
    """

    def __init__(
        self,
        *,
        after: int,
        within: float,
        seconds: float,
        path: Path | None = None,
        on_ban: Callable[[str], None] = lambda _address: None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Ban for `seconds` after `after` bad logins `within` so many seconds; `on_ban` is called for each ban."""
        self._after, self._within, self._for = after, within, seconds
        self._path = path
        self._on_ban = on_ban
        self._clock, self._wall = clock, wall
        self._tries: OrderedDict[str, deque[tuple[float, str]]] = OrderedDict()
        self._bans: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._changed = False

    def open(self) -> None:
        """Load the bans of the last run that still hold."""
        for ban in read(self._path, wall=self._wall) if self._path else []:
            left = min(self._for, ban.until.timestamp() - self._wall())
            self._bans[ban.address] = self._clock() + left, ban.failures

    def banned(self, address: str) -> bool:
        """Whether all logins from this address are refused now."""
        until = self._bans.get(address)
        if until is None:
            return False
        if self._clock() < until[0]:
            return True
        del self._bans[address]
        self._changed = True
        return False

    def failed(self, address: str, username: str) -> bool:
        """Count a wrong password from this address for this name; returns whether that bans the address."""
        now = self._clock()
        tries = self._tries.setdefault(address, deque())
        self._tries.move_to_end(address)
        tries.append((now, username))
        while tries[0][0] < now - self._within or len(tries) > self._after:
            tries.popleft()
        if len(self._tries) > MOST:
            self._tries.popitem(last=False)
        if len(tries) < self._after:
            return False
        self._ban(address, len(tries))
        return True

    def succeeded(self, address: str, username: str) -> None:
        """A client at this address logged in with this name."""
        tries = self._tries.get(address)
        if tries is None:
            return
        forgiven = {username} | ANONYMOUS
        left = [entry for entry in tries if entry[1] not in forgiven]
        tries.clear()
        tries.extend(left)

    def listed(self) -> list[Ban]:
        """The bans, the newest first."""
        now, wall = self._clock(), self._wall()
        return [
            Ban(address, datetime.fromtimestamp(wall + until - now, UTC), failures)
            for address, (until, failures) in reversed(list(self._bans.items()))
            if until > now
        ]

    def save(self) -> None:
        """Write the bans to the disk when they have changed; call it now and then, not for each."""
        if not self._changed or self._path is None:
            return
        self._changed = False
        rows = [
            {"address": ban.address, "until": ban.until.timestamp(), "failures": ban.failures}
            for ban in reversed(self.listed())
        ]
        try:
            durable.write(self._path, json.dumps(rows).encode(), sync=False)
        except OSError as error:
            log.warning("bans not saved", reason=error.strerror)

    def _ban(self, address: str, failures: int) -> None:
        del self._tries[address]
        self._bans[address] = self._clock() + self._for, failures
        self._bans.move_to_end(address)
        if len(self._bans) > MOST:
            self._bans.popitem(last=False)
        self._changed = True
        log.warning("address banned after bad logins", address=address, failures=failures, seconds=self._for)
        self._on_ban(address)


def read(path: Path, *, wall: Callable[[], float] = time.time) -> list[Ban]:
    """The bans in this file that are not over, the newest last; none for a missing or broken file."""
    bans = []
    with suppress(OSError, ValueError, KeyError, TypeError, OverflowError):
        for row in json.loads(path.read_text()):
            until = datetime.fromtimestamp(float(row["until"]), UTC)
            if until.timestamp() > wall():
                bans.append(Ban(str(row["address"]), until, int(row["failures"])))
    return bans
