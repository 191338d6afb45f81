"""Limits to what strangers may hold open: connections in all, at each server and from each address, and their time."""

from __future__ import annotations

import errno
import resource
import socket
import threading
import weakref
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from ipaddress import ip_network
from typing import Any

import structlog

from pylib.net.addresses import neighbourhood, normal
from pylib.net.proxy_protocol import Connection, Listener

log = structlog.get_logger(__name__)

HEAD_S = 30.0
"""Seconds for what comes before anything useful: a request's line and headers, a handshake, a login."""
STALL_S = 60.0
"""Seconds after which a connection is cut on which nothing moves, or next to nothing."""
PACE = 500
"""Bytes a second: a slow radio link has more, and a byte now and then keeps no connection open for ever."""

WANTED_FILES = 65_536
MOST_CONNECTIONS = 4096
"""However many descriptors there are: each connection costs memory, too."""
KEPT_FILES = 256
"""Descriptors that no connection gets, or a quarter of all: the pipeline's, for cameras, files and its own sockets."""


def allow_many_files() -> None:
    """Raise the process's limit of open files: the usual one of 1024 is too few for hundreds of cameras."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, WANTED_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def room_for_connections() -> int:
    """How many connections the descriptors of this process suffice for; each may also open a file."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(8, min(MOST_CONNECTIONS, (soft - max(KEPT_FILES, soft // 4)) // 2))


class ConnectionLimiter:
    """Counts the connections of all servers together. Thread-safe."""

    def __init__(self, most: int | None = None) -> None:
        """`most`: connections in all; unless given, as many as there are descriptors for."""
        self._most = most if most is not None else room_for_connections()
        self._lock = threading.Lock()
        self._open = 0
        self._left: deque[tuple[Gate, str]] = deque()

    def gate(
        self,
        server: str,
        *,
        per_address: int,
        most: int | None = None,
        proxies: Iterable[str] = (),
        farewell: bytes = b"",
        remedy: str = "",
    ) -> Gate:
        """The gate of one server, with at most `most` connections, and three quarters of all.

        `per_address`: connections from one address, `proxies`: networks for which that does not hold, because many
        clients come from there. `farewell` is sent to those that are refused, as far as that needs no waiting.
        `remedy`: what to do when one address has too many, for the log.
        """
        share = max(1, self._most * 3 // 4)
        return Gate(self, server, min(share, most or share), per_address, proxies, farewell, remedy)

    @property
    def open(self) -> int:
        """How many there are now."""
        with self._lock:
            self._count_those_that_left()
            return self._open

    def _count_those_that_left(self) -> None:
        while self._left:
            gate, address = self._left.popleft()
            self._open -= 1
            gate._forget(neighbourhood(address))


class Gate:
    """Counts the connections of one server. Thread-safe."""

    def __init__(
        self,
        limiter: ConnectionLimiter,
        server: str,
        most: int,
        per_address: int,
        proxies: Iterable[str],
        farewell: bytes,
        remedy: str,
    ) -> None:
        self._limiter = limiter
        self._server = server
        self._most = most
        self._per_address = per_address
        self._proxies = [ip_network(network) for network in proxies]
        self._farewell = farewell
        self._remedy = remedy
        self._inside: Counter[str] = Counter()
        self.closing = False
        """Whether all new connections are refused: the server is about to stop."""

    def enter(self, address: str) -> bool:
        """Count a connection from an address, unless it is one too many."""
        party, limiter = neighbourhood(address), self._limiter
        with limiter._lock:
            limiter._count_those_that_left()
            reason = self._refusal(party, address)
            if not reason:
                limiter._open += 1
                self._inside[party] += 1
        if reason:
            log.warning("connection refused", server=self._server, address=address, reason=reason)
        return not reason

    def leave(self, address: str) -> None:
        """One that had entered is closed."""
        # Without the lock: the garbage collector calls this, too, maybe in a thread that has it.
        self._limiter._left.append((self, address))

    def guarding(self, listener: socket.socket, *, balancers: Sequence[str] = ()) -> socket.socket:
        """A copy of a listening socket that accepts only what may enter, and counts it until it is closed.

        `balancers`: networks from which each connection begins with a PROXY header that says whose it is.
        """
        copy = _Listener(listener.family, listener.type, listener.proto, fileno=listener.dup().detach())
        copy.gate = self
        copy.behind(balancers)
        return copy

    def refuse(self, connection: socket.socket) -> None:
        """Close a connection at once."""
        with suppress(OSError), connection:
            connection.setblocking(False)
            if self._farewell:
                connection.send(self._farewell)

    def _forget(self, party: str) -> None:
        self._inside[party] -= 1
        if not self._inside[party]:
            del self._inside[party]

    def _refusal(self, party: str, address: str) -> str:
        if self.closing:
            return "the service stops"
        if self._limiter._open >= self._limiter._most:
            return "too many connections in all"
        if self._inside.total() >= self._most:
            return "too many connections to this server"
        if self._inside[party] >= self._per_address and not self._is_proxy(address):
            return f"too many connections from this address{self._remedy and ': '}{self._remedy}"
        return ""

    def _is_proxy(self, address: str) -> bool:
        known = normal(address)
        return known is not None and any(known in network for network in self._proxies)


class Progress:
    """Decides when a peer has sent enough for its time to begin anew."""

    def __init__(self, seconds: float) -> None:
        """`seconds`: that it has."""
        self._least = PACE * seconds
        self._since = 0

    def made(self, count: int) -> bool:
        """Whether so many more bytes make enough since this was last true."""
        self._since += count
        if self._since < self._least:
            return False
        self._since = 0
        return True


class Pace:
    """Judges a transfer that is looked at now and then."""

    def __init__(self, window: float, now: float) -> None:
        """`window`: seconds; `now`: of the same clock as in `stalled`."""
        self._window = window
        self._heard = self._began = now
        self._count = self._before = 0
        self._slow = 0

    def stalled(self, count: int, now: float) -> bool:
        """Whether nothing came for one window, or too little in two of them in a row; `count`: bytes in all."""
        if count > self._count:
            self._count, self._heard = count, now
        if now - self._began >= self._window:
            self._slow = self._slow + 1 if count - self._before < PACE * (now - self._began) else 0
            self._began, self._before = now, count
        return self._slow > 1 or now - self._heard >= self._window


class _Listener(Listener):
    gate: Gate

    def accept(self) -> tuple[socket.socket, Any]:
        accepted, address = super().accept()
        host = str(address[0])
        if not self.gate.enter(host):
            self.gate.refuse(accepted)
            # Which servers take for a client that has gone already.
            raise ConnectionAbortedError(errno.ECONNABORTED, "refused")
        counted = _Counted.of(accepted, address)
        counted.leave = weakref.finalize(counted, self.gate.leave, host)
        counted.leave.atexit = False
        return counted, address


class _Counted(Connection):
    """A connection that is counted until it is closed, or nobody has it any more."""

    leave: weakref.finalize[..., _Counted]

    def close(self) -> None:
        super().close()
        self.leave()
