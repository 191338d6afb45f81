"""Many snapshots at once: star them, take them away as a ZIP."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.journal.entries import Filter
from app.web import audit, export, selection
from app.web.access.caller import Caller, caller_of
from app.web.api import request_models, selection_models, validation
from app.web.api.common import ERRORS, FAILURES, error
from app.web.api.filters import filter_of
from app.web.api.operation import BodySpec, Operation, ResponseSpec, json_of
from app.web.context import WebContext
from app.web.errors import BadRequest

ZIP = "/api/export.zip"


class SelectionEndpoints:
    """The endpoints of many snapshots."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def operations(self) -> list[Operation]:
        zipped: dict[int, ResponseSpec] = {
            200: ResponseSpec(
                "Each picture as `YYYY-MM-DD/HH-MM-SS camera id.jpg`, and `snapshots.csv` with what is known.",
                {"application/zip": None},
            ),
            **ERRORS,
            404: error("There is no such camera, or no such picture."),
            413: error("More than one ZIP takes; the sentence says how much that is."),
            **FAILURES,
        }
        return [
            Operation(
                "PATCH",
                "/api/snapshots",
                self.change_snapshots,
                "Change many at once, by their ids or by what a search finds",
                {
                    200: json_of("They are changed.", selection_models.ChangedModel),
                    **ERRORS,
                    404: error("No such camera."),
                    409: error("The search finds another number of them."),
                    **FAILURES,
                },
                query=request_models.FilterParams,
                body=BodySpec({"application/json": selection_models.ManyChangesBody}),
            ),
            Operation(
                "GET",
                ZIP,
                self.export_found,
                "What a search finds, as one ZIP",
                zipped,
                query=request_models.FilterParams,
            ),
            Operation(
                "POST",
                ZIP,
                self.export_selected,
                "These snapshots as one ZIP",
                zipped,
                query=request_models.NoParams,
                body=BodySpec({"application/json": selection_models.SelectedBody}),
            ),
            Operation(
                "GET",
                "/api/export",
                self.export_size,
                "How much that ZIP would be",
                {
                    200: json_of("So much.", selection_models.ExportSizeModel),
                    **ERRORS,
                    404: error("There is no such camera."),
                    **FAILURES,
                },
                query=request_models.FilterParams,
            ),
        ]

    async def change_snapshots(self, request: Request) -> Response:
        search = validation.query(request, request_models.FilterParams)
        body = await validation.section(request, selection_models.ManyChangesBody)
        caller = caller_of(request)
        ids = await self._chosen(body, search, caller)
        changed = await run_in_threadpool(
            lambda: selection.change(self._context, ids, starred=body.starred, reviewed=body.reviewed)
        )
        audit.say_pictures(request, changed)
        return JSONResponse({"changed": changed})

    async def export_found(self, request: Request) -> Response:
        search = validation.query(request, request_models.FilterParams)
        return await export.zip_of(self._context, await filter_of(search, self._context, caller_of(request)))

    async def export_selected(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        body = await validation.section(request, selection_models.SelectedBody)
        audit.say_pictures(request, body.ids)
        return await export.zip_of(self._context, Filter(ids=body.ids, cameras=caller_of(request).cameras))

    async def export_size(self, request: Request) -> Response:
        search = validation.query(request, request_models.FilterParams)
        totals = await export.totals_of(self._context, await filter_of(search, self._context, caller_of(request)))
        refused = export.refusal(totals)
        said: dict[str, Any] = {"count": totals.count, "size": totals.size, "possible": refused is None}
        return JSONResponse({**said, "reason": refused.detail if refused else ""})

    async def _chosen(
        self, body: selection_models.ManyChangesBody, search: request_models.FilterParams, caller: Caller
    ) -> list[str]:
        if body.ids:
            return await run_in_threadpool(selection.seen_by, self._context, body.ids, caller)
        count = body.count
        if count is None:
            raise BadRequest("bad_field", "ids: name the snapshots, or say by count how many the search finds")
        wanted = await filter_of(search, self._context, caller)
        return await run_in_threadpool(lambda: selection.found(self._context, wanted, count=count))
