"""Looking again at pictures of the record, and what looking costs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.detectors import DetectorError
from app.jobs.redetect import Redetect, Redetection
from app.journal.entries import Entry
from app.web.access.caller import caller_of
from app.web.api import operation_models, request_models, response_models, validation
from app.web.api.common import ERRORS, FAILURES, error
from app.web.api.filters import device_key
from app.web.api.operation import BodySpec, Operation, json_of
from app.web.api.param_types import at_home
from app.web.api.serialize import entry_json
from app.web.context import WebContext
from app.web.errors import BadGateway, Conflict, NotFound, Unprocessable
from pylib.errors import Permanent


class DetectionEndpoints:
    """The endpoints of looking again."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "POST",
                "/api/snapshots/{id}/detection",
                self.look_again,
                "Have its picture looked at again, by all detectors that there are",
                {
                    200: json_of("As it is now.", response_models.SnapshotModel),
                    **ERRORS,
                    404: error("There is no such snapshot."),
                    409: error("It has no picture, or no detector is configured."),
                    502: error("The detector did not look; the sentence says why."),
                    **FAILURES,
                },
                query=request_models.NoParams,
            ),
            Operation(
                "POST",
                "/api/redetections",
                self.redetect,
                "Have all pictures of a time looked at again, as a job",
                {
                    202: json_of("They will be.", operation_models.RedetectionModel),
                    **ERRORS,
                    404: error("There is no such camera."),
                    422: error("There is no such detector."),
                    **FAILURES,
                },
                query=request_models.NoParams,
                body=BodySpec({"application/json": request_models.RedetectionRequestBody}),
            ),
            Operation(
                "GET",
                "/api/costs",
                self.costs,
                "What looking has cost this month",
                {200: json_of("By camera and by detector.", operation_models.CostsModel), **ERRORS, **FAILURES},
                query=request_models.NoParams,
            ),
        ]

    async def look_again(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        entry = await run_in_threadpool(look_again, self._context, request.path_params["id"])
        return JSONResponse(entry_json(entry, self._context.site))

    async def redetect(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        body = await validation.section(request, request_models.RedetectionRequestBody)
        zone, caller = self._context.zone, caller_of(request)
        camera = await device_key(body.camera, self._context, caller) if body.camera else ""
        until = at_home(body.until, zone) if body.until else datetime.now(UTC)
        wanted = Redetection(at_home(body.since, zone).astimezone(UTC), until.astimezone(UTC), camera, body.detector)
        return JSONResponse(await run_in_threadpool(self._enqueued, wanted), status_code=202)

    async def costs(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        return JSONResponse(await run_in_threadpool(costs_json, self._context))

    def _enqueued(self, wanted: Redetection) -> dict[str, Any]:
        journal = self._context.journal
        try:
            self._context.look_again.detector(wanted.detector)
        except Permanent as unknown:
            raise Unprocessable(unknown.code, unknown.detail) from None
        pictures = journal.count_to_look_again(since=wanted.since, until=wanted.until, camera=wanted.camera)
        journal.enqueue_job(Redetect.kind, wanted.key, wanted.arguments, again=True)
        return {"key": wanted.key, "pictures": pictures}


def look_again(context: WebContext, snapshot_id: str) -> Entry:
    """The entry with what is seen now. Raises `NotFound`, `Conflict`, `BadGateway`."""
    entry = context.journal.entry(snapshot_id)
    try:
        seen = context.look_again(entry, tier="both") if entry else None
    except DetectorError as failure:
        raise BadGateway(failure.code, failure.detail) from None
    except Permanent as refused:
        raise Conflict(refused.code, refused.detail) from None
    if seen is None:
        raise NotFound("unknown_snapshot", f"no snapshot {snapshot_id[:60]!r}")
    return seen


def costs_json(context: WebContext) -> dict[str, Any]:
    """What looking has cost this month."""
    cameras: dict[str, tuple[int, float]] = {}
    detectors = dict.fromkeys(context.monthly_calls, (0, 0.0))
    spent = context.spent()
    for one in spent:
        for sums, name in ((cameras, one.camera), (detectors, one.detector)):
            calls, cost = sums.get(name, (0, 0.0))
            sums[name] = calls + one.calls, cost + one.cost_usd
    return {
        "cost_usd": round(sum(one.cost_usd for one in spent), 6),
        "calls": sum(one.calls for one in spent),
        "cameras": [
            {"device_key": name, "calls": calls, "cost_usd": round(cost, 6)}
            for name, (calls, cost) in sorted(cameras.items(), key=lambda item: -item[1][1])
        ],
        "detectors": [
            {
                "detector": name,
                "calls": calls,
                "cost_usd": round(cost, 6),
                "monthly_calls": context.monthly_calls.get(name) or None,
            }
            for name, (calls, cost) in detectors.items()
        ],
    }
