"""The OpenAPI document, made from the operations and from the models that check requests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.web.access.sessions import COOKIE
from app.web.api.operation import BodySpec, Operation, ResponseSpec
from app.web.context import WebContext

REF = "#/components/schemas/{model}"
_SUFFIX = re.compile(r"(?<=\w)(?:Model|Body)$")
DESCRIPTION = """Snapshots of your cameras: have them taken, upload them, search them, follow them.

On a loopback address without a password no login is needed. Else authenticate with a token (made by
`snapshot-processor token add`) or the password, by Bearer or by Basic with any user name; browsers have a cookie from
`/login`. Errors are `{"error": "code: sentence"}`. A method that a path does not have is answered 405."""

SECURITY: Mapping[str, dict[str, Any]] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A token, or the password."},
    "basic": {"type": "http", "scheme": "basic", "description": "The password, or a token, with any user name."},
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "What /login gives to browsers."},
}


class OpenApiEndpoint:
    """`/openapi.json`: made once, for the first who asks."""

    def __init__(self, context: WebContext, operations: Iterable[Operation]) -> None:
        server = context.site.url("") or "/"
        self._document = cache(lambda: document(operations, version=context.version, server=server))

    async def openapi(self, _: Request) -> Response:
        return JSONResponse(self._document())


def document(operations: Iterable[Operation], *, version: str, server: str) -> dict[str, Any]:
    """The OpenAPI document of these operations."""
    operations = list(operations)
    models = sorted({model for each in operations for model in _models(each)}, key=lambda model: model.__name__)
    refs, definitions = models_json_schema([(model, "validation") for model in models], ref_template=REF)
    definitions = _published(definitions)
    schemas = {model: _published(refs[model, "validation"]) for model in models}
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.template, {})[each.method.lower()] = _operation(each, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "snapshot-processor", "version": version, "description": DESCRIPTION},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {"schemas": _without_nothing(definitions.get("$defs", {})), "securitySchemes": dict(SECURITY)},
        "security": [{name: []} for name in SECURITY],
    }


def _published(schema: Any) -> Any:
    """The same with models called as they are outside: `Snapshot`, where the class is `SnapshotModel`.

    Raises ValueError where two models would be called the same, of which one would be lost.
    """
    if isinstance(schema, dict):
        published = {_SUFFIX.sub("", name): _published(value) for name, value in schema.items()}
        if len(published) < len(schema):
            raise ValueError(f"two of these models are called the same outside: {', '.join(schema)}")
        return published
    if isinstance(schema, list):
        return [_published(value) for value in schema]
    return _SUFFIX.sub("", schema) if isinstance(schema, str) else schema


def _models(operation: Operation) -> set[type[BaseModel]]:
    """All models of this operation's JSON bodies, in or out."""
    found = {model for answer in operation.answers.values() for model in answer.content.values() if model}
    body = operation.body.content.values() if operation.body else ()
    return found | {model for model in body if isinstance(model, type)}


def _operation(operation: Operation, schemas: Mapping[type[BaseModel], Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "responses": {str(status): _answer(answer, schemas) for status, answer in operation.answers.items()},
    }
    parameters = [*_in_path(operation), *_in_query(operation), *_in_headers(operation)]
    if parameters:
        described["parameters"] = parameters
    if operation.body:
        described["requestBody"] = _body(operation.body, schemas)
    if not operation.guarded or operation.links:
        # It may be open, by a setting or by its parameters: then no scheme is needed.
        described["security"] = [{}, *({name: []} for name in SECURITY)]
    return described


def _answer(answer: ResponseSpec, schemas: Mapping[type[BaseModel], Any]) -> dict[str, Any]:
    described: dict[str, Any] = {"description": answer.description}
    if answer.content:
        described["content"] = {
            media: {"schema": schemas[model]} if model else {} for media, model in answer.content.items()
        }
    if answer.headers:
        described["headers"] = {name: {"schema": {"type": "string"}} for name in answer.headers}
    return described


def _body(body: BodySpec, schemas: Mapping[type[BaseModel], Any]) -> dict[str, Any]:
    content = {
        media: {"schema": schemas[model] if isinstance(model, type) else model} for media, model in body.content.items()
    }
    return {"required": body.required, "content": content}


def _in_path(operation: Operation) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in operation.template.split("/") if part.startswith("{")]
    schema = {"type": "string", "minLength": 1}
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]


def _in_query(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    schema = operation.query.model_json_schema()
    return [_parameter(name, dict(each)) for name, each in schema.get("properties", {}).items()]


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    description = schema.pop("description", "")
    schema.pop("title", None)
    if schema.get("default") == "":
        del schema["default"]
    schema = _without_nothing(schema)
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _in_headers(operation: Operation) -> list[dict[str, Any]]:
    schema = {"type": "string"}
    return [{"name": name, "in": "header", "required": False, "schema": schema} for name in operation.headers]


def _without_nothing(schema: Any) -> Any:
    """The same without the default null, by which pydantic marks a field that may be left out."""
    if isinstance(schema, dict):
        kept = {name: value for name, value in schema.items() if name != "default" or value is not None}
        return {name: _without_nothing(value) for name, value in kept.items()}
    return [_without_nothing(value) for value in schema] if isinstance(schema, list) else schema
