"""The health of the service: for probes, for people who may see everything, and for Prometheus."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.web.api import operation_models
from app.web.api.common import REFUSALS
from app.web.api.operation import Operation, ResponseSpec, json_of
from app.web.context import WebContext
from pylib.observability.metrics import CONTENT_TYPE


class HealthEndpoints:
    """The endpoints of the service's health."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "GET",
                "/health/live",
                self.live,
                "Whether the process works, and each thread gets on",
                {
                    200: json_of("It does.", operation_models.LiveModel),
                    503: json_of("It has to be started again.", operation_models.LiveModel),
                    **REFUSALS,
                },
                guarded=False,
            ),
            Operation(
                "GET",
                "/health/ready",
                self.ready,
                "Whether everything that it needs is there",
                {
                    200: json_of("It is.", operation_models.ReadyModel),
                    503: json_of("Something is not; the checks say what.", operation_models.ReadyModel),
                    **REFUSALS,
                },
                guarded=False,
            ),
            Operation(
                "GET",
                "/metrics",
                self.metrics,
                "Everything that is counted, for Prometheus",
                {200: ResponseSpec("In its text format.", {"text/plain": None}), **REFUSALS},
                guarded=False,
            ),
        ]

    async def live(self, request: Request) -> Response:
        # Asks the threads only: a hanging disk or broker must not look like a dead process.
        report = await run_in_threadpool(lambda: self._context.health.report(live_only=True))
        return _answer(request, "live", {"live": report["live"], "checks": report["checks"]})

    async def ready(self, request: Request) -> Response:
        return _answer(request, "ready", await run_in_threadpool(self._context.health.report))

    async def metrics(self, _: Request) -> Response:
        return Response(await run_in_threadpool(self._context.metrics), headers={"Content-Type": CONTENT_TYPE})


def _answer(request: Request, question: str, report: dict[str, Any]) -> Response:
    """The report; a client without a login, where the settings admit it, gets one word of it."""
    known = request.scope.get("state", {}).get("auth_method") is not None
    return JSONResponse(
        report if known else {question: report[question]},
        status_code=200 if report[question] else 503,
        headers={"Cache-Control": "no-store"},
    )
