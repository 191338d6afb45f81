"""Server-sent events over HTTP: how one is written, and a response that lasts until one side ends it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

RETRY_MS = 3000
PING = b":\n\n"
"""A comment: proxies and networks forget connections on which nothing moves."""

_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would hold events back until it has a page of them
}
_LINE_ENDS = re.compile("\r\n|\n|\r")


def encoded(event_id: str, *, event: str, data: str) -> bytes:
    """One event as it goes over the wire (HTML standard, section 9.2)."""
    lines = "".join(f"data: {line}\n" for line in _LINE_ENDS.split(data))
    return f"id: {event_id}\nevent: {event}\n{lines}\n".encode()


class EventStream(Response):
    """Sends what `frames` yields, until it ends or the client disconnects.

    `cut` ends it at once, also when the client reads nothing.
    """

    def __init__(self, frames: AsyncGenerator[bytes, None], *, ended: Callable[[], None]) -> None:
        """`ended`: called at the end, whatever the cause."""
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._frames = frames
        self._ended = ended
        self._sending: asyncio.Task[None] | None = None

    def cut(self) -> None:
        """End it; from the event loop."""
        if self._sending is not None:
            self._sending.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        self._sending = asyncio.create_task(self._send_all(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait((self._sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._ended()
            leaving.cancel()
            self._sending.cancel()
            await asyncio.wait((self._sending, leaving))
        if not self._sending.cancelled():
            self._sending.result()

    async def _send_all(self, send: Send) -> None:
        await _send(send, f"retry: {RETRY_MS}\n\n".encode())
        async with aclosing(self._frames) as frames:
            async for frame in frames:
                await _send(send, frame)
        await send({"type": "http.response.body", "body": b""})


async def _send(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
