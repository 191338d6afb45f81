"""The PROXY protocol, versions 1 and 2: a balancer's first bytes on a connection say whose it is.

https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
"""

from __future__ import annotations

import errno
import select
import socket
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any, Self

import structlog

from pylib.net.addresses import normal

log = structlog.get_logger(__name__)

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
"""How a header of version 2 begins; one of version 1 begins with `PROXY` and is a line of text."""
LONGEST = 2048
"""Bytes of a header, with what else a balancer tells in it; one of version 1 has 107 at most."""
LONGEST_LINE = 107
HEADER_S = 5.0
"""Seconds that a header may take: balancers send it at once."""
MOST_WAITING = 256
"""Connections at a time whose header is not there yet."""

_FIXED = struct.Struct("!12sBBH")
_ADDRESSES = {0x11: (4, socket.AF_INET), 0x21: (16, socket.AF_INET6)}
"""Family and protocol (TCP) of version 2 -> bytes of an address, and whose they are."""


class NoHeader(ValueError):
    """A connection does not begin as the protocol has it."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a balancer says of a connection."""

    length: int
    """Bytes that it takes."""
    client: tuple[str, int] | None
    """Address and port; None when the balancer itself asks, or does not know."""


def parse(data: bytes) -> Header | None:
    """The header that these bytes begin with; None while it is not complete. Raises `NoHeader`."""
    if data.startswith(SIGNATURE[: len(data)]):
        return _binary(data) if len(data) >= _FIXED.size else None
    if not data.startswith(b"PROXY "[: len(data)]):
        raise NoHeader("neither version 1 nor version 2")
    line, end, _ = data[:LONGEST_LINE].partition(b"\r\n")
    if end:
        return Header(len(line) + 2, _line(line))
    if len(data) >= LONGEST_LINE:
        raise NoHeader("a line without an end")
    return None


def _line(line: bytes) -> tuple[str, int] | None:
    match line.decode("ascii", "replace").split(" "):
        case ["PROXY", "UNKNOWN", *_]:
            return None
        case ["PROXY", "TCP4" | "TCP6", client, _, port, _] if port.isdecimal() and int(port) < 1 << 16:
            with suppress(ValueError):
                return str(ip_address(client)), int(port)
    raise NoHeader("a line that cannot be read")


def _binary(data: bytes) -> Header | None:
    _, command, kind, more = _FIXED.unpack_from(data)
    length = _FIXED.size + more
    if command not in (0x20, 0x21) or length > LONGEST:
        raise NoHeader("another version, or too long")
    if len(data) < length:
        return None
    if command == 0x20 or kind not in _ADDRESSES:
        return Header(length, None)
    size, family = _ADDRESSES[kind]
    if more < 2 * size + 4:
        raise NoHeader("addresses that are cut off")
    (port,) = struct.unpack_from("!H", data, _FIXED.size + 2 * size)
    return Header(length, (socket.inet_ntop(family, data[_FIXED.size : _FIXED.size + size]), port))


class Connection(socket.socket):
    """A connection that was accepted for somebody."""

    client: tuple[Any, ...]

    @classmethod
    def of(cls, accepted: socket.socket, client: tuple[Any, ...]) -> Self:
        """The same connection, as the client's; `accepted` is of no use any more."""
        one = cls(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        one.client = client
        return one

    def getpeername(self) -> tuple[Any, ...]:
        """The client's address, also where a balancer stands between."""
        super().getpeername()  # raises when it is gone already
        return self.client


class Listener(socket.socket):
    """A listening socket that accepts from balancers what they have told the client of.

    Without balancers it is as any other. With some its `fileno` is that of an epoll object, readable when a
    connection can be accepted: one from elsewhere, or a balancer's whose header has come. Such are not accepted
    before, and closed when they begin with anything else, or with nothing for `HEADER_S`. It does not block.
    """

    _balancers: Sequence[Any] = ()
    _ready: select.epoll | None = None

    def behind(self, balancers: Sequence[str]) -> None:
        """Networks of the balancers; to be called once, before anybody asks for its `fileno`."""
        if not balancers:
            return
        self._balancers = [ip_network(network) for network in balancers]
        self._ready = select.epoll()
        self._ready.register(super().fileno(), select.EPOLLIN)
        self._waiting: dict[int, tuple[socket.socket, tuple[Any, ...], float]] = {}
        self.setblocking(False)

    def fileno(self) -> int:
        return super().fileno() if self._ready is None or self._ready.closed else self._ready.fileno()

    def accept(self) -> tuple[socket.socket, Any]:
        if self._ready is None:
            return super().accept()
        self._give_up()
        # One at a time: what is left keeps the epoll object readable.
        while found := self._ready.poll(0, 1):
            number, events = found[0]
            if number == super().fileno():
                accepted, address = super().accept()
                if not self._is_balancer(address[0]):
                    return accepted, address
                self._await_header(accepted, address)
            elif (told := self._told(number, ended=bool(events & select.EPOLLRDHUP))) is not None:
                return told, told.client
        raise BlockingIOError(errno.EAGAIN, "nobody has come")

    def close(self) -> None:
        if self._ready is not None:
            for connection, _, _ in self._waiting.values():
                connection.close()
            self._waiting.clear()
            self._ready.close()
        super().close()

    def _is_balancer(self, host: str) -> bool:
        address = normal(host)
        return address is not None and any(address in network for network in self._balancers)

    def _await_header(self, connection: socket.socket, address: tuple[Any, ...]) -> None:
        assert self._ready is not None  # noqa: S101 - `accept` has looked
        connection.setblocking(False)
        self._waiting[connection.fileno()] = connection, address, time.monotonic() + HEADER_S
        # Told of new bytes only: those of half a header are looked at and left.
        self._ready.register(connection.fileno(), select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET)

    def _told(self, number: int, *, ended: bool) -> Connection | None:
        """A connection whose header has come, without it; None when it is closed instead, or to be waited for."""
        connection, address, _ = self._waiting[number]
        try:
            header = parse(connection.recv(LONGEST, socket.MSG_PEEK))
            if header is None and not ended:
                return None
            self._drop(number)
            if header is None:
                connection.close()  # a balancer that only looks whether we are there
                return None
            connection.recv(header.length)
        except BlockingIOError:
            return None
        except (OSError, NoHeader) as error:
            if isinstance(error, NoHeader):
                log.warning("connection of a balancer closed, no PROXY header", address=address[0], reason=str(error))
            self._drop(number)
            connection.close()
            return None
        return Connection.of(connection, header.client or address)

    def _drop(self, number: int) -> None:
        assert self._ready is not None  # noqa: S101 - `accept` has looked
        if self._waiting.pop(number, None) is not None:
            self._ready.unregister(number)

    def _give_up(self) -> None:
        """Close those that wait for too long, or are too many; the oldest come first."""
        now = time.monotonic()
        while self._waiting:
            number, (connection, address, until) = next(iter(self._waiting.items()))
            if until > now and len(self._waiting) < MOST_WAITING:
                return
            log.warning("connection of a balancer closed, its PROXY header did not come", address=address[0])
            self._drop(number)
            connection.close()
