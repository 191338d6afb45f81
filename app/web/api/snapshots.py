"""Snapshots: search, read, change and delete them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.journal.edits import NoteChanged
from app.journal.entries import Correction, Filter
from app.web import audit
from app.web.access.caller import Caller, caller_of
from app.web.api import request_models, response_models, selection_models, validation
from app.web.api.common import ERRORS, FAILURES, error
from app.web.api.deletions import hidden_json
from app.web.api.filters import filter_of, place_of
from app.web.api.frames import frame_json, frames_of
from app.web.api.operation import BodySpec, Operation, ResponseSpec, json_of
from app.web.api.param_types import at_home, cursor
from app.web.api.serialize import entry_json, entry_of, moment_json
from app.web.context import WebContext
from app.web.deletion import hide, remove
from app.web.errors import BadRequest, Conflict, NotFound

UNKNOWN = {404: error("There is no such snapshot.")}
HEAT = timedelta(days=28)


class SnapshotEndpoints:
    """The endpoints of snapshots, and of labels and the heat map."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def operations(self) -> list[Operation]:
        one = "/api/snapshots/{id}"
        return [
            Operation(
                "GET",
                "/api/snapshots",
                self.list_snapshots,
                "Snapshots, newest first",
                {
                    200: json_of("A page of them.", response_models.SnapshotPageModel),
                    **ERRORS,
                    404: error("No such camera."),
                },
                query=request_models.SearchParams,
            ),
            Operation(
                "GET",
                one,
                self.get_snapshot,
                "One snapshot",
                {
                    200: json_of("What is known about it.", response_models.SnapshotWithRelatedModel),
                    **ERRORS,
                    **UNKNOWN,
                },
                query=request_models.NoParams,
            ),
            Operation(
                "PATCH",
                one,
                self.change_snapshot,
                "Star it, review it, note something, correct what is in it",
                {
                    200: json_of("As it is now.", response_models.SnapshotModel),
                    **ERRORS,
                    **UNKNOWN,
                    409: error("Somebody else has changed the note meanwhile."),
                    **FAILURES,
                },
                query=request_models.NoParams,
                body=BodySpec({"application/json": request_models.ChangeBody}),
            ),
            Operation(
                "DELETE",
                one,
                self.delete_snapshot,
                "Delete it and its picture here; archives keep theirs",
                {
                    202: json_of("It is hidden, and gone in a while.", selection_models.DeletionModel),
                    204: ResponseSpec("It is gone."),
                    **ERRORS,
                    **UNKNOWN,
                    **FAILURES,
                },
                query=selection_models.DeleteParams,
            ),
            Operation(
                "GET",
                "/api/labels",
                self.list_labels,
                "Everything that was seen",
                {200: json_of("Sorted.", response_models.LabelsModel), **ERRORS},
                query=request_models.NoParams,
            ),
            Operation(
                "GET",
                "/api/heat",
                self.heat,
                "When how much happened",
                {200: json_of("The quarters of an hour in which something did.", response_models.HeatModel), **ERRORS},
                query=request_models.SpanParams,
            ),
        ]

    async def list_snapshots(self, request: Request) -> Response:
        search = validation.query(request, request_models.SearchParams)
        chosen = await filter_of(search, self._context, caller_of(request))
        before = place_of(search, self._context)
        # One more than asked for shows whether there is a next page.
        limit = search.limit
        page = self._context.index.page
        entries = await run_in_threadpool(lambda: page(chosen, before=before, limit=limit + 1))
        shown, more = entries[:limit], len(entries) > limit
        return JSONResponse(
            {
                "snapshots": [entry_json(entry, self._context.site) for entry in shown],
                "next": cursor(shown[-1].place) if more else None,
            }
        )

    async def get_snapshot(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        entry = await entry_of(self._context, request.path_params["id"])
        related = await run_in_threadpool(self._related, entry.id, caller_of(request))
        frames = await run_in_threadpool(frames_of, self._context.journal, entry.id)
        pictures = [frame_json(one, self._context.site) for one in frames]
        steps = await run_in_threadpool(self._context.journal.timeline, entry.id)
        return JSONResponse(
            {
                **entry_json(entry, self._context.site),
                "related": related,
                "frame_pictures": pictures,
                "timeline": [{**step._asdict(), "at": moment_json(step.at)} for step in steps],
            }
        )

    async def change_snapshot(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        change = await validation.body(request, request_models.ChangeBody, required=True)
        wanted = request.path_params["id"]
        named = change.model_fields_set
        labels = change.corrected_labels
        correction = Correction(None if labels is None else tuple(dict.fromkeys(labels)))
        audit.say(request, ", ".join(sorted(named - {"note_was"})))
        try:
            entry = await run_in_threadpool(
                lambda: self._context.index.change(
                    wanted,
                    starred=change.starred if "starred" in named else None,
                    reviewed=change.reviewed if "reviewed" in named else None,
                    note=change.note if "note" in named else None,
                    note_was=change.note_was,
                    correction=correction if "corrected_labels" in named else None,
                )
            )
        except NoteChanged as error:
            raise Conflict(error.code, f"{error.detail}; it is now {error.note!r}") from None
        if entry is None:
            raise NotFound("unknown_snapshot", f"no snapshot {wanted[:60]!r}")
        return JSONResponse(entry_json(entry, self._context.site))

    async def delete_snapshot(self, request: Request) -> Response:
        undo = validation.query(request, selection_models.DeleteParams).undo
        wanted = request.path_params["id"]
        if undo:
            hidden = await run_in_threadpool(lambda: hide(self._context, [wanted], seconds=undo))
            return JSONResponse(hidden_json(hidden), status_code=202)
        if not await remove(self._context, wanted):
            raise NotFound("unknown_snapshot", f"no snapshot {wanted[:60]!r}")
        return Response(status_code=204)

    async def list_labels(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        cameras = caller_of(request).cameras
        return JSONResponse({"labels": await run_in_threadpool(self._context.index.label_names, cameras)})

    async def heat(self, request: Request) -> Response:
        span = validation.query(request, request_models.SpanParams)
        zone = self._context.zone
        until = at_home(span.until, zone) if span.until else datetime.now(UTC)
        try:
            since = at_home(span.since, zone) if span.since else until - HEAT
        except OverflowError:
            raise BadRequest("bad_parameter", "until is too long ago") from None
        seen = Filter(cameras=caller_of(request).cameras)
        quarters = await run_in_threadpool(self._context.index.heat, since, until, seen)
        return JSONResponse(
            {
                "quarters": [
                    {
                        "start": datetime.fromtimestamp(quarter.start, UTC).isoformat(),
                        "snapshots": quarter.snapshots,
                        "persons": quarter.persons,
                    }
                    for quarter in quarters
                ]
            }
        )

    def _related(self, snapshot_id: str, caller: Caller) -> list[str]:
        index = self._context.index
        return [other for other in index.related(snapshot_id) if caller.sees(index.camera_of(other) or "")]
