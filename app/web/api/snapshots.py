"""Snapshots: looking for them, looking at one, saying something about it, and doing away with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.journal.entries import Correction
from app.web.api import answers, questions, reading
from app.web.api.common import ERRORS, FAILURES, error
from app.web.api.entries import entry_json, entry_of
from app.web.api.operation import Answer, Body, Operation, json_of
from app.web.api.search import filter_of, place_of
from app.web.api.values import at_home, cursor
from app.web.errors import BadRequest, NotFound
from app.web.parts import Parts
from app.web.removal import remove

UNKNOWN = {404: error("There is no such snapshot.")}
HEAT = timedelta(days=28)


class Snapshots:
    """The endpoints of snapshots and of what there is to look for."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def operations(self) -> list[Operation]:
        one = "/api/snapshots/{id}"
        return [
            Operation(
                "GET",
                "/api/snapshots",
                self.list_snapshots,
                "Snapshots, newest first",
                {200: json_of("A page of them.", answers.SnapshotPage), **ERRORS, 404: error("No such camera.")},
                query=questions.Search,
            ),
            Operation(
                "GET",
                one,
                self.get_snapshot,
                "One snapshot",
                {200: json_of("What is known about it.", answers.SnapshotWithRelated), **ERRORS, **UNKNOWN},
                query=questions.Nothing,
            ),
            Operation(
                "PATCH",
                one,
                self.change_snapshot,
                "Star it, note something, correct what is in it",
                {200: json_of("As it is now.", answers.Snapshot), **ERRORS, **UNKNOWN, **FAILURES},
                query=questions.Nothing,
                body=Body({"application/json": questions.Change}),
            ),
            Operation(
                "DELETE",
                one,
                self.delete_snapshot,
                "Do away with it and its picture here; archives keep theirs",
                {204: Answer("It is gone."), **ERRORS, **UNKNOWN, **FAILURES},
                query=questions.Nothing,
            ),
            Operation(
                "GET",
                "/api/labels",
                self.list_labels,
                "Everything that was seen",
                {200: json_of("Sorted.", answers.Labels), **ERRORS},
                query=questions.Nothing,
            ),
            Operation(
                "GET",
                "/api/heat",
                self.heat,
                "When how much happened",
                {200: json_of("The quarters of an hour in which something did.", answers.Heat), **ERRORS},
                query=questions.Span,
            ),
        ]

    async def list_snapshots(self, request: Request) -> Response:
        search = reading.query(request, questions.Search)
        chosen = await filter_of(search, self._parts)
        before = place_of(search, self._parts)
        # One more than asked for: whether there is a next page.
        limit = search.limit
        page = self._parts.journal.page
        entries = await run_in_threadpool(lambda: page(chosen, before=before, limit=limit + 1))
        shown, more = entries[:limit], len(entries) > limit
        return JSONResponse(
            {
                "snapshots": [entry_json(entry, self._parts.site) for entry in shown],
                "next": cursor(shown[-1].place) if more else None,
            }
        )

    async def get_snapshot(self, request: Request) -> Response:
        reading.query(request, questions.Nothing)
        entry = await entry_of(self._parts, request.path_params["id"])
        related = await run_in_threadpool(self._parts.journal.related, entry.id)
        return JSONResponse({**entry_json(entry, self._parts.site), "related": related})

    async def change_snapshot(self, request: Request) -> Response:
        reading.query(request, questions.Nothing)
        said = await reading.body(request, questions.Change, required=True)
        wanted = request.path_params["id"]
        named = said.model_fields_set
        labels = said.corrected_labels
        correction = Correction(None if labels is None else tuple(dict.fromkeys(labels)))
        entry = await run_in_threadpool(
            lambda: self._parts.journal.change(
                wanted,
                starred=said.starred if "starred" in named else None,
                note=said.note if "note" in named else None,
                correction=correction if "corrected_labels" in named else None,
            )
        )
        if entry is None:
            raise NotFound("unknown_snapshot", f"no snapshot {wanted[:60]!r}")
        return JSONResponse(entry_json(entry, self._parts.site))

    async def delete_snapshot(self, request: Request) -> Response:
        reading.query(request, questions.Nothing)
        wanted = request.path_params["id"]
        if not await remove(self._parts, wanted):
            raise NotFound("unknown_snapshot", f"no snapshot {wanted[:60]!r}")
        return Response(status_code=204)

    async def list_labels(self, request: Request) -> Response:
        reading.query(request, questions.Nothing)
        return JSONResponse({"labels": await run_in_threadpool(self._parts.journal.label_names)})

    async def heat(self, request: Request) -> Response:
        span = reading.query(request, questions.Span)
        zone = self._parts.zone
        until = at_home(span.until, zone) if span.until else datetime.now(UTC)
        try:
            since = at_home(span.since, zone) if span.since else until - HEAT
        except OverflowError:
            raise BadRequest("bad_parameter", "until is too long ago") from None
        quarters = await run_in_threadpool(self._parts.journal.heat, since, until)
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
