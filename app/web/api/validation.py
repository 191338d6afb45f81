"""Parameters and bodies of requests, checked by their models, within limits."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from app.web.errors import BadRequest, WrongField

M = TypeVar("M", bound=BaseModel)

LARGEST_BODY = 64 * 1024
"""Bytes of JSON."""

_SENTENCES = {
    "too_long": "at most {max_length:,} at once",
    "too_short": "at least {min_length:,} is needed",
    "missing": "is required",
}
"""Pydantic calls a list by its type in Python, and nobody calls what is missing a field."""


def query(request: Request, model: type[M]) -> M:
    """The parameters in the address. Raises `BadRequest`."""
    return checked(model, once(request.query_params.multi_items()), "bad_parameter")


async def body(request: Request, model: type[M], *, required: bool = False) -> M:
    """The JSON object in the body; an empty body is an empty one, unless it is `required`. Raises `BadRequest`."""
    values = _object(await _read(request), required=required)
    return checked(model, values, "bad_field")


async def section(request: Request, model: type[M]) -> M:
    """The JSON object in the body, which holds sections of a configuration. Raises `BadRequest`."""
    raw = await _read(request)
    _object(raw, required=True)
    # As JSON: only then lists may become tuples where types are not converted.
    return _checked(lambda: model.model_validate_json(raw, strict=True), model, "bad_field")


async def _read(request: Request) -> bytes:
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > LARGEST_BODY:
            raise BadRequest("too_large", f"the body may have at most {LARGEST_BODY} bytes")
    return raw


def _object(raw: bytes, *, required: bool) -> dict[str, Any]:
    try:
        value = json.loads(raw) if raw.strip() or required else {}
    except (ValueError, RecursionError):
        raise BadRequest("not_json", "the body must be JSON" + ("" if required else ", or empty")) from None
    if not isinstance(value, dict):
        raise BadRequest("not_an_object", "the body must be a JSON object")
    return value


def checked(model: type[M], values: dict[str, Any], code: str) -> M:
    """These values as an object of their model. Raises `BadRequest`, which names all errors."""
    return _checked(lambda: model.model_validate(values), model, code)


def _checked(make: Callable[[], M], model: type[M], code: str) -> M:
    try:
        return make()
    except (ValidationError, RecursionError) as error:
        problems = error.errors() if isinstance(error, ValidationError) else []
        problems = [problem for problem in problems if problem["type"] != "none_required"] or problems
        if not problems:
            raise BadRequest(code, "it is nested too deeply") from None
        raise BadRequest.of_fields(code, [_wrong(problem, model) for problem in problems]) from None


def once(items: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Names and values, each name once. Raises `BadRequest`."""
    values: dict[str, Any] = {}
    for name, value in items:
        if name in values:
            raise BadRequest("bad_parameter", f"{name} is given more than once")
        values[name] = value
    return values


def _beginning(pydantic: re.Match[str]) -> str:
    return "must " if pydantic[2] else ""


def _wrong(problem: Any, model: type[BaseModel]) -> WrongField:
    name = str(problem["loc"][0])[:60] if problem["loc"] else ""
    if problem["type"] == "extra_forbidden":
        return WrongField(name, f"{name} is unknown; there are: {', '.join(model.model_fields) or 'none'}")
    reason = re.sub(r"^(Value error, |(Input|String) should )", _beginning, problem["msg"])
    if problem["type"] in _SENTENCES:
        reason = _SENTENCES[problem["type"]].format(**problem.get("ctx", {}))
        if actual := problem.get("ctx", {}).get("actual_length"):  # None of a mapping, which is not counted to its end
            reason += f", not {actual:,}"
    if problem["type"] == "string_pattern_mismatch" and r"\x00" in problem["ctx"]["pattern"]:
        reason = "must be text without control characters"
    return WrongField(name, reason)
