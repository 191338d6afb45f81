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

CLOSE_ENOUGH_S = 0.05
"""Seconds that a read may be late: setting a socket's timeout is a system call, and a picture takes many reads."""

_until: ContextVar[float] = ContextVar("until", default=math.inf)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give the block's sockets so many seconds in all, or the rest of an enclosing block's."""
    mark = _until.set(min(_until.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _until.reset(mark)


def passed() -> bool:
    """Whether the time of the block is over."""
    return time.monotonic() >= _until.get()


def timed(sock: socket.socket) -> socket.socket:
    """The same connection, bound to the deadline; the given socket must not be used any more."""
    silence = sock.gettimeout()
    kept = TimedSocket(sock.family, sock.type, sock.proto, fileno=sock.detach())
    kept.settimeout(silence)
    return kept


class _Timed:
    """Limits each read and write to the time that is left, and to its own timeout of silence."""

    _silence: float | None = None

    def settimeout(self: Any, value: float | None) -> None:
        self._silence = value
        super().settimeout(value)  # type: ignore[misc]

    def recv_into(self: Any, *args: Any, **kwargs: Any) -> Any:
        _keep_time(self)
        return super().recv_into(*args, **kwargs)  # type: ignore[misc]

    def send(self: Any, *args: Any, **kwargs: Any) -> Any:
        _keep_time(self)
        return super().send(*args, **kwargs)  # type: ignore[misc]

    def sendall(self: Any, *args: Any, **kwargs: Any) -> None:
        _keep_time(self)
        super().sendall(*args, **kwargs)  # type: ignore[misc]


class TimedSocket(_Timed, socket.socket):
    """A socket that keeps to the deadline."""


class TimedTLSSocket(_Timed, ssl.SSLSocket):
    """The same under TLS: to be an `ssl.SSLContext.sslsocket_class`."""

    def do_handshake(self, block: bool = False) -> None:
        _keep_time(self)
        super().do_handshake(block)


def timed_pools(plain: type, tls: type) -> dict[str, type]:
    """urllib3's `pool_classes_by_scheme`: such pools, but of connections that keep to the deadline.

    TLS needs an `ssl_context` that was handed in.
    """
    return {"http": _pool(plain), "https": _pool(tls)}


class _TimedConnection:
    def _new_conn(self: Any) -> socket.socket:
        """To the first address that takes it: urllib3 would give each of a name the whole timeout."""
        from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

        host, silence = self._dns_host, self.timeout
        addresses = _addresses(self)
        try:
            for left in range(len(addresses), 0, -1):
                self._dns_host, self.timeout = addresses[-left], _allowed(silence, sharing=left)
                try:
                    sock: socket.socket = super()._new_conn()  # type: ignore[misc]
                    break
                except (ConnectTimeoutError, NewConnectionError):
                    if left == 1:
                        raise
        finally:
            self._dns_host, self.timeout = host, silence
        sock.settimeout(silence)
        return timed(sock)

    def connect(self: Any) -> None:
        if (context := getattr(self, "ssl_context", None)) is not None:
            context.sslsocket_class = TimedTLSSocket
        super().connect()  # type: ignore[misc]


def _pool(base: Any) -> type:
    connection = type(base.ConnectionCls.__name__, (_TimedConnection, base.ConnectionCls), {})
    return type(base.__name__, (base,), {"ConnectionCls": connection})


def _addresses(connection: Any) -> list[str]:
    from urllib3.exceptions import LocationParseError, NameResolutionError
    from urllib3.util.connection import allowed_gai_family

    host = connection._dns_host.strip("[]")
    try:
        found = socket.getaddrinfo(host, connection.port, allowed_gai_family(), socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from error
    except UnicodeError:
        raise LocationParseError(f"{host!r}, label empty or too long") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _keep_time(sock: Any) -> None:
    allowed, now = _allowed(sock._silence), sock.gettimeout()
    if allowed is None or now is None or abs(allowed - now) > CLOSE_ENOUGH_S:
        socket.socket.settimeout(sock, allowed)


def _allowed(silence: float | None, *, sharing: int = 1) -> float | None:
    """Seconds for one of so many that share the time that is left."""
    left = _until.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError
    seconds = min(left / sharing, math.inf if silence is None else silence)
    return None if math.isinf(seconds) else seconds
