"""Responses that many operations have in common."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.web.access.caller import caller_of
from app.web.access.tokens import ApiToken
from app.web.api import response_models
from app.web.api.operation import ResponseSpec, json_of
from app.web.api.serialize import entry_json
from app.web.context import WebContext
from app.web.errors import Forbidden


def error(description: str) -> ResponseSpec:
    """A response that describes an error."""
    return json_of(description, response_models.ErrorModel)


REFUSALS: Mapping[int, ResponseSpec] = {
    401: error("Who are you? See the security schemes."),
    403: error("Not from there, or not this way."),
    429: ResponseSpec("Too many wrong passwords.", {"application/json": response_models.ErrorModel}, ("Retry-After",)),
}
"""Of everything that is guarded."""

ERRORS: Mapping[int, ResponseSpec] = {400: error("A parameter or field is wrong; the sentence names it."), **REFUSALS}

FAILURES: Mapping[int, ResponseSpec] = {
    503: ResponseSpec(
        "Not now: disk or journal is unavailable.", {"application/json": response_models.ErrorModel}, ("Retry-After",)
    )
}
"""Of every operation that writes."""


def require_camera(request: Request, camera: str) -> None:
    """Raises `Forbidden` where the request's token is not for this camera, a device key."""
    if not caller_of(request).sees(camera):
        raise Forbidden("forbidden_camera", f"this token is not for {camera}")


def may_see(request: Request) -> bool:
    """Whether the caller may see what comes of a trigger: not with a token for triggers only."""
    token = _token(request)
    return token is None or not token.only_triggers


def _token(request: Request) -> ApiToken | None:
    found: ApiToken | None = request.scope.get("state", {}).get("token")
    return found


async def accepted(context: WebContext, event_id: str, *, waited: bool, elsewhere: bool = False) -> Response:
    """200 with the event, if the caller waited for it and it came, or else 202 with its id.

    `elsewhere`: another replica takes the picture.
    """
    entry = await run_in_threadpool(context.index.entry, event_id) if waited else None
    if entry is not None:
        return JSONResponse(entry_json(entry, context.site))
    url = context.site.path(f"/api/snapshots/{event_id}")
    note = {"note": "another replica takes this picture, and publishes the event"} if elsewhere else {}
    return JSONResponse({"event_id": event_id, "url": url, **note}, status_code=202)
