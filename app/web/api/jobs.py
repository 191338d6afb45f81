"""Long work: what waits, how far it is, what failed and why, and trying again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.journal import Job
from app.web.api import operation_models, request_models, validation
from app.web.api.common import ERRORS, FAILURES, error
from app.web.api.operation import Operation, ResponseSpec, json_of
from app.web.context import WebContext
from app.web.errors import NotFound

MOST = 2**63 - 1
"""No id is larger."""


class JobEndpoints:
    """The endpoints of jobs."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def operations(self) -> list[Operation]:
        done = {204: ResponseSpec("It is done."), 404: error("There is no such job."), **ERRORS, **FAILURES}
        return [
            Operation(
                "GET",
                "/api/jobs",
                self.list_jobs,
                "Long work: what waits, and what ended",
                {200: json_of("At most 50 of them.", operation_models.JobsModel), **ERRORS},
                query=request_models.NoParams,
            ),
            Operation(
                "POST",
                "/api/jobs/{id}/retry",
                self.retry_job,
                "Try a job at once that waits or has failed",
                done,
                query=request_models.NoParams,
            ),
            Operation(
                "DELETE",
                "/api/jobs/{id}",
                self.forget_job,
                "Forget a job that has ended",
                done,
                query=request_models.NoParams,
            ),
        ]

    async def list_jobs(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        jobs = await run_in_threadpool(self._context.journal.jobs)
        return JSONResponse({"jobs": [self._said(job) for job in jobs]})

    async def retry_job(self, request: Request) -> Response:
        return await self._change(request, retry)

    async def forget_job(self, request: Request) -> Response:
        return await self._change(request, forget)

    async def _change(self, request: Request, change: Callable[[WebContext, int], None]) -> Response:
        validation.query(request, request_models.NoParams)
        text = request.path_params["id"]
        if not (text.isascii() and text.isdecimal()):
            raise NotFound("unknown_job", "a job's id is a number")
        await run_in_threadpool(change, self._context, int(text[:20]))
        return Response(status_code=204)

    def _said(self, job: Job) -> dict[str, Any]:
        waits = job.state == "waiting" and job.next_at > 0
        return {
            "id": job.seq,
            "kind": job.kind,
            "title": self._context.job_titles.get(job.kind, job.kind),
            "key": job.key,
            "state": job.state,
            "progress": job.progress,
            "attempts": job.attempts,
            "problem": job.problem,
            "next_at": datetime.fromtimestamp(job.next_at, UTC).isoformat() if waits else None,
        }


def retry(context: WebContext, seq: int) -> None:
    """Have it tried at once. Raises `NotFound`."""
    if seq > MOST or not context.journal.retry_job(seq):
        raise NotFound("unknown_job", f"no job {seq} waits or has failed")


def forget(context: WebContext, seq: int) -> None:
    """Forget it. Raises `NotFound`."""
    if seq > MOST or not context.journal.forget_job(seq):
        raise NotFound("unknown_job", f"no job {seq} has ended")
