"""A balancer's header says whose a connection is; before it has come nobody is accepted."""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from pylib.net import proxy_protocol
from pylib.net.limiter import ConnectionLimiter
from pylib.net.listening import listen
from pylib.net.proxy_protocol import LONGEST, SIGNATURE, Header, Listener, NoHeader, parse


def binary(command: int, kind: int, body: bytes) -> bytes:
    """A header of version 2."""
    return SIGNATURE + struct.pack("!BBH", command, kind, len(body)) + body


FOUR = socket.inet_aton("192.0.2.7") + socket.inet_aton("10.0.0.1") + struct.pack("!HH", 40_000, 21)
SIX = socket.inet_pton(socket.AF_INET6, "2001:db8::7") + bytes(16) + struct.pack("!HH", 40_000, 21)
MORE = b"\x04\x00\x03abc"
HEADERS = {
    b"PROXY TCP4 192.0.2.7 10.0.0.1 40000 21\r\n": ("192.0.2.7", 40_000),
    b"PROXY TCP6 2001:db8::7 ::1 40000 21\r\n": ("2001:db8::7", 40_000),
    b"PROXY UNKNOWN\r\n": None,
    b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n": None,
    binary(0x21, 0x11, FOUR): ("192.0.2.7", 40_000),
    binary(0x21, 0x11, FOUR + MORE): ("192.0.2.7", 40_000),
    binary(0x21, 0x21, SIX): ("2001:db8::7", 40_000),
    binary(0x21, 0x31, bytes(216)): None,  # a Unix socket
    binary(0x20, 0x00, b""): None,  # the balancer's own
    binary(0x20, 0x11, FOUR): None,
}


@pytest.mark.parametrize("header", HEADERS, ids=range(len(HEADERS)))
def test_a_header_says_whose_a_connection_is(header: bytes) -> None:
    assert parse(header + b"USER home\r\n") == Header(len(header), HEADERS[header])
    assert [parse(header[:end]) for end in range(len(header))] == [None] * len(header)


@pytest.mark.parametrize(
    "data",
    [
        b"USER home\r\n",
        b"\x16\x03\x01",
        b"PROXY TCP4 192.0.2.7 10.0.0.1 40000\r\n",
        b"PROXY TCP4 home 10.0.0.1 40000 21\r\n",
        b"PROXY TCP4 192.0.2.7 10.0.0.1 65536 21\r\n",
        b"PROXY UDP4 192.0.2.7 10.0.0.1 40000 21\r\n",
        b"PROXY " + b"x" * 200,
        b"PROXY TCP4 192.0.2.7 10.0.0.1 40000 21" + b" " * 90 + b"\r\n",
        binary(0x11, 0x11, FOUR),
        binary(0x22, 0x11, FOUR),
        binary(0x21, 0x11, FOUR[:-1]),
        binary(0x21, 0x21, FOUR),
        SIGNATURE + struct.pack("!BBH", 0x21, 0x11, LONGEST),
    ],
)
def test_anything_else_is_refused_as_soon_as_it_is_seen(data: bytes) -> None:
    with pytest.raises(NoHeader):
        parse(data)


