"""Slows down who guesses passwords, and nobody who shares an address with him and knows one."""

from __future__ import annotations

import json
import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from pylib.files import durable
from pylib.net.addresses import neighbourhood

log = structlog.get_logger(__name__)

WELCOME_S = 30 * 86_400.0
"""Seconds for which a login stays welcome at an address after it was right there."""
WELCOME_SHARE = 10
"""A welcome login has so many times as many guesses: it may be another one behind its address who makes them."""
MANY_LOGINS = 3
"""As many banned logins at one address ban the address."""
MOST_IN_ALL, IN_ALL_S = 60, 60.0
"""After so many wrong guesses in so many seconds from all addresses, only welcome logins may try."""
MOST = 10_000
"""Logins at addresses that are remembered; beyond it the longest known is forgotten: an attack costs no memory."""

Key = tuple[str, str]
"""Who shares an address (see `neighbourhood`), and the login; an empty login stands for all that do not exist."""


@dataclass(frozen=True, slots=True)
class Ban:
    """A login that is not checked at an address for a while."""

    address: str
    """An IPv4 address, or the network of an IPv6 home."""
    login: str
    """Empty for all logins there but the welcome ones."""
    until: datetime
    failures: int
    """Wrong guesses that led to it."""


@dataclass(slots=True)
class _Record:
    guesses: dict[int, float] = field(default_factory=dict)
    """Of each different guess: when it was made last; the oldest first."""
    locks: int = 0


