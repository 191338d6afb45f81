"""What programs rely on: operations, parameters and fields, with their types, defaults and limits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.web.access.rights import RULES
from tests.unit.web.api.conftest import House

CONTRACT = Path(__file__).with_name("contract.txt")
WORDS = ("description", "title", "summary", "example", "examples")


def test_the_api_is_what_it_was(house: House) -> None:
    now = [*contract(house.client.get("/openapi.json").json()), *rights()]
    written = house.folder / CONTRACT.name
    written.write_text("".join(f"{line}\n" for line in now), encoding="utf-8")
    was = CONTRACT.read_text(encoding="utf-8").splitlines()
    assert now == was, f"if it only has something new: cp {written} {CONTRACT}"


def test_a_number_of_an_address_has_its_limits(house: House) -> None:
    """What the description allows is read: a number of very many digits is not."""
    parameters = [
        f"{parameter['name']} of {path}"
        for path, operations in house.client.get("/openapi.json").json()["paths"].items()
        for operation in operations.values()
        for parameter in operation.get("parameters", ())
        if parameter["schema"].get("type") == "integer" and parameter["in"] == "query"
        if not {"minimum", "maximum"} <= set(parameter["schema"]) and "enum" not in parameter["schema"]
    ]
    assert not parameters


def contract(document: dict[str, Any]) -> Iterator[str]:
    """A line for each operation, parameter, body, answer and field of the description, without its words."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            name = f"{method.upper()} {path}"
            yield f"{name} answers {' '.join(operation['responses'])}"
            for parameter in operation.get("parameters", ()):
                yield f"{name} {parameter['in']} {parameter['name']}: {_bare(parameter['schema'])}"
            for media, body in operation.get("requestBody", {}).get("content", {}).items():
                yield f"{name} takes {media}: {_bare(body.get('schema'))}"
            for status, answer in operation["responses"].items():
                for media, body in answer.get("content", {}).items():
                    if status < "300":
                        yield f"{name} gives {status} {media}: {_bare(body.get('schema'))}"
    for name, schema in document["components"]["schemas"].items():
        for field, type_ in schema.get("properties", {}).items():
            needed = "" if field in schema.get("required", ()) else "?"
            yield f"{name}.{field}{needed}: {_bare(type_)}"


def rights() -> Iterator[str]:
    """A line for each route, pages too: who may, and whether somebody with cameras of their own may within those."""
    for route, rule in RULES.items():
        yield f"{route} for {rule.right.name.lower()}{', own cameras' if rule.own else ''}"


def _bare(schema: Any) -> str:
    return json.dumps(_without_words(schema), separators=(",", ":"), sort_keys=True)


def _without_words(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_words(each)
            for key, each in value.items()
            if not (key in WORDS and isinstance(each, str | list))
        }
    return [*map(_without_words, value)] if isinstance(value, list) else value
