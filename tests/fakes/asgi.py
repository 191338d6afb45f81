"""Asks an ASGI application directly: any path, header and client address, also those that no client would send."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message

LAN = "192.168.1.77"
HERE = "127.0.0.1"


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Headers
    body: bytes = b""
    scope: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def cookie(self) -> str:
        """`name=value` of the cookie that was set."""
        return self.headers.get("set-cookie", "").partition(";")[0]


def ask(
    app: ASGIApp,
    path: str = "/",
    *,
    method: str = "GET",
    headers: Iterable[tuple[str, str]] = (),
    client: str | None = LAN,
    host: str | None = "nas.local:8080",
    form: dict[str, str] | None = None,
    body: bytes = b"",
) -> Answer:
    """One request. `path` as routing sees it (decoded), with a query behind its first `?`."""
    path, _, query = path.partition("?")
    given = [*headers, *([("host", host)] if host is not None else [])]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in given],
        "client": (client, 50_000) if client else None,
        "server": ("192.168.1.4", 8080),
    }
    return asyncio.run(_ask(app, scope, urlencode(form).encode() if form is not None else body))


async def _ask(app: ASGIApp, scope: dict[str, Any], body: bytes) -> Answer:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, *rest = sent
    content = b"".join(message.get("body", b"") for message in rest)
    return Answer(start["status"], Headers(raw=list(start["headers"])), content, scope)
