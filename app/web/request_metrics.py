"""Counts requests by route, never by path, since every label is a series for ever."""

from __future__ import annotations

import time
from collections.abc import Sequence

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.context import Traffic

METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "DELETE", "PUT", "OPTIONS"})


class Counting:
    """ASGI middleware that reports every response to `traffic` when it begins: a stream may last for days."""

    def __init__(self, app: ASGIApp, *, routes: Sequence[BaseRoute], traffic: Traffic) -> None:
        self._app = app
        self._routes = routes
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        method = scope["method"] if scope["method"] in METHODS else "other"

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                seconds = time.monotonic() - began
                self._traffic.request(self._route(scope), method=method, status=message["status"], seconds=seconds)
            await send(message)

        await self._app(scope, receive, counted)

    def _route(self, scope: Scope) -> str:
        """The template of its route, whether it gets that far or is rejected before; empty when it has none."""
        for route in self._routes:
            if route.matches(scope)[0] is not Match.NONE:
                return str(getattr(route, "path_format", ""))
        return ""
