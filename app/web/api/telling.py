"""What people switch by hand: the home's mode, and snoozes."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.rules.telling import Snooze
from app.web import audit
from app.web.api import request_models, response_models, rule_models, validation
from app.web.api.common import ERRORS, FAILURES, error
from app.web.api.operation import BodySpec, Operation, ResponseSpec, json_of
from app.web.api.serialize import moment_json
from app.web.context import WebContext
from app.web.rules import snoozable


class TellingEndpoints:
    """The endpoints of mode and snoozes."""

    def __init__(self, context: WebContext) -> None:
        self._telling = context.telling
        self._context = context

    def operations(self) -> list[Operation]:
        one, unknown = "/api/snoozes/{name:path}", {404: error("There is no such camera.")}
        mode = json_of("The mode now.", response_models.ModeModel)
        return [
            Operation(
                "GET",
                "/api/mode",
                self.get_mode,
                "The home's mode",
                {200: mode, **ERRORS, **FAILURES},
                query=request_models.NoParams,
            ),
            Operation(
                "PUT",
                "/api/mode",
                self.set_mode,
                "Switch the home's mode",
                {200: mode, **ERRORS, **FAILURES},
                query=request_models.NoParams,
                body=BodySpec({"application/json": rule_models.SwitchModeBody}),
            ),
            Operation(
                "GET",
                "/api/snoozes",
                self.list_snoozes,
                "Cameras of which no messages are sent for a while",
                {200: json_of("All that last.", response_models.SnoozesModel), **ERRORS, **FAILURES},
                query=request_models.NoParams,
            ),
            Operation(
                "PUT",
                one,
                self.snooze,
                "No messages of a camera, or of `all`, for so long",
                {200: json_of("Until when.", response_models.SnoozeModel), **ERRORS, **unknown, **FAILURES},
                query=request_models.NoParams,
                body=BodySpec({"application/json": rule_models.SnoozeForBody}, required=False),
            ),
            Operation(
                "DELETE",
                one,
                self.wake,
                "Messages of a camera, or of `all`, again",
                {204: ResponseSpec("It is ended, or there was none."), **ERRORS, **unknown, **FAILURES},
                query=request_models.NoParams,
            ),
        ]

    async def get_mode(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        return JSONResponse({"mode": await run_in_threadpool(lambda: self._telling.mode)})

    async def set_mode(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        wanted = await validation.body(request, rule_models.SwitchModeBody, required=True)
        await run_in_threadpool(self._telling.set_mode, wanted.mode)
        audit.say(request, wanted.mode)
        return JSONResponse({"mode": wanted.mode})

    async def list_snoozes(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        snoozes = await run_in_threadpool(lambda: self._telling.snoozes)
        return JSONResponse({"snoozes": [_said(snooze) for snooze in snoozes]})

    async def snooze(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        camera = snoozable(self._context, request.path_params["name"])
        seconds = (await validation.body(request, rule_models.SnoozeForBody)).seconds
        snooze = await run_in_threadpool(lambda: self._telling.snooze(camera, seconds=seconds))
        return JSONResponse(_said(snooze))

    async def wake(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        await run_in_threadpool(self._telling.wake, snoozable(self._context, request.path_params["name"]))
        return Response(status_code=204)


def _said(snooze: Snooze) -> dict[str, Any]:
    return {"camera": snooze.camera or None, "until": moment_json(snooze.until)}
