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
from pylib.net.addresses import neighbourhood, normal

log = structlog.get_logger(__name__)

WELCOME_S = 30 * 86_400.0
"""Seconds for which a login stays welcome at an address after it was right there."""
WELCOME_SHARE = 10
"""A welcome login has so many times as many guesses: it may be another one behind its address who makes them."""
MANY_LOGINS = 3
"""As many banned logins at one address ban the address."""
IN_ALL_S = 60.0
"""Seconds within which wrong guesses from all addresses are counted together, where there is a limit to them."""
ALL = "all"
"""Stands in a ban for the addresses that are not private."""
MOST = 10_000
"""Logins at addresses that are remembered; beyond it the longest known is forgotten: an attack costs no memory."""

Key = tuple[str, str]
"""Who shares an address (see `neighbourhood`), and the login; an empty login stands for all that do not exist."""


@dataclass(frozen=True, slots=True)
class Ban:
    """A login that is not checked at an address for a while."""

    address: str
    """An IPv4 or local IPv6 address, the network of an IPv6 home, or `ALL`."""
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
        most_in_all: int = 0,
        hides_logins: bool = False,
        path: Path | None = None,
        on_ban: Callable[[str], None] = lambda _address: None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Ban for `wait` seconds after `after` wrong guesses `within` so many seconds.

        Each further ban in a row is twice as long, up to `longest`. After `most_in_all` wrong guesses in `IN_ALL_S`
        from all addresses that are not private, only welcome logins may try from those; 0 for no such limit.
        `hides_logins`: count each wrong guess of a login that is not welcome at an address also among those that do
        not exist there, so that bans do not tell which exist; callers give those that do not a login, too. `path`:
        of the file that keeps bans and welcome logins across restarts. `on_ban` is called for each ban.
        """
        self._server = server
        self._after, self._within, self._wait, self._longest = after, within, wait, max(wait, longest)
        self._hides_logins = hides_logins
        self._path = path
        self._on_ban = on_ban
        self._clock, self._wall = clock, wall
        self._lock = threading.Lock()
        self._records: OrderedDict[Key, _Record] = OrderedDict()
        self._bans: OrderedDict[Key, tuple[float, int]] = OrderedDict()
        self._welcome: OrderedDict[Key, float] = OrderedDict()
        self._lately: deque[float] = deque(maxlen=most_in_all)
        self._changed = False

    def open(self) -> None:
        """Load what the last run wrote, as far as it still holds."""
        if self._path is None:
            return
        for ban in read(self._path, wall=self._wall):
            left = min(self._longest, ban.until.timestamp() - self._wall())
            self._bans[neighbourhood(ban.address), ban.login] = self._clock() + left, ban.failures
        found = _content(self._path)
        if isinstance(found, list):
            log.info("bans of an older release are dropped, they were of all logins", server=self._server)
            self._changed = True
        with suppress(ValueError, KeyError, TypeError):
            for address, login, since in found["welcome"][-MOST:]:
                self._welcome[str(address), str(login)] = min(float(since), self._wall())

    def wait(self, address: str, login: str = "") -> int:
        """Whole seconds until a password for this login from there is checked; 0 for now."""
        party, now = neighbourhood(address), self._clock()
        with self._lock:
            welcome = self._is_welcome((party, login))
            until = self._bans.get((party, login), (0.0, 0))[0]
            if not welcome:
                until = max(until, self._bans.get((party, ""), (0.0, 0))[0])
                if not _is_private(address):
                    until = max(until, self._all_banned_until())
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
            key = neighbourhood(address), login
            failures = self._count(key, hash(guess), in_all=not _is_private(address))
            if login and self._hides_logins and not self._is_welcome(key):
                failures = max(failures, self._count((key[0], ""), hash((login, guess)), in_all=False))
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
            found = [(*key, *ban) for key, ban in reversed(self._bans.items())]
            if (until := self._all_banned_until()) > now:
                found.insert(0, (ALL, "", until, len(self._lately)))
        return [
            Ban(address, login, datetime.fromtimestamp(wall + until - now, UTC), failures)
            for address, login, until, failures in found
        ]

    def lift(self, address: str = "") -> int:
        """Lift the bans at an address, or all; returns how many. What was guessed there is forgotten.

        A ban of `ALL` is lifted each time, for it holds at that address, too.
        """
        party, now = neighbourhood(address), self._clock()
        with self._lock:
            self._forget_ended(now)
            all_banned = self._all_banned_until() > now
            self._lately.clear()
            lifted = [key for key in self._bans if not address or key[0] == party]
            for key in [key for key in self._records if not address or key[0] == party]:
                del self._records[key]
            for key in lifted:
                del self._bans[key]
            self._changed |= bool(lifted)
            return len(lifted) + all_banned

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
            if ban.address != ALL
        ]
        try:
            durable.write(self._path, json.dumps({"bans": bans, "welcome": welcome}).encode(), sync=False)
        except OSError as error:
            log.warning("bans not saved", reason=error.strerror)

    def _is_welcome(self, key: Key) -> bool:
        return self._wall() - self._welcome.get(key, -math.inf) < WELCOME_S

    def _all_banned_until(self) -> float:
        return self._lately[0] + IN_ALL_S if self._lately and len(self._lately) == self._lately.maxlen else 0.0

    def _count(self, key: Key, guess: int, *, in_all: bool) -> int:
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
        if in_all:
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


def _is_private(address: str) -> bool:
    """Whether an address is of a home's own network, link or machine."""
    known = normal(address)
    return known is not None and known.is_private


def read(path: Path, *, wall: Callable[[], float] = time.time) -> list[Ban]:
    """The bans in this file that are not over, the newest last; none for a missing, broken or older file."""
    bans = []
    with suppress(OSError, ValueError, KeyError, TypeError, OverflowError):
        for row in _content(path)["bans"]:
            until = datetime.fromtimestamp(float(row["until"]), UTC)
            if until.timestamp() > wall():
                bans.append(Ban(str(row["address"]), str(row["login"]), until, int(row["failures"])))
    return bans


def _content(path: Path) -> Any:
    """What is in a file of bans: a list in older releases, of bans of all logins; None for a missing or broken one."""
    with suppress(OSError, ValueError, RecursionError):
        return json.loads(path.read_text())
    return None
