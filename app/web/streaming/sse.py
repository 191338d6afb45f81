"""Server-sent events over HTTP: how one is written, and the response that sends them."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable

from app.web.streaming.byte_stream import ByteStream

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


class EventStream(ByteStream):
    """Sends frames, until they end or the client disconnects."""

    def __init__(self, frames: AsyncGenerator[bytes, None], *, ended: Callable[[], None]) -> None:
        """`ended`: called at the end, whatever the cause."""
        super().__init__(frames, headers=_HEADERS, ended=ended, first=f"retry: {RETRY_MS}\n\n".encode())
