"""A response that lasts until what it sends ends, or the client has gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class ByteStream(Response):
    """Sends what `chunks` yields, until it ends or the client disconnects.

    `cut` ends it at once, also when the client reads nothing.
    """

    def __init__(
        self,
        chunks: AsyncGenerator[bytes | memoryview, None],
        *,
        headers: Mapping[str, str],
        ended: Callable[[], None],
        first: bytes = b"",
    ) -> None:
        """`ended`: called at the end, whatever the cause; `first`: sent before anything else."""
        super().__init__(headers=headers)
        del self.headers["content-length"]
        self._chunks = chunks
        self._ended = ended
        self._first = first
        self._sending: asyncio.Task[None] | None = None

    def cut(self) -> None:
        """End it; from the event loop."""
        if self._sending is not None:
            self._sending.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b""})
                return
            self._sending = asyncio.create_task(self._send_all(send))
            leaving = asyncio.create_task(_left(receive))
            try:
                await asyncio.wait((self._sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            finally:
                leaving.cancel()
                self._sending.cancel()
                await asyncio.wait((self._sending, leaving))
        finally:
            self._ended()
        if not self._sending.cancelled():
            self._sending.result()

    async def _send_all(self, send: Send) -> None:
        if self._first:
            await _send(send, self._first)
        async with aclosing(self._chunks) as chunks:
            async for chunk in chunks:
                await _send(send, chunk)
        await send({"type": "http.response.body", "body": b""})


async def _send(send: Send, data: bytes | memoryview) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
