"""The audit log's writer: who changed what, from where."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request

from app.journal.deletion import Doomed
from app.web.access.caller import caller_of
from app.web.album import texts
from app.web.context import WebContext

MOST_NAMED = 20
"""Pictures whose ids are recorded, of those that were changed at once."""


def say(request: Request, detail: str, *, subject: str = "") -> None:
    """Say more of the change that this request makes; it is recorded once its response is a good one.

    What was done comes from `app.web.access.rights`. `subject`: what was changed, where the path does not name it.
    Never a secret.
    """
    request.scope.setdefault("state", {})["audited"] = (subject, detail)


def say_pictures(request: Request, ids: Sequence[str], *, more: str = "", partly: bool = False) -> None:
    """Say which pictures are changed: their number, and the ids of the first ones.

    `partly`: record it whatever the response, for others of the same request failed.
    """
    one = ids[0] if len(ids) == 1 else texts.pictures(len(ids))
    named = ", ".join(ids[:MOST_NAMED]) + (", ..." if len(ids) > MOST_NAMED else "") if len(ids) > 1 else ""
    say(request, ": ".join(filter(None, (more, named))), subject=one)
    request.scope["state"]["audited_partly"] = partly


def say_doomed(request: Request, doomed: Doomed, count: int, archives: Sequence[str]) -> None:
    """Say what is deleted of a camera or a time, and from which archives."""
    ends = (("from", doomed.since), ("until", doomed.until))
    span = [f"{word} {at.isoformat(timespec='minutes')}" for word, at in ends if at is not None]
    copies = [f"archives: {', '.join(archives)}"] if archives else []
    say(request, "; ".join((texts.pictures(count), *span, *copies)), subject=doomed.camera or "all cameras")


def is_due(request: Request, status: int) -> bool:
    """Whether a response of this status means a change."""
    return status < 400 or bool(request.scope.get("state", {}).get("audited_partly"))


def record(context: WebContext, request: Request, action: str, *, subject: str = "", detail: str = "") -> None:
    """Record a change, without a wait for the disk: of a request, it does not have to be called anywhere else."""
    said_subject, said_detail = request.scope.get("state", {}).get("audited", ("", ""))
    caller = caller_of(request)
    context.journal.audit(
        who=caller.name,
        method=caller.method or "",
        address=context.access.client(request).address,
        action=action,
        subject=said_subject or subject,
        detail=said_detail or detail,
    )
