"""Hooks: addresses that other programs call with JSON of their own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.messages import Trigger
from app.sources.hooks import Hook, PayloadRefused
from app.web import forms
from app.web.api import request_models, response_models, validation
from app.web.api.common import ERRORS, FAILURES, accepted, error, require_camera
from app.web.api.operation import BodySpec, Operation, json_of
from app.web.context import WebContext
from app.web.errors import BadRequest, NotFound, TooLarge, Unprocessable
from app.wire import fields
from pylib.errors import Permanent

LARGEST_BODY = 1_000_000
"""Bytes of JSON."""
MOST_VALUES = 20_000
"""Of maps and lists together: the parser holds the interpreter, a third of a second for a megabyte of them."""


class HookEndpoints:
    """The endpoint of hooks."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "POST",
                "/api/hooks/{hook}",
                self.call_hook,
                "Have a picture taken, if this JSON says so by the hook's settings",
                {
                    200: json_of("The hook's condition does not hold: nothing happens.", response_models.IgnoredModel),
                    202: json_of("The trigger is on the disk.", response_models.AcceptedModel),
                    404: error("There is no such hook."),
                    413: error(f"More than {LARGEST_BODY} bytes, or {MOST_VALUES} values."),
                    422: error("A field that the hook reads is not there, or wrong; the sentence names it."),
                    **ERRORS,
                    **FAILURES,
                },
                query=request_models.NoParams,
                body=BodySpec({"application/json": {}}),
                headers=("traceparent", "baggage"),
            )
        ]

    async def call_hook(self, request: Request) -> Response:
        """202 with the event id once the trigger is recorded, or 200 with why there is none."""
        validation.query(request, request_models.NoParams)
        hook = self._hook(request.path_params["hook"])
        async with aclosing(forms.capped(request, most=LARGEST_BODY)) as chunks:
            body = b"".join([chunk async for chunk in chunks])
        found = await run_in_threadpool(_read, hook, body, request.headers)
        if isinstance(found, str):
            return JSONResponse({"ignored": found})
        require_camera(request, found.camera)
        await run_in_threadpool(self._context.intake.submit, found)
        return await accepted(self._context, found.id, waited=False)

    def _hook(self, name: str) -> Hook:
        hook = self._context.hooks.get(name)
        if hook is None:
            raise NotFound("unknown_hook", f"no hook {name[:60]!r}: the setting `hooks` has them")
        return hook


def _read(hook: Hook, body: bytes, headers: Mapping[str, str]) -> Trigger | str:
    """The trigger in a body, or why there is none. Raises `BadRequest`, `TooLarge`, `Unprocessable`."""
    if sum(body.count(sign) for sign in (b",", b"[", b"{")) > MOST_VALUES:
        raise TooLarge("too_large", f"this may have at most {MOST_VALUES} values")
    try:
        payload = fields.from_json(body)
    except Permanent as error:
        raise BadRequest(error.code, error.detail) from None
    try:
        return hook.unmet(payload) or hook.trigger(
            payload, traceparent=headers.get("traceparent", ""), baggage=headers.get("baggage", "")
        )
    except PayloadRefused as refused:
        raise Unprocessable(refused.code, refused.detail) from None
