"""Sessions: a signed cookie says whose it is and when it expires; the server stores those that were ended early."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from app.web.access import key_files
from app.web.access.followed import FollowedFile

COOKIE = "snapshot_session"
LASTS_S = 30 * 24 * 3600
ENDED_FILE = "ended_sessions.json"
MOST_ENDED = 10_000
"""Sessions that are known to have been ended; beyond them the one that expires first is forgotten."""

# Those of earlier releases have neither a number of their own nor a name.
_VALUE = re.compile(r"([0-9]{1,12})(?:\.[0-9a-f]{16}\.([A-Za-z0-9_-]{0,400}))?\.([0-9a-f]{64})")


class Sessions:
    """Issues and checks cookies' values, all with one key: another key ends every session."""

    def __init__(self, key: bytes, *, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._clock = clock

    def issue(self, name: str = "") -> str:
        """A cookie value of this user, or of the one password, valid from now on."""
        written = base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")
        signed = f"{int(self._clock() + LASTS_S)}.{secrets.token_hex(8)}.{written}"
        return f"{signed}.{self._signature(signed)}"

    def permits(self, value: str) -> bool:
        """Whether we issued this value, and it is still valid; for any input at all."""
        parts = _VALUE.fullmatch(value)
        if parts is None:
            return False
        signed = hmac.compare_digest(self._signature(value.rpartition(".")[0]), parts[3])
        return signed and self._clock() < int(parts[1])

    def _signature(self, signed: str) -> str:
        return hmac.new(self._key, signed.encode(), hashlib.sha256).hexdigest()


class EndedSessions:
    """The sessions that were logged out, at any service that shares the file, until they would have expired.

    Thread-safe.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._file = FollowedFile(path, self._all, broken="sessions that others ended are not known")
        self._seen: tuple[tuple[str, int], ...] = ()
        self._ended: dict[str, int] = {}

    def open(self) -> None:
        """Read the file, if there is one. Raises `app.web.access.key_files.BrokenFile`."""
        self._all()

    def _all(self) -> list[tuple[str, int]]:
        content = key_files.read(self._path)
        try:
            return [(str(name), int(until)) for name, until in json.loads(content or b"{}").items()]
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise key_files.BrokenFile(
                self._path, "is no list of sessions", remedy="delete it, and whoever logged out has to do so again"
            ) from None

    def __contains__(self, value: str) -> bool:
        with self._lock:
            return _digest(value) in self._known()

    def add(self, value: str) -> None:
        """End a session that is permitted now, and every copy of its cookie. Raises `BrokenFile`."""
        now = self._clock()
        with self._lock:  # the write as well, or an older list could replace a newer one
            ended = {name: until for name, until in self._known().items() if until > now}
            ended[_digest(value)] = int(value.partition(".")[0])
            while len(ended) > MOST_ENDED:
                del ended[min(ended, key=ended.__getitem__)]
            self._ended = ended
            key_files.write(self._path, json.dumps(ended).encode())

    def _known(self) -> dict[str, int]:
        """Ours, with those that the file has gained."""
        found = self._file.now()
        if found is not self._seen:
            self._seen = found
            self._ended = {**self._ended, **dict(found)}
        return self._ended


def name_in(value: str) -> str:
    """The user of a cookie's value, permitted or not; empty for the one password."""
    parts = _VALUE.fullmatch(value)
    written = (parts and parts[2]) or ""
    try:
        return base64.urlsafe_b64decode(written + "=" * (-len(written) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""


def cookies(headers: Iterable[str]) -> Iterator[str]:
    """The values of our cookie in the Cookie headers.

    All of them: a neighbour on another port of the same host can set one beside ours, but not sign it.
    """
    for header in headers:
        for pair in header.split(";"):
            name, _, value = pair.partition("=")
            if name.strip() == COOKIE:
                yield value.strip()


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:32]
