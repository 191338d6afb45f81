"""Visits: what one camera saw within a minute, and how many pictures a filter finds."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.journal import Filter, Visit
from app.journal.search_query import MOST_COUNTED
from app.web.access.caller import caller_of
from app.web.api import request_models, response_models, validation
from app.web.api.common import ERRORS, FAILURES, error
from app.web.api.filters import filter_of, place_of
from app.web.api.operation import BodySpec, Operation, json_of
from app.web.api.param_types import cursor
from app.web.api.serialize import entry_json
from app.web.context import WebContext
from app.web.errors import NotFound
from app.web.site import Site


class VisitEndpoints:
    """The endpoints of visits, and of the count of pictures."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "GET",
                "/api/visits",
                self.list_visits,
                "What cameras saw within a minute each, newest first",
                {
                    200: json_of("A page of them.", response_models.VisitPageModel),
                    **ERRORS,
                    404: error("No such camera."),
                },
                query=request_models.SearchParams,
            ),
            Operation(
                "PATCH",
                "/api/visits/{visit:int}",
                self.review,
                "Say whether somebody has looked at all of its pictures",
                {
                    200: json_of("How many there are.", response_models.ReviewedModel),
                    404: error("There is no such visit."),
                    **ERRORS,
                    **FAILURES,
                },
                query=request_models.NoParams,
                body=BodySpec({"application/json": request_models.ReviewBody}),
            ),
            Operation(
                "GET",
                "/api/count",
                self.count,
                "How many snapshots match",
                {200: json_of("So many.", response_models.CountModel), **ERRORS, 404: error("No such camera.")},
                query=request_models.FilterParams,
            ),
        ]

    async def list_visits(self, request: Request) -> Response:
        search = validation.query(request, request_models.SearchParams)
        chosen = await filter_of(search, self._context, caller_of(request))
        before, limit, visits = place_of(search, self._context), search.limit, self._context.index.visits
        page = await run_in_threadpool(lambda: visits(chosen, before=before, limit=limit))
        return JSONResponse(
            {
                "visits": [visit_json(visit, self._context.site) for visit in page.visits],
                "next": cursor(page.older) if page.older else None,
            }
        )

    async def review(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        change = await validation.body(request, request_models.ReviewBody, required=True)
        chosen = Filter(visit=visit_of(request), cameras=caller_of(request).cameras)
        reviewed = await run_in_threadpool(lambda: self._context.index.review(chosen, reviewed=change.reviewed))
        if not reviewed:
            raise NotFound("unknown_visit", f"no visit {chosen.visit}")
        return JSONResponse({"reviewed": change.reviewed, "pictures": reviewed})

    async def count(self, request: Request) -> Response:
        chosen = await filter_of(
            validation.query(request, request_models.FilterParams), self._context, caller_of(request)
        )
        count = await run_in_threadpool(self._context.index.count, chosen)
        return JSONResponse({"snapshots": min(count, MOST_COUNTED), "more": count > MOST_COUNTED})


def visit_of(request: Request) -> int:
    """The number in the path. Raises `NotFound` for one that no visit has."""
    number = int(request.path_params["visit"])
    if not 0 < number < 2**63:
        raise NotFound("unknown_visit", "There is no such visit, or its pictures were deleted.")
    return number


def visit_json(visit: Visit, site: Site) -> dict[str, Any]:
    """All of a visit's fields."""
    return {
        "visit": visit.number,
        "device_key": visit.best.inspection.camera,
        "device_label": visit.best.inspection.snapshot.label,
        "first": visit.first.isoformat(),
        "last": visit.last.isoformat(),
        "pictures": visit.pictures,
        "reviewed": visit.reviewed,
        "best": entry_json(visit.best, site),
        "snapshots_url": site.path(f"/api/snapshots?visit={visit.number}"),
    }
