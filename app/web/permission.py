"""What the guard let in may do: the right that each route takes, the caller's cameras, and the audit log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web import audit
from app.web.access.caller import Caller, caller_of
from app.web.access.csrf import SAFE
from app.web.access.rights import Rule, named_in, rule_of
from app.web.api.filters import device_key
from app.web.context import WebContext
from app.web.errors import Forbidden, NotFound, RequestRefused
from app.web.films import film_is_seen_by

Refuse = Callable[[Request, Exception], Awaitable[Response]]
"""Makes the response for a refusal."""


def still(request: Request, context: WebContext) -> Callable[[], bool]:
    """Whether the request may still go on: its caller is neither logged out, nor deleted, nor has another right."""
    caller = caller_of(request)
    return lambda: not caller.is_known or caller.narrow or context.access.is_still(caller, request)


class Permission:
    """ASGI middleware behind the guard; decides by the route that will answer, as `rights.RULES` has it."""

    def __init__(self, app: ASGIApp, *, routes: Sequence[BaseRoute], context: WebContext, refuse: Refuse) -> None:
        self._app = app
        self._routes = routes
        self._context = context
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        caller, changes = caller_of(request), scope["method"] not in SAFE
        # The route is looked for only where it matters: that takes longer than all else here.
        template, params = self._route(scope) if changes or caller.is_limited else ("", {})
        if not template:
            await self._app(scope, receive, send)
            return
        rule = rule_of(scope["method"], template)
        try:
            if caller.is_known and not caller.narrow:
                await self._check(caller, rule, template, params)
        except RequestRefused as error:
            await (await self._refuse(request, error))(scope, receive, send)
            return
        recorded = partial(self._recorded, request, rule.action, params, send) if changes and rule.action else send
        await self._app(scope, receive, recorded)

    def _route(self, scope: Scope) -> tuple[str, dict[str, object]]:
        """Template and parameters of the route that will answer; empty where none will."""
        for route in self._routes:
            match, child = route.matches(scope)
            if match is Match.FULL:
                return str(getattr(route, "path_format", "")), child["path_params"]
        return "", {}

    async def _check(self, caller: Caller, rule: Rule, template: str, params: dict[str, object]) -> None:
        """Raise `Forbidden` or `NotFound` for what this caller may not do."""
        if not caller.may(rule.right):
            raise Forbidden("forbidden", f"this takes the right of {_A[rule.right.word]}; yours is {caller.right.word}")
        if not caller.cameras or rule.own:
            return
        names = named_in(template)
        if not names:
            raise Forbidden("forbidden_cameras", "this is about all cameras, and you may see some of them only")
        if not await self._sees(caller, names, str(params.get("id") or params.get("name"))):
            raise NotFound(f"unknown_{names}", f"there is no such {'picture' if names == 'snapshot' else names}")

    async def _sees(self, caller: Caller, names: str, wanted: str) -> bool:
        if names == "camera":
            return caller.sees(await device_key(wanted, self._context, caller))
        if names == "film":
            return await run_in_threadpool(film_is_seen_by, self._context, wanted, caller)
        camera = await run_in_threadpool(self._context.index.camera_of, wanted)
        return camera is not None and caller.sees(camera)

    async def _recorded(
        self, request: Request, action: str, params: dict[str, object], send: Send, message: Message
    ) -> None:
        if message["type"] == "http.response.start" and audit.is_due(request, message["status"]):
            audit.record(self._context, request, action, subject=str(next(iter(params.values()), "")))
        await send(message)


_A = {"viewer": "a viewer", "operator": "an operator", "admin": "an admin"}
