"""The page of the audit log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.journal import AuditRow
from app.web.album.languages import tr
from app.web.album.rendering import Rendering
from app.web.album.view import Moment, Viewer
from app.web.api import audit_models, validation
from app.web.context import WebContext

PAGE = 100
"""Changes that are shown at once."""

METHODS = {
    "session": "the password of the album",
    "password": "the password of the album",
    "open": "this machine",
    "link": "a link",
    "command": "a command",
    "": "somebody",
}
"""How somebody got in, where there is no name."""


class AuditLine(NamedTuple):
    """A change as the page shows it."""

    when: Moment
    who: str
    method: str
    address: str
    action: str
    subject: str
    detail: str
    url: str
    """Of the picture that it was done to; empty for anything else."""


class AuditPages:
    """The handler of the page."""

    def __init__(self, context: WebContext, rendering: Rendering, view: Viewer) -> None:
        self._context = context
        self._rendering = rendering
        self._view = view

    def routes(self) -> list[Route]:
        return [Route("/audit", self.audit)]

    async def audit(self, request: Request) -> Response:
        values = {
            name: text for name, text in request.query_params.items() if name in ("before", "who", "subject") and text
        }
        asked = validation.checked(audit_models.AuditParams, values, "bad_parameter")
        return await run_in_threadpool(self._page, request, asked)

    def _page(self, request: Request, asked: audit_models.AuditParams) -> Response:
        rows = self._context.journal.audited(before=asked.before, limit=PAGE + 1, subject=asked.subject, who=asked.who)
        context = {
            "lines": [self._line(row) for row in rows[:PAGE]],
            "older": rows[PAGE - 1].seq if len(rows) > PAGE else 0,
            "asked": asked,
        }
        return self._rendering.page(request, "audit.html", context)

    def _line(self, row: AuditRow) -> AuditLine:
        is_picture = self._context.index.camera_of(row.subject) is not None
        return AuditLine(
            self._view.moment(datetime.fromtimestamp(row.at, UTC)),
            row.who or tr(METHODS.get(row.method, row.method)),
            row.method,
            row.address,
            tr(row.action),
            row.subject,
            row.detail,
            self._context.site.path(f"/snapshots/{row.subject}") if is_picture else "",
        )