class LoginThrottle:
    """Counts different wrong guesses by login and address. Thread-safe.

    A guess that is repeated counts once: a camera with an old password guesses nothing. Logins that do not exist are
    counted together, by address; when they are banned there, so are all others that were never right there.
    """

    def __init__(
        self,
        server: str,
        *,
        after: int,
        within: float,
        wait: float,
        longest: float = 0.0,
        path: Path | None = None,
        on_ban: Callable[[str], None] = lambda _address: None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Ban for `wait` seconds after `after` wrong guesses `within` so many seconds.

        Each further ban in a row is twice as long, up to `longest`. `path`: of the file that keeps bans and welcome
        logins across restarts. `on_ban` is called for each ban.
        """
        self._server = server
        self._after, self._within, self._wait, self._longest = after, within, wait, max(wait, longest)
        self._path = path
        self._on_ban = on_ban
        self._clock, self._wall = clock, wall
        self._lock = threading.Lock()
        self._records: OrderedDict[Key, _Record] = OrderedDict()
        self._bans: OrderedDict[Key, tuple[float, int]] = OrderedDict()
        self._welcome: OrderedDict[Key, float] = OrderedDict()
        self._lately: deque[float] = deque(maxlen=MOST_IN_ALL)
        self._changed = False

    def open(self) -> None:
        """Load what the last run wrote, as far as it still holds."""
        if self._path is None:
            return
        for ban in read(self._path, wall=self._wall):
            left = min(self._longest, ban.until.timestamp() - self._wall())
            self._bans[neighbourhood(ban.address), ban.login] = self._clock() + left, ban.failures
        with suppress(OSError, ValueError, KeyError, TypeError):
            for address, login, since in json.loads(self._path.read_text())["welcome"][-MOST:]:
                self._welcome[str(address), str(login)] = min(float(since), self._wall())

    def wait(self, address: str, login: str = "") -> int:
        """Whole seconds until a password for this login from there is checked; 0 for now."""
        party, now = neighbourhood(address), self._clock()
        with self._lock:
            welcome = self._is_welcome((party, login))
            until = self._bans.get((party, login), (0.0, 0))[0]
            if not welcome:
                until = max(until, self._bans.get((party, ""), (0.0, 0))[0])
                if len(self._lately) == MOST_IN_ALL:
                    until = max(until, self._lately[0] + IN_ALL_S)
        return math.ceil(max(0.0, until - now))

    def was_wrong(self, address: str, login: str, guess: Hashable) -> bool:
        """Whether this very guess was wrong lately, so that it need not be checked."""
        with self._lock:
            record = self._records.get((neighbourhood(address), login))
            return record is not None and hash(guess) in record.guesses

    def failed(self, address: str, login: str, guess: Hashable) -> bool:
        """A password was wrong; returns whether that bans the login there.

        `guess`: what was tried, of which a digest is kept; `login`: empty where it names none that exists.
        """
        log.warning("login refused", server=self._server, address=address)
        with self._lock:
            failures = self._count((neighbourhood(address), login), hash(guess))
        if failures:
            self._on_ban(address)
            log.warning("login locked", server=self._server, address=address, failures=failures)
        return failures > 0

    def succeeded(self, address: str, login: str = "") -> None:
        """A password was right. That forgives nothing: beside who logs in every second another one could guess."""
        key = neighbourhood(address), login
        with self._lock:
            # Written once a day at most: cameras log in for each picture.
            self._changed |= self._wall() - self._welcome.get(key, 0.0) > 86_400
            self._welcome[key] = self._wall()
            _make_room(self._welcome, key)

    def bans(self) -> list[Ban]:
        """The bans, the newest first."""
        now, wall = self._clock(), self._wall()
        with self._lock:
            self._forget_ended(now)
            return [
                Ban(address, login, datetime.fromtimestamp(wall + until - now, UTC), failures)
                for (address, login), (until, failures) in reversed(self._bans.items())
            ]

    def lift(self, address: str = "") -> int:
        """Lift the bans at an address, or all; returns how many. What was guessed there is forgotten."""
        party = neighbourhood(address)
        with self._lock:
            self._forget_ended(self._clock())
            lifted = [key for key in self._bans if not address or key[0] == party]
            for key in [key for key in self._records if not address or key[0] == party]:
                del self._records[key]
            for key in lifted:
                del self._bans[key]
            self._changed |= bool(lifted)
            return len(lifted)

    def save(self) -> None:
        """Write bans and welcome logins to the disk when they have changed; call it now and then, not for each."""
        if self._path is None:
            return
        with self._lock:
            self._forget_ended(self._clock())
            changed, self._changed = self._changed, False
            welcome = [[*key, since] for key, since in self._welcome.items() if self._is_welcome(key)]
        if not changed:
            return
        bans = [
            {"address": ban.address, "login": ban.login, "until": ban.until.timestamp(), "failures": ban.failures}
            for ban in reversed(self.bans())
        ]
        try:
            durable.write(self._path, json.dumps({"bans": bans, "welcome": welcome}).encode(), sync=False)
        except OSError as error:
            log.warning("bans not saved", reason=error.strerror)

    def _is_welcome(self, key: Key) -> bool:
        return self._wall() - self._welcome.get(key, -math.inf) < WELCOME_S

    def _count(self, key: Key, guess: int) -> int:
        """Count a guess; returns how many there were if that leads to a ban, else 0."""
        now = self._clock()
        record = self._records.setdefault(key, _Record())
        _make_room(self._records, key)
        is_repeated = record.guesses.pop(guess, None) is not None
        record.guesses = {one: at for one, at in record.guesses.items() if at > now - self._within}
        if not record.guesses:
            record.locks = 0
        record.guesses[guess] = now
        if is_repeated:
            return 0
        self._lately.append(now)
        failures = len(record.guesses)
        if failures < self._after * (WELCOME_SHARE if self._is_welcome(key) else 1):
            return 0
        del record.guesses[next(iter(record.guesses))]  # so that the next one bans again, and no more are kept
        # Bounded, or enough guesses would be more than a float holds.
        until = now + min(self._longest, self._wait * 2.0 ** min(record.locks, 20))
        record.locks += 1
        self._ban(key, until, failures)
        party, login = key
        if login and sum(address == party and bool(other) for address, other in self._bans) >= MANY_LOGINS:
            self._ban((party, ""), until, failures)
        return failures

    def _ban(self, key: Key, until: float, failures: int) -> None:
        self._bans[key] = until, failures
        _make_room(self._bans, key)
        self._changed = True

    def _forget_ended(self, now: float) -> None:
        for key in [key for key, (until, _) in self._bans.items() if until <= now]:
            del self._bans[key]
            self._changed = True


def _make_room(known: OrderedDict[Key, Any], key: Key) -> None:
    known.move_to_end(key)
    if len(known) > MOST:
        known.popitem(last=False)


def read(path: Path, *, wall: Callable[[], float] = time.time) -> list[Ban]:
    """The bans in this file that are not over, the newest last; none for a missing or broken file."""
    bans = []
    with suppress(OSError, ValueError, KeyError, TypeError, OverflowError):
        found = json.loads(path.read_text())
        for row in found["bans"] if isinstance(found, dict) else found:  # a list before there were welcome logins
            until = datetime.fromtimestamp(float(row["until"]), UTC)
            if until.timestamp() > wall():
                bans.append(Ban(str(row["address"]), str(row.get("login", "")), until, int(row["failures"])))
    return bans
