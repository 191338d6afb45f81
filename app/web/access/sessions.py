"""Sessions: a signed cookie holds when the login expires; the server stores nothing."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Iterable, Iterator

COOKIE = "snapshot_session"
LASTS_S = 30 * 24 * 3600

_VALUE = re.compile(r"([0-9]{1,12})\.([0-9a-f]{64})")


class Sessions:
    """Issues and checks cookies' values, all with one key: another key ends every session."""

    def __init__(self, key: bytes, *, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._clock = clock

    def issue(self) -> str:
        """A cookie value, valid from now on."""
        expires = str(int(self._clock() + LASTS_S))
        return f"{expires}.{self._signature(expires)}"

    def permits(self, value: str) -> bool:
        """Whether we issued this value, and it is still valid; for any input at all."""
        parts = _VALUE.fullmatch(value)
        if parts is None:
            return False
        signed = hmac.compare_digest(self._signature(parts[1]), parts[2])
        return signed and self._clock() < int(parts[1])

    def _signature(self, expires: str) -> str:
        return hmac.new(self._key, expires.encode(), hashlib.sha256).hexdigest()


def cookies(headers: Iterable[str]) -> Iterator[str]:
    """The values of our cookie in the Cookie headers.

    All of them: a neighbour on another port of the same host can set one beside ours, but not sign it.
    """
    for header in headers:
        for pair in header.split(";"):
            name, _, value = pair.partition("=")
            if name.strip() == COOKIE:
                yield value.strip()
