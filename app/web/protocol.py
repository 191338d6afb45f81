"""One HTTP connection: uvicorn's protocol, with limits before anything is kept or asked."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import structlog
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from pylib.net.addresses import written
from pylib.net.limiter import HEAD_S, PACE, STALL_S, Progress

log = structlog.get_logger(__name__)

LARGEST_HEAD = 32 * 1024
"""Bytes of a request's line and headers, as far as they have come; httptools itself keeps any number."""
MOST_HEADERS = 100
SEND_BUFFER = 128 * 1024
"""Bytes that the system holds for a client: of what it holds we do not see how much is taken until much of it is."""


class Protocol(HttpToolsProtocol):
    """A connection, whose head, body and response each have a deadline while the client is the one to act."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._head = 0
        self._passed = False
        self._progress = Progress(STALL_S)
        self._deadline: asyncio.TimerHandle | None = None
        self._watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = _Flow(transport, self._resumed)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        transport.set_write_buffer_limits(0)  # so that we hear of whatever a client does not take
        self._expect(HEAD_S)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._expect(None)
        self.resume_writing()

    # -- the head ---------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Feed the parser, in pieces, so that a head without end ends at its limit."""
        if self._in_head and self._deadline is None:
            self._expect(HEAD_S)
        rest = memoryview(data)
        # Nothing is to be understood behind an upgrade: it is to a protocol that we do not speak.
        while rest and not self.transport.is_closing() and not self.parser.should_upgrade():
            self._passed = not self._in_head
            piece, rest = rest[:LARGEST_HEAD], rest[LARGEST_HEAD:]
            super().data_received(bytes(piece))
            if not self._passed:
                self._read_head(len(piece))

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self.headers) < MOST_HEADERS:
            super().on_header(name, value)
        else:
            self._refuse(431)

    def on_headers_complete(self) -> None:
        self._in_head, self._head, self._passed = False, 0, True
        if self.transport.is_closing():
            return
        self._expect(STALL_S)
        super().on_headers_complete()

    def _read_head(self, count: int) -> None:
        self._head += count
        if self._head >= LARGEST_HEAD:
            self._refuse(431 if self.headers else 414)

    def _refuse(self, status: int) -> None:
        if self.transport.is_closing():
            return
        log.warning("request refused", address=self._address, status=status)
        if self.cycle is None or self.cycle.response_complete:  # else it would stand within another response
            self.transport.write(STATUS_LINE[status] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()

    # -- the body ---------------------------------------------------------------------------------

    def on_body(self, body: bytes) -> None:
        if self._progress.made(len(body)):
            self._expect(STALL_S)
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_head = True
        # A body may come after its response: then the next head is what is due.
        self._expect(HEAD_S if self.cycle is None or self.cycle.response_complete else None)
        if not self.transport.is_closing():
            super().on_message_complete()

    def _resumed(self) -> None:
        if not self._in_head:
            self._expect(STALL_S)

    # -- the response -----------------------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_taking()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _watch_taking(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._watch = self.loop.call_later(STALL_S, self._look_what_is_taken, left)

    def _look_what_is_taken(self, before: int) -> None:
        if before - self.transport.get_write_buffer_size() < PACE * STALL_S:
            self._cut("it takes too little")
        else:
            self._watch_taking()

    # -- deadlines --------------------------------------------------------------------------------

    def _expect(self, seconds: float | None) -> None:
        """Give the client so many seconds for what it has to send; None while it has nothing to."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._late)

    def _late(self) -> None:
        self._deadline = None
        if self.flow.read_paused:  # then it waits for us, and has its time when we go on
            return
        if self._in_head and not self._head:  # a browser's spare connection
            self.transport.abort()
        else:
            self._cut("it sends too slowly")

    def _cut(self, reason: str) -> None:
        log.warning("connection cut", address=self._address, reason=reason)
        self.transport.abort()

    @property
    def _address(self) -> str:
        return written(self.client[0]) if self.client else ""


class _Flow(FlowControl):
    """Says when the application goes on reading."""

    def __init__(self, transport: asyncio.Transport, resumed: Callable[[], None]) -> None:
        super().__init__(transport)
        self._say_resumed = resumed

    def resume_reading(self) -> None:
        if self.read_paused:
            self._say_resumed()
        super().resume_reading()
