"""One operation of the API: how its requests are checked, and what its description is made of."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class ResponseSpec:
    """One status, and its content."""

    description: str
    content: Mapping[str, type[BaseModel] | None] = field(default_factory=dict)
    """Media type -> its model; None for what JSON cannot describe."""
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BodySpec:
    """The body of a request."""

    content: Mapping[str, type[BaseModel] | dict[str, Any]]
    """Media type -> its model, or its JSON schema."""
    required: bool = True


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    """As Starlette writes it: `/api/cameras/{name:path}/trigger`."""
    endpoint: Endpoint
    summary: str
    answers: Mapping[int, ResponseSpec]
    query: type[BaseModel] | None = None
    """The model that checks its query parameters; None when it has none."""
    body: BodySpec | None = None
    headers: tuple[str, ...] = ()
    """Request headers that it reads."""
    links: bool = False
    """Whether a signed link opens it."""
    guarded: bool = True
    """Whether clients have to authenticate; otherwise the settings decide."""

    @property
    def name(self) -> str:
        return self.endpoint.__name__

    @property
    def template(self) -> str:
        """Its path in OpenAPI's notation."""
        return re.sub(r":\w+}", "}", self.path)


def json_of(description: str, model: type[BaseModel]) -> ResponseSpec:
    """An answer in JSON."""
    return ResponseSpec(description, {"application/json": model})


def routes(operations: Iterable[Operation]) -> list[Route]:
    """One route for each path, so that a wrong method is answered with all allowed ones."""
    paths: dict[str, dict[str, Endpoint]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = operation.endpoint
    return [Route(path, _dispatching(methods), methods=list(methods)) for path, methods in paths.items()]


def _dispatching(methods: Mapping[str, Endpoint]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await methods["GET" if request.method == "HEAD" else request.method](request)

    return endpoint
