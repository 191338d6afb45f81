"""The archives: how they stand, and having them try again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app import archiving
from app.web.api import answers, questions, reading
from app.web.api.common import ERRORS, FAILURES, error
from app.web.api.operation import Operation, json_of
from app.web.errors import NotFound
from app.web.parts import ArchiveFace, Parts


class Archives:
    """The endpoints of archives."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "GET",
                "/api/archives",
                self.list_archives,
                "The configured archives, and what waits for them",
                {200: json_of("All of them.", answers.Archives), **ERRORS},
                query=questions.Nothing,
            ),
            Operation(
                "POST",
                "/api/archives/{archive}/retry",
                self.retry_archive,
                "Have an archive try at once what waits, and take up what it gave up or was never asked for",
                {
                    200: json_of("It does.", answers.Retried),
                    404: error("There is no such archive."),
                    **ERRORS,
                    **FAILURES,
                },
                query=questions.Nothing,
            ),
        ]

    async def list_archives(self, request: Request) -> Response:
        reading.query(request, questions.Nothing)
        listed = await run_in_threadpool(lambda: [self._said(archive) for archive in self._parts.archives])
        return JSONResponse({"archives": listed})

    async def retry_archive(self, request: Request) -> Response:
        reading.query(request, questions.Nothing)
        archive = named(self._parts, request.path_params["archive"])
        return JSONResponse(await run_in_threadpool(retry, self._parts, archive))

    def _said(self, archive: ArchiveFace) -> dict[str, Any]:
        standing = self._parts.journal.standing(archive.name)
        since = datetime.fromtimestamp(standing.since, UTC).isoformat() if standing.since is not None else None
        return {
            "name": archive.name,
            "url": archive.url(),
            "archived": standing.done,
            "waiting": standing.owed,
            "waiting_since": since,
            "given_up": standing.given_up,
            "never_asked_for": standing.without,
            "problem": standing.problem,
        }


def named(parts: Parts, name: str) -> ArchiveFace:
    """The archive of this name. Raises `NotFound`."""
    for archive in parts.archives:
        if archive.name == name:
            return archive
    known = ", ".join(archive.name for archive in parts.archives) or "none"
    raise NotFound("unknown_archive", f"no archive {name[:60]!r}; there are: {known}")


def retry(parts: Parts, archive: ArchiveFace) -> dict[str, int]:
    """Have it try at once; how much waits now, and how much of it was taken up anew."""
    taken_up = archiving.retry(parts.journal, archive.name)
    archive.try_now()
    return {"waiting": parts.journal.debt(archive.name).count, "taken_up": taken_up}
