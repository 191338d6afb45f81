"""Answers that many operations have in common."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from app.web.api import answers
from app.web.api.entries import entry_json
from app.web.api.operation import Answer, json_of
from app.web.parts import Parts


def error(description: str) -> Answer:
    """An answer that says what is wrong."""
    return json_of(description, answers.Error)


REFUSALS: Mapping[int, Answer] = {
    401: error("Who are you? See the security schemes."),
    403: error("Not from there, or not this way."),
    429: Answer("Too many wrong passwords.", {"application/json": answers.Error}, ("Retry-After",)),
}
"""Of everything that is guarded."""

ERRORS: Mapping[int, Answer] = {400: error("A parameter or field is wrong; the sentence names it."), **REFUSALS}

FAILURES: Mapping[int, Answer] = {
    503: Answer("Not now: the disk or the journal is away.", {"application/json": answers.Error}, ("Retry-After",))
}
"""Of everything that has to be written down."""


async def accepted(parts: Parts, event_id: str, *, waited: bool) -> Response:
    """200 with the event, if the caller waited for it and it came, or else 202 with its id."""
    entry = await run_in_threadpool(parts.journal.entry, event_id) if waited else None
    if entry is not None:
        return JSONResponse(entry_json(entry, parts.site))
    url = parts.site.path(f"/api/snapshots/{event_id}")
    return JSONResponse({"event_id": event_id, "url": url}, status_code=202)
