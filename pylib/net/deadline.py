"""One deadline over all that is sent and read: a timeout for each read never ends a drip of a byte a second."""

from __future__ import annotations

import math
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_until: ContextVar[float] = ContextVar("until", default=math.inf)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give the block's sockets so many seconds in all, or what is left of a block around it."""
    mark = _until.set(min(_until.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _until.reset(mark)


def passed() -> bool:
    """Whether the time of the block is over."""
    return time.monotonic() >= _until.get()


def timed(sock: socket.socket) -> socket.socket:
    """The same connection, which keeps to the deadline; the one that was given is of no more use."""
    silence = sock.gettimeout()
    kept = TimedSocket(sock.family, sock.type, sock.proto, fileno=sock.detach())
    kept.settimeout(silence)
    return kept


class TimedSocket(socket.socket):
    """Gives each read and write only what is left, and no more than the silence that its timeout allows."""

    _silence: float | None = None

    def settimeout(self, value: float | None) -> None:
        self._silence = value
        super().settimeout(value)

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        super().settimeout(_allowed(self._silence))
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        super().settimeout(_allowed(self._silence))
        super().sendall(*args, **kwargs)


class TimedTLSSocket(ssl.SSLSocket):
    """The same under TLS: to be an `ssl.SSLContext.sslsocket_class`."""

    _silence: float | None = None

    def settimeout(self, value: float | None) -> None:
        self._silence = value
        super().settimeout(value)

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        super().settimeout(_allowed(self._silence))
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        super().settimeout(_allowed(self._silence))
        return super().send(*args, **kwargs)


def _allowed(silence: float | None) -> float | None:
    left = _until.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError
    seconds = min(left, math.inf if silence is None else silence)
    return None if math.isinf(seconds) else seconds
