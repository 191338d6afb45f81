"""Bans after wrong logins, at all servers: which there are, and lifting them."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.web.api import operation_models, request_models, validation
from app.web.api.common import ERRORS
from app.web.api.operation import Operation, json_of
from app.web.context import WebContext
from pylib.net.login_throttle import Ban


class BanEndpoints:
    """The endpoints of bans."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "GET",
                "/api/bans",
                self.list_bans,
                "The logins that are banned after wrong passwords",
                {200: json_of("All of them.", operation_models.BansModel), **ERRORS},
                query=request_models.NoParams,
            ),
            Operation(
                "POST",
                "/api/bans/lift",
                self.lift_bans,
                "Lift the bans of an address, or all",
                {200: json_of("They are lifted.", operation_models.LiftedModel), **ERRORS},
                query=request_models.LiftParams,
            ),
        ]

    async def list_bans(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        listed = [
            {
                "server": server,
                "address": ban.address,
                "login": ban.login,
                "until": ban.until.isoformat(timespec="seconds"),
                "failures": ban.failures,
            }
            for server, ban in bans_of(self._context)
        ]
        return JSONResponse({"bans": listed})

    async def lift_bans(self, request: Request) -> Response:
        address = validation.query(request, request_models.LiftParams).address
        return JSONResponse({"lifted": await run_in_threadpool(lift, self._context, address)})


def bans_of(context: WebContext) -> Iterator[tuple[str, Ban]]:
    """Each ban with its server."""
    for server, throttle in context.throttles.items():
        for ban in throttle.bans():
            yield server, ban


def lift(context: WebContext, address: str) -> int:
    """Lift the bans of an address at all servers, or all where none is named; returns how many."""
    return sum(throttle.lift(address) for throttle in context.throttles.values())
