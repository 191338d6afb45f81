"""Deletions: of many snapshots that can be taken back, and of all of a camera or a time."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.journal.deletion import Doomed
from app.journal.entries import Extent
from app.web import audit, deletion
from app.web.access.caller import Caller, caller_of
from app.web.api import request_models, selection_models, validation
from app.web.api.common import ERRORS, FAILURES, error
from app.web.api.filters import device_key
from app.web.api.operation import BodySpec, Operation, json_of
from app.web.api.param_types import at_home
from app.web.context import WebContext
from app.web.errors import BadRequest

Scope = selection_models.DeletionRequestBody | selection_models.DeletionScopeParams


class DeletionEndpoints:
    """The endpoints of deletions."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "GET",
                "/api/deletions/preview",
                self.preview_deletion,
                "How much all of a camera or a time is, before it is deleted",
                {
                    200: json_of("So much.", selection_models.DeletionPreviewModel),
                    **ERRORS,
                    404: error("There is no such camera."),
                    **FAILURES,
                },
                query=selection_models.DeletionScopeParams,
            ),
            Operation(
                "POST",
                "/api/deletions",
                self.delete_snapshots,
                "Delete many: by their ids, which can be taken back, or all of a camera or a time, as a job",
                {
                    202: json_of("They are gone in a while.", selection_models.DeletionModel),
                    **ERRORS,
                    404: error("There is no such camera, or no such picture."),
                    409: error("There is another number of them; the sentence says how many."),
                    422: error("An archive cannot delete."),
                    **FAILURES,
                },
                query=request_models.NoParams,
                body=BodySpec({"application/json": selection_models.DeletionRequestBody}),
            ),
            Operation(
                "POST",
                "/api/deletions/{id}/undo",
                self.undo_deletion,
                "Take a deletion back",
                {
                    200: json_of("They are there again.", selection_models.TakenBackModel),
                    **ERRORS,
                    409: error("It is too late."),
                    **FAILURES,
                },
                query=request_models.NoParams,
            ),
        ]

    async def preview_deletion(self, request: Request) -> Response:
        scope = validation.query(request, selection_models.DeletionScopeParams)
        doomed = await doomed_of(scope, self._context, caller_of(request))
        totals = await run_in_threadpool(self._context.journal.doomed_totals, doomed)
        return JSONResponse({"count": totals.count, "size": totals.size, "starred": totals.starred, **self._at(totals)})

    async def delete_snapshots(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        body = await validation.section(request, selection_models.DeletionRequestBody)
        if body.ids:
            hidden = await run_in_threadpool(lambda: deletion.hide(self._context, body.ids, seconds=body.undo))
            audit.say_pictures(request, hidden.ids)
            return JSONResponse(hidden_json(hidden), status_code=202)
        count = body.count
        if count is None:
            raise BadRequest("bad_field", "ids: name the snapshots, or say by count how many there are")
        doomed = await doomed_of(body, self._context, caller_of(request))
        await run_in_threadpool(lambda: deletion.delete_all(self._context, doomed, count=count, archives=body.archives))
        audit.say_doomed(request, doomed, count, body.archives)
        return JSONResponse({"count": count, "undo": None, "until": None}, status_code=202)

    async def undo_deletion(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        ids = await run_in_threadpool(deletion.take_back, self._context, request.path_params["id"])
        audit.say_pictures(request, ids)
        return JSONResponse({"ids": ids})

    def _at(self, totals: Extent) -> dict[str, Any]:
        archives = [
            {"name": one.name, "copies": totals.archived.get(one.name, 0), "can_delete": one.removes}
            for one in self._context.archives
        ]
        return {"archives": archives}


def hidden_json(hidden: deletion.Hidden) -> dict[str, Any]:
    """What was deleted and can be taken back."""
    return {"count": len(hidden.ids), "undo": hidden.handle, "until": hidden.until.isoformat()}


async def doomed_of(scope: Scope, context: WebContext, caller: Caller) -> Doomed:
    """What these parameters select. Raises `NotFound` for a camera that never was."""
    return Doomed(
        since=at_home(scope.since, context.zone) if scope.since else None,
        until=at_home(scope.until, context.zone) if scope.until else None,
        camera=await device_key(scope.camera, context, caller) if scope.camera else "",
    )