@given(st.binary(max_size=300) | st.binary(max_size=300).map(SIGNATURE.__add__) | st.binary().map(b"PROXY ".__add__))
@example(b"PROXY TCP4 \xff\xff 10.0.0.1 1 1\r\n")
def test_no_bytes_are_too_odd(data: bytes) -> None:
    with suppress(NoHeader):
        header = parse(data)
        assert header is None or 8 <= header.length <= LONGEST


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Behind balancers at 127.0.0.2."""
    with closing(listen("127.0.0.1", 0, code="", remedy="")) as plain:
        one = Listener(fileno=plain.dup().detach())
        one.behind(["127.0.0.2/32"])
        with closing(one):
            yield one


def connect(listener: Listener, source: str = "127.0.0.2", data: bytes = b"") -> socket.socket:
    one = socket.create_connection(listener.getsockname(), timeout=10, source_address=(source, 0))
    one.sendall(data)
    return one


def accepted(listener: Listener) -> tuple[socket.socket, str] | None:
    """Who is accepted, when the listener says that somebody can be."""
    if select.select([listener], [], [], 0.2)[0]:
        with suppress(BlockingIOError):
            connection, address = listener.accept()
            assert connection.getpeername() == address
            return connection, address[0]
    return None


def hello(connection: socket.socket) -> bytes:
    connection.settimeout(10)
    return connection.recv(5)


def test_a_client_from_elsewhere_needs_no_header(listener: Listener) -> None:
    with connect(listener, "127.0.0.3", b"hello"):
        found = accepted(listener)
        assert found is not None
        with found[0]:
            assert (found[1], hello(found[0])) == ("127.0.0.3", b"hello")


def test_a_balancer_s_client_is_accepted_when_its_header_has_come_and_only_that_is_taken(listener: Listener) -> None:
    header = b"PROXY TCP4 192.0.2.7 10.0.0.1 40000 21\r\n"
    with connect(listener) as first, connect(listener, data=binary(0x21, 0x11, FOUR)):
        ready = accepted(listener)
        assert ready is not None
        assert ready[1] == "192.0.2.7"
        first.sendall(header[:20])
        assert accepted(listener) is None
        assert not select.select([listener], [], [], 0)[0], "half a header keeps nobody busy"
        first.sendall(header[20:] + b"hello")
        found = accepted(listener)
        assert found is not None
        with ready[0], found[0]:
            assert (found[1], hello(found[0])) == ("192.0.2.7", b"hello")


def test_many_come_at_once(listener: Listener) -> None:
    clients = [connect(listener, data=f"PROXY TCP4 192.0.2.{n} 10.0.0.1 1 2\r\n".encode()) for n in range(50)]
    found = [accepted(listener) for _ in clients]
    assert sorted(one[1] for one in found if one) == sorted(f"192.0.2.{n}" for n in range(50))
    for one in [*clients, *(one[0] for one in found if one)]:
        one.close()


@pytest.mark.parametrize("data", [b"", b"PROXY TCP4", b"USER home\r\n"])
def test_a_balancer_that_only_looks_or_says_nonsense_is_closed(listener: Listener, data: bytes) -> None:
    with connect(listener, data=data) as client, capture_logs() as logs:
        client.shutdown(socket.SHUT_WR)
        assert accepted(listener) is None
        client.settimeout(10)
        with suppress(ConnectionResetError):
            assert client.recv(1) == b""
    assert len(logs) == data.startswith(b"USER")


def test_who_says_nothing_waits_for_a_while_only(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy_protocol, "HEADER_S", 0.0)
    with connect(listener) as silent:
        assert accepted(listener) is None
        with connect(listener, "127.0.0.3"):
            found = accepted(listener)
            assert found is not None
            found[0].close()
        assert is_closed(silent)


def test_of_those_who_say_nothing_the_oldest_goes_first(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy_protocol, "MOST_WAITING", 2)
    silent = []
    for _ in range(4):
        silent.append(connect(listener))
        assert accepted(listener) is None
    assert [is_closed(one) for one in silent] == [True, True, False, False]
    listener.close()
    assert all(map(is_closed, silent))
    for one in silent:
        one.close()


def is_closed(connection: socket.socket) -> bool:
    """Whether the other side has gone; what is to be seen of that is there at once, on loopback."""
    if not select.select([connection], [], [], 0)[0]:
        return False
    with suppress(ConnectionResetError):
        return connection.recv(1) == b""
    return True


def test_the_gate_counts_clients_and_not_their_balancer() -> None:
    gate = ConnectionLimiter(100).gate("ftp", per_address=1)
    with (
        closing(listen("127.0.0.1", 0, code="", remedy="")) as plain,
        closing(gate.guarding(plain, balancers=["127.0.0.2/32"])) as listener,
    ):
        assert isinstance(listener, Listener)
        header = b"PROXY TCP4 192.0.2.%d 10.0.0.1 40000 21\r\n"
        with connect(listener, data=header % 1), connect(listener, data=header % 2):
            one, other = accepted(listener), accepted(listener)
            assert {found[1] for found in (one, other) if found} == {"192.0.2.1", "192.0.2.2"}
            with connect(listener, data=header % 1):
                select.select([listener], [], [], 10)
                with pytest.raises(ConnectionAbortedError):
                    listener.accept()
        for found in (one, other):
            if found:
                found[0].close()
