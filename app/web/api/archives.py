"""The archives: their state, and trying one again at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.web.api import operation_models, request_models, validation
from app.web.api.common import ERRORS, FAILURES, error
from app.web.api.operation import Operation, json_of
from app.web.context import ArchiveInfo, WebContext
from app.web.errors import NotFound


class ArchiveEndpoints:
    """The endpoints of archives."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "GET",
                "/api/archives",
                self.list_archives,
                "The configured archives, and their backlogs",
                {200: json_of("All of them.", operation_models.ArchivesModel), **ERRORS},
                query=request_models.NoParams,
            ),
            Operation(
                "POST",
                "/api/archives/{archive}/retry",
                self.retry_archive,
                "Have an archive retry its backlog at once, and enqueue what it gave up or never had",
                {
                    200: json_of("It does.", operation_models.RetriedModel),
                    404: error("There is no such archive."),
                    **ERRORS,
                    **FAILURES,
                },
                query=request_models.NoParams,
            ),
        ]

    async def list_archives(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        listed = await run_in_threadpool(lambda: [self._said(archive) for archive in self._context.archives])
        return JSONResponse({"archives": listed})

    async def retry_archive(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        archive = named(self._context, request.path_params["archive"])
        return JSONResponse(await run_in_threadpool(retry, self._context, archive))

    def _said(self, archive: ArchiveInfo) -> dict[str, Any]:
        archive_stats = self._context.journal.archive_stats(archive.name)
        since = (
            datetime.fromtimestamp(archive_stats.since, UTC).isoformat() if archive_stats.since is not None else None
        )
        return {
            "name": archive.name,
            "url": archive.url(),
            "archived": archive_stats.done,
            "waiting": archive_stats.pending,
            "waiting_since": since,
            "given_up": archive_stats.given_up,
            "never_asked_for": archive_stats.without,
            "problem": archive_stats.problem,
        }


def named(context: WebContext, name: str) -> ArchiveInfo:
    """The archive of this name. Raises `NotFound`."""
    for archive in context.archives:
        if archive.name == name:
            return archive
    known = ", ".join(archive.name for archive in context.archives) or "none"
    raise NotFound("unknown_archive", f"no archive {name[:60]!r}; there are: {known}")


def retry(context: WebContext, archive: ArchiveInfo) -> dict[str, int]:
    """Have it retry at once; returns how many pictures wait now, and how many of them were enqueued anew."""
    taken_up = context.journal.try_again(archive.name)
    archive.try_now()
    return {"waiting": context.journal.backlog(archive.name).count, "taken_up": taken_up}
