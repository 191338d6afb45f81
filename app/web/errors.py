"""The web side's errors: JSON for programs, a page for people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.media.picture import BadPicture
from pylib.errors import Failure, Permanent, Transient

log = structlog.get_logger(__name__)


class RequestRefused(Permanent):
    """A request that is refused; `status` is the HTTP status."""

    status = 400


class WrongField(NamedTuple):
    """What is wrong with a field or parameter."""

    name: str
    """As the API has it."""
    reason: str
    """Goes on behind its name: `must be a number`."""


class BadRequest(RequestRefused):
    """The request is malformed."""

    fields: tuple[WrongField, ...] = ()
    """Where it is, as far as single fields are wrong."""

    @classmethod
    def of_fields(cls, code: str, fields: Sequence[WrongField]) -> BadRequest:
        """One that names all of them."""
        said = (reason if reason.startswith(name) else f"{name}: {reason}" for name, reason in fields)
        error = cls(code, "; ".join(said))
        error.fields = tuple(fields)
        return error


class Forbidden(RequestRefused):
    """Not with this token."""

    status = 403


class NotFound(RequestRefused):
    """There is no such thing."""

    status = 404


class Conflict(RequestRefused):
    """What it would change is not in a state for it."""

    status = 409


class TooLarge(RequestRefused):
    """It exceeds a limit."""

    status = 413


class UnsupportedMedia(RequestRefused):
    """Its media type is not accepted."""

    status = 415


class Unprocessable(RequestRefused):
    """Its media type is right, its content is broken."""

    status = 422


class BadGateway(RequestRefused):
    """What we asked on its behalf did not do it."""

    status = 502


_PICTURES: Mapping[str, type[RequestRefused]] = {
    "not_an_image": UnsupportedMedia,
    "unsupported_format": UnsupportedMedia,
    "pixel_bomb": TooLarge,
    "metadata_bomb": TooLarge,
}
_SENTENCES = {404: "not_found: there is nothing at this address", 405: "bad_method: not with this method"}
RETRY_AFTER = {"Retry-After": "5"}


def refused(error: BadPicture) -> RequestRefused:
    """The refusal of an uploaded picture."""
    return _PICTURES.get(error.code, Unprocessable)(error.code, error.detail)


Page = Callable[[Request, int, str, Sequence[WrongField]], Awaitable[Response]]
"""Makes the error page for people: from the request, the status, one sentence, and the fields that it is about."""


def handlers(page: Page) -> dict[Any, Any]:
    """The handler of each kind of exception, for Starlette."""

    async def answer(request: Request, error: Exception) -> Response:
        status, sentence, headers = _said(error)
        if wants_page(request):
            response = await page(request, status, sentence, getattr(error, "fields", ()))
        else:
            response = JSONResponse({"error": sentence}, status_code=status)
        response.headers.update(headers)
        return response

    return dict.fromkeys((Failure, HTTPException, Exception), answer)


def wants_page(request: Request) -> bool:
    """Whether a person reads the response, and not a program."""
    return "text/html" in request.headers.get("accept", "") and not request.scope["path"].startswith("/api/")


def _said(error: Exception) -> tuple[int, str, Mapping[str, str]]:
    """Status, sentence and headers."""
    if isinstance(error, BadPicture):
        error = refused(error)
    if isinstance(error, HTTPException):
        return error.status_code, _SENTENCES.get(error.status_code, error.detail), error.headers or {}
    if isinstance(error, RequestRefused):
        return error.status, str(error), {}
    if isinstance(error, Transient):
        return 503, str(error), RETRY_AFTER
    return 500, "unexpected: something went wrong; the log says what", {}
