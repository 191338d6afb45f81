"""HTTP connections with one deadline over connecting and every read, to admitted addresses only.

What an answer says before its body is bounded; whose certificate is trusted is in `tls.py`.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import IO, Any, NoReturn, cast
from urllib.parse import urlsplit

from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from app.cameras import CameraRejected, CameraUnavailable
from app.cameras.address import CameraTarget, SocketAddress, resolve
from app.cameras.http.tls import TLSContext, TLSSettings, tls_context
from pylib.net.deadline import TimedSocket, within

MOST_HEAD = 32_768
"""Bytes of a status line and its headers, those of interim answers among them."""


@dataclass(slots=True)
class Attempt:
    """One snapshot in progress: the addresses it may connect to, and its deadline."""

    target: CameraTarget
    timeout: float
    """Seconds that it may take in all; for error texts."""
    deadline: float
    """`time.monotonic()` at which it is over."""
    connected: bool = False
    """A new connection was tried since this was last cleared."""

    @classmethod
    def start(cls, target: CameraTarget, *, timeout: float) -> Attempt:
        return cls(target, timeout, time.monotonic() + timeout)

    def left(self) -> float:
        """Seconds that remain. Raises TimeoutError when none do."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def timed_out(self, so_far: str = "did not answer") -> CameraUnavailable:
        return CameraUnavailable("timeout", f"{self.target.shown} {so_far} within {self.timeout:g} s")


# urllib3 builds connections and sockets deep inside; the thread's current attempt reaches them this way.
_attempt: ContextVar[Attempt] = ContextVar("attempt")


@contextmanager
def under(attempt: Attempt) -> Iterator[None]:
    """Connections in this block belong to this attempt."""
    token = _attempt.set(attempt)
    try:
        with within(attempt.deadline - time.monotonic()):
            yield
    finally:
        _attempt.reset(token)


class _Head:
    """The file of an answer whose head is read: no more of it than a head may have."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left = MOST_HEAD

    def readline(self, limit: int) -> bytes:
        line = self._file.readline(min(limit, self._left + 1))
        self._left -= len(line)
        if self._left < 0:
            raise http.client.HTTPException("a head without end")
        return line

    def close(self) -> None:
        self._file.close()


class _Response(http.client.HTTPResponse):
    """http.client bounds the number and the length of headers, which still makes 6 MB."""

    def begin(self) -> None:
        file = self.fp
        self.fp = _Head(file)  # type: ignore[assignment]
        try:
            super().begin()
        finally:
            if self.fp is not None:  # closed already: an answer without a body
                self.fp = file


class _Connection(HTTPConnection):
    """A connection to an admitted address; every way to fail gets its code here, at the source."""

    response_class = _Response

    def _new_conn(self) -> socket.socket:
        attempt = _attempt.get()
        attempt.connected = True
        target = attempt.target
        try:
            addresses = resolve(target.place, timeout=attempt.left())
        except TimeoutError:
            raise attempt.timed_out("has a name that does not resolve") from None
        if not addresses:
            raise CameraUnavailable("unresolvable", f"{target.shown} has a name that does not resolve")
        if target.networks is not None:
            target.networks.require(addresses)  # these are the ones connected to: no second look-up to rebind
        return _connect(addresses, attempt)

    def connect(self) -> None:
        shown = _attempt.get().target.shown
        try:
            super().connect()
        except ssl.SSLCertVerificationError as error:
            reason = error.verify_message or "certificate not valid"
            raise CameraRejected(
                "certificate_refused", f"{shown} showed a certificate that is not trusted: {reason}"
            ) from None
        except TimeoutError:
            raise _attempt.get().timed_out("did not finish the TLS handshake") from None
        except OSError as error:  # ssl.SSLError among them
            reason = getattr(error, "reason", None) or "connection lost"
            raise CameraUnavailable("tls_failed", f"{shown} failed the TLS handshake: {reason}") from None

    def request(self, *args: Any, **kwargs: Any) -> None:
        networks = _attempt.get().target.networks
        if networks is not None and self.sock is not None:
            # Kept alive from a call to a trusted address; this call's is not.
            networks.require([(self.sock.family, self.sock.getpeername())])
        super().request(*args, **kwargs)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 has it
        attempt = _attempt.get()
        try:
            return super().getresponse()
        except TimeoutError:
            raise attempt.timed_out() from None
        except (http.client.RemoteDisconnected, OSError):
            raise CameraUnavailable(
                "disconnected", f"{attempt.target.shown} closed the connection without an answer"
            ) from None
        except http.client.HTTPException:
            raise CameraUnavailable(
                "not_http", f"{attempt.target.shown} did not answer in HTTP: is the port right?"
            ) from None


class _TLSConnection(_Connection, HTTPSConnection):
    """The same under TLS."""

    def connect(self) -> None:
        super().connect()
        assert isinstance(self.ssl_context, TLSContext)  # noqa: S101 - `CameraPools` made it
        if not self.ssl_context.trusts(cast(ssl.SSLSocket, self.sock), self.host):
            self.close()
            raise CameraRejected(
                "certificate_refused",
                f"{_attempt.get().target.shown} showed a certificate that is not trusted: it is for another name",
            )


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection

    def _validate_conn(self, conn: Any) -> None:
        if conn.is_closed:  # where verification is off by setting, urllib3 would warn here at each request
            conn.connect()


class CameraPools:
    """One connection kept alive for each of the last two hosts."""

    def __init__(self, tls: TLSSettings) -> None:
        self._pools = PoolManager(num_pools=2, maxsize=1)
        self._pools.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}
        self._tls = tls
        self._context: TLSContext | None = None

    def of(self, url: str) -> HTTPConnectionPool:
        """The connection to this address, made with the first request."""
        address = urlsplit(url)
        return self._pools.connection_from_host(
            address.hostname, address.port, address.scheme, self._tls_options() if address.scheme == "https" else {}
        )

    def close(self) -> None:
        self._pools.clear()

    def _tls_options(self) -> dict[str, Any]:
        if self._context is None:  # not before: loading it takes 10 ms, and most cameras need none
            self._context = tls_context(self._tls)
        # urllib3 compares names by itself where the context does not, unless it is told that another does.
        return {"ssl_context": self._context, "assert_hostname": None if self._context.check_hostname else False}


def _connect(addresses: list[SocketAddress], attempt: Attempt) -> socket.socket:
    """A connection to the first address that takes one, the time shared among them."""
    for index, (family, address) in enumerate(addresses):
        last = index == len(addresses) - 1
        sock = TimedSocket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(attempt.left() / (len(addresses) - index))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(attempt.left())
            return sock
        except OSError as error:
            sock.close()
            if last:
                _fail_to_connect(error, attempt)
    raise AssertionError("resolve() found no address")


def _fail_to_connect(error: OSError, attempt: Attempt) -> NoReturn:
    shown = attempt.target.shown
    if isinstance(error, TimeoutError):
        raise attempt.timed_out() from None
    if isinstance(error, ConnectionRefusedError):
        raise CameraUnavailable("refused", f"{shown} refuses connections: wrong port, or off") from None
    reason = os.strerror(error.errno) if error.errno else "network error"
    raise CameraUnavailable("unreachable", f"{shown} cannot be reached: {reason}") from None
