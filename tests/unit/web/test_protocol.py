"""HTTP connections: a client has a limit and a deadline for whatever it has to send or take."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from structlog.testing import capture_logs

from app.web.protocol import LARGEST_HEAD, MOST_HEADERS
from app.web.server import WebServer
from pylib.net.limiter import ConnectionLimiter

QUICK_S = 0.2


@dataclass
class House:
    """A running server, with a route that reads, one that waits, one without end, and one that does not read."""

    limiter: ConnectionLimiter = field(default_factory=lambda: ConnectionLimiter(100))
    port: int = 0
    going_on: bool = False

    async def read(self, request: Request) -> Response:
        return PlainTextResponse(f"read {len(await request.body())}, {len(request.headers)} headers")

    async def wait(self, _request: Request) -> Response:
        while not self.going_on:
            await asyncio.sleep(0.01)
        return PlainTextResponse("waited")

    async def read_later(self, request: Request) -> Response:
        while not self.going_on:
            await asyncio.sleep(0.01)
        return await self.read(request)

    async def endless(self, _request: Request) -> Response:
        async def pieces() -> object:
            while True:
                yield b"x" * 65_536
                await asyncio.sleep(0)

        return StreamingResponse(pieces())  # type: ignore[arg-type]

    async def refuse(self, _request: Request) -> Response:
        return PlainTextResponse("no", 401)

    def server(self) -> WebServer:
        methods = ["GET", "POST"]
        routes = [
            Route(f"/{one.__name__}", one, methods=methods)
            for one in (self.read, self.read_later, self.wait, self.endless, self.refuse)
        ]
        return WebServer(Starlette(routes=routes), host="127.0.0.1", port=0, limiter=self.limiter, per_address=4)

    def connected(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def answer(self, *pieces: bytes) -> bytes:
        """All that comes back until the server closes."""
        with self.connected() as client:
            with suppress(ConnectionError):  # it is closed before everything is sent
                for piece in pieces:
                    client.sendall(piece)
            return rest(client)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    house = House()
    server = house.server()
    house.port = server.open()
    server.start()
    yield house
    server.stop()
    assert server.join(60)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.protocol.HEAD_S", QUICK_S)
    monkeypatch.setattr("app.web.protocol.STALL_S", QUICK_S)


def rest(client: socket.socket) -> bytes:
    heard = b""
    with suppress(ConnectionError):
        while piece := client.recv(65_536):
            heard += piece
    return heard


def drips(client: socket.socket, drop: bytes) -> None:
    """Send this again and again until the server has had enough."""
    client.settimeout(0.02)
    with suppress(ConnectionError):
        for _ in range(3000):
            client.sendall(drop)
            with suppress(TimeoutError):
                if not client.recv(100):
                    return
        raise AssertionError("the server waits for ever")


def eventually(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


GET = b"GET /read HTTP/1.1\r\nHost: x\r\n"
LAST = b"Connection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (GET + b"a:\r\n" * 100_000, b"431"),
        (GET + b"a: " + b"x" * LARGEST_HEAD, b"431"),
        (b"GET /read?" + b"x" * LARGEST_HEAD, b"414"),
        (GET + b"".join(b"a%d: x\r\n" % number for number in range(MOST_HEADERS)) + LAST, b"431"),
    ],
)
def test_a_head_without_end_is_refused_at_its_limit(house: House, sent: bytes, status: bytes) -> None:
    # At once as far as the limit, so that the refusal is not lost with what is sent behind it.
    assert house.answer(sent[: LARGEST_HEAD + len(GET) + len(LAST)]).startswith(b"HTTP/1.1 " + status)


def test_a_megabyte_of_head_ends_the_connection_long_before(house: House) -> None:
    assert b"200 OK" not in house.answer(*[GET + b"a:\r\n" * 250_000] * 4)
    eventually(lambda: house.limiter.open == 0)


def test_as_many_headers_as_are_permitted_arrive(house: House) -> None:
    headers = b"".join(b"a%d: x\r\n" % number for number in range(MOST_HEADERS - 2))
    assert b"read 0, 100 headers" in house.answer(GET + headers + LAST)
    assert b"read 0, 3 headers" in house.answer(GET + b"a: " + b"x" * (LARGEST_HEAD - 200) + b"\r\n" + LAST)


def test_requests_in_a_row_and_large_bodies_are_taken(house: House) -> None:
    body = b"x" * 3_000_000
    post = b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" % len(body)
    heard = house.answer(post + b"\r\n" + body + GET + b"\r\n" + post + LAST + body)
    assert [line for line in heard.split(b"\r\n") if line.startswith(b"read")] == [
        b"read 3000000, 2 headersHTTP/1.1 200 OK",
        b"read 0, 1 headersHTTP/1.1 200 OK",
        b"read 3000000, 3 headers",
    ]


@pytest.mark.parametrize("size", [LARGEST_HEAD - 1, LARGEST_HEAD, LARGEST_HEAD + 1, 2 * LARGEST_HEAD])
@pytest.mark.parametrize("kind", [b"", b"Connection: Upgrade\r\nUpgrade: h2c\r\n"])
def test_a_whole_request_in_one_packet_is_taken_whatever_its_size(house: House, size: int, kind: bytes) -> None:
    head = b"POST /read HTTP/1.1\r\nHost: x\r\n%sContent-Length: %%d\r\n\r\n" % kind
    body = b"x" * (size - len(head % size))
    with house.connected() as client:
        client.sendall(head % len(body) + body)
        assert client.recv(1000).startswith(b"HTTP/1.1 200 OK")


def test_what_came_before_it_does_not_count_for_a_head(house: House) -> None:
    post = b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 31900\r\n\r\n" + b"x" * 31_900
    with house.connected() as client:
        client.sendall(post)
        while b"read 31900" not in client.recv(1000):
            pass
        client.sendall(GET + b"a: " + b"x" * 900)
        time.sleep(0.1)  # so that it comes in two pieces
        client.sendall(b"x" * 900 + b"\r\n" + LAST)
        assert rest(client).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("drop", [b"", b"\r\n", b"a"])
def test_a_head_has_a_deadline(house: House, drop: bytes) -> None:
    with house.connected() as client:
        drips(client, drop)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(("begun", "drop"), [(b"", b"\r\n"), (GET, b"a")])
def test_the_next_one_has_a_deadline_too(house: House, begun: bytes, drop: bytes) -> None:
    with house.connected() as client:
        client.sendall(GET + b"\r\n")
        heard = b""
        while b"read 0" not in heard:
            heard += client.recv(1000)
        client.sendall(begun)
        drips(client, drop)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("path", [b"read", b"refuse"])
def test_a_body_that_comes_byte_by_byte_is_cut(house: House, path: bytes) -> None:
    with house.connected() as client:
        client.sendall(b"POST /" + path + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        drips(client, b"x")


@pytest.mark.usefixtures("hurried")
def test_who_waits_for_us_has_no_deadline_and_who_sends_steadily_has_time(house: House) -> None:
    house.going_on = False
    with house.connected() as waiting, house.connected() as sending, house.connected() as idle:
        waiting.sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\n" + LAST)
        sending.sendall(b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" % 1_200_000 + LAST)
        for _ in range(40):
            sending.sendall(b"x" * 30_000)
            time.sleep(QUICK_S / 20)  # the pace of a sender, in all twice the deadline
        assert rest(idle) == b""
        house.going_on = True
        assert rest(waiting).endswith(b"waited")
        assert b"read 1200000" in rest(sending)


@pytest.mark.usefixtures("hurried")
def test_who_asks_and_does_not_read_is_cut(house: House) -> None:
    with house.connected() as client:
        client.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        eventually(lambda: house.limiter.open == 1)
        eventually(lambda: house.limiter.open == 0)


def test_who_reads_slowly_but_steadily_is_not_cut(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.protocol.STALL_S", 1.0)
    with house.connected() as client:
        client.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        for _ in range(60):
            client.recv(16_384)
            time.sleep(0.05)  # the pace of a reader: a third of a megabyte a second
        assert house.limiter.open == 1


@pytest.mark.usefixtures("hurried")
def test_who_waited_for_us_has_its_time_when_we_read_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.protocol.STALL_S", 1.0)
    house.going_on = False
    with house.connected() as client:
        client.sendall(b"POST /read_later HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n" + LAST + b"x" * 100_000)
        time.sleep(0.8)  # most of its time, in which we do not read
        house.going_on = True
        time.sleep(0.5)  # and a part of the time that it has now
        client.sendall(b"x" * 100_000)
        assert b"read 200000" in rest(client)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(("sent", "lines"), [(b"", 0), (b"GET", 1)])
def test_a_connection_that_is_never_used_is_no_warning(house: House, sent: bytes, lines: int) -> None:
    with capture_logs() as log, house.connected() as client:
        client.sendall(sent)
        assert rest(client) == b""
    assert len(log) == lines


def test_one_address_has_only_so_many_connections(house: House) -> None:
    held = [house.connected() for _ in range(4)]
    eventually(lambda: house.limiter.open == 4)
    with house.connected() as fifth:
        assert rest(fifth) == b""
    held.pop().close()
    eventually(lambda: house.limiter.open == 3)
    assert b"200 OK" in house.answer(GET + LAST)
    for one in held:
        with closing(one):
            pass
