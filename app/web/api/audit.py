"""The audit log: who changed what, when, from where."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.web.api import audit_models, validation
from app.web.api.common import ERRORS
from app.web.api.operation import Operation, json_of
from app.web.api.serialize import moment_json
from app.web.context import WebContext


class AuditEndpoints:
    """The endpoint of the audit log."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "GET",
                "/api/audit",
                self.list_audit,
                "Who changed what, newest first",
                {200: json_of("A page of changes.", audit_models.AuditModel), **ERRORS},
                query=audit_models.AuditParams,
            )
        ]

    async def list_audit(self, request: Request) -> Response:
        asked = validation.query(request, audit_models.AuditParams)
        audited = self._context.journal.audited
        rows = await run_in_threadpool(
            lambda: audited(before=asked.before, limit=asked.limit + 1, subject=asked.subject, who=asked.who)
        )
        shown = [
            {
                "at": moment_json(row.at),
                "who": row.who,
                "method": row.method,
                "address": row.address,
                "action": row.action,
                "subject": row.subject,
                "detail": row.detail,
            }
            for row in rows[: asked.limit]
        ]
        more = len(rows) > asked.limit
        return JSONResponse({"changes": shown, "next": rows[asked.limit - 1].seq if more else None})
