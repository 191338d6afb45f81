"""Checks requests against the description of the Drive v2 API that google-api-python-client ships."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl


class Violation(Exception):
    """A request that the description does not allow."""


@dataclass(frozen=True)
class Asked:
    """A request in the description's words."""

    method: str
    """`drive.files.insert`"""
    parameters: dict[str, str]
    """Those of the path and of the query."""
    upload: bool
    """It came by the path for uploads."""
    response: str
    """Name of the schema of its answer; empty for none."""
    request: str


@cache
def description() -> dict[str, Any]:
    """The description itself."""
    from googleapiclient.discovery_cache import get_static_doc

    described: dict[str, Any] = json.loads(get_static_doc("drive", "v2"))
    return described


@cache
def _methods() -> tuple[tuple[str, re.Pattern[str], bool, dict[str, Any]], ...]:
    found = []
    doc = description()
    for resource in doc["resources"].values():
        for method in resource.get("methods", {}).values():
            paths = [(f"/{doc['servicePath']}{method['path']}", False)]
            protocols = method.get("mediaUpload", {}).get("protocols", {}).values()
            # The client sends both kinds of upload to the same path; `uploadType` says which it is.
            paths += [(protocol["path"].removeprefix("/resumable"), True) for protocol in protocols]
            for path, upload in dict(paths).items():
                pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
                found.append((method["httpMethod"], re.compile(pattern), upload, method))
    return tuple(found)


def recognise(verb: str, path: str, query: str) -> Asked:
    """Which method this is, its parameters checked by name, type and enumeration. Raises `Violation`."""
    for http_method, pattern, upload, method in _methods():
        match = pattern.fullmatch(path)
        if match and http_method == verb:
            given = _single(query)
            _check_parameters(method, given, upload)
            return Asked(
                method["id"],
                {**match.groupdict(), **given},
                upload,
                method.get("response", {}).get("$ref", ""),
                method.get("request", {}).get("$ref", ""),
            )
    raise Violation(f"no method for {verb} {path}")


def _single(query: str) -> dict[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise Violation(f"a parameter is given twice: {query}")
    return dict(pairs)


def _check_parameters(method: Mapping[str, Any], given: Mapping[str, str], upload: bool) -> None:
    known = {**description()["parameters"], **method.get("parameters", {})}
    for name, value in given.items():
        if name == "uploadType" and upload:
            if value not in ("multipart", "resumable", "media"):
                raise Violation(f"uploadType={value}")
            continue
        if name == "upload_id" and upload:
            continue
        if name not in known:
            raise Violation(f"{method['id']} has no parameter {name}")
        if known[name].get("deprecated"):
            raise Violation(f"{method['id']}: parameter {name} is deprecated")
        _check_text(name, known[name], value)
    for name, spec in method.get("parameters", {}).items():
        if spec.get("required") and spec.get("location") == "query" and name not in given:
            raise Violation(f"{method['id']} needs {name}")


def _check_text(name: str, spec: Mapping[str, Any], value: str) -> None:
    if spec["type"] == "boolean" and value not in ("true", "false"):
        raise Violation(f"{name}={value} is no boolean")
    if spec["type"] == "integer":
        if not re.fullmatch(r"-?\d+", value):
            raise Violation(f"{name}={value} is no integer")
        if not int(spec.get("minimum", -(2**31))) <= int(value) <= int(spec.get("maximum", 2**31)):
            raise Violation(f"{name}={value} is out of range")
    if "enum" in spec and value not in spec["enum"]:
        raise Violation(f"{name}={value} is none of {spec['enum']}")


def check_body(body: object, schema: str) -> None:
    """Every property by name and type, and none that only answers have. Raises `Violation`."""
    _check(body, {"$ref": schema}, schema)


def _check(value: object, spec: Mapping[str, Any], where: str) -> None:
    spec = description()["schemas"][spec["$ref"]] if "$ref" in spec else spec
    kinds: dict[str, type | tuple[type, ...]] = {
        "object": dict,
        "array": list,
        "string": str,
        "boolean": bool,
        "integer": int,
        "number": (int, float),
    }
    if not isinstance(value, kinds.get(spec["type"], object)):
        raise Violation(f"{where} is no {spec['type']}")
    if isinstance(value, list):
        for item in value:
            _check(item, spec["items"], f"{where}[]")
    if isinstance(value, dict):
        for name, one in value.items():
            if name not in spec.get("properties", {}):
                raise Violation(f"{where} has no {name}")
            inner = spec["properties"][name]
            if inner.get("description", "").startswith("Output only"):
                raise Violation(f"{where}.{name} is only in answers")
            _check(one, inner, f"{where}.{name}")
    if spec.get("format") == "date-time":
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            raise Violation(f"{where} is no date-time") from None
        if moment.tzinfo is None:
            raise Violation(f"{where} has no time zone")


Selection = dict[str, Any]
"""Names of fields, each with what is wanted of it; empty for all of it."""


def selection(fields: str, schema: str) -> Selection:
    """The fields that a `fields` parameter wants, all of them known to the schema. Raises `Violation`."""
    tokens = iter(re.findall(r"[A-Za-z]\w*|[,()/*]", fields))
    if re.sub(r"[A-Za-z]\w*|[,()/*]", "", fields).strip():
        raise Violation(f"fields={fields}")
    wanted, end = _fields(tokens)
    if end:
        raise Violation(f"fields={fields}: parentheses do not match")
    _check_fields(wanted, {"$ref": schema}, schema)
    return wanted


def _fields(tokens: Iterator[str]) -> tuple[Selection, str]:
    wanted: Selection = {}
    here, last = wanted, wanted
    for token in tokens:
        if token == "(":
            inner, end = _fields(tokens)
            if end != ")":
                raise Violation("fields: parentheses do not match")
            last.update(inner)
        elif token == ")":
            return wanted, token
        elif token == ",":
            here = wanted
        elif token == "/":
            here = last
        else:
            last = here.setdefault(token, {})
    return wanted, ""


def _check_fields(wanted: Selection, spec: Mapping[str, Any], where: str) -> None:
    while "$ref" in spec or spec.get("type") == "array":
        spec = description()["schemas"][spec["$ref"]] if "$ref" in spec else spec["items"]
    for name, inner in wanted.items():
        if name == "*":
            continue
        if name not in spec.get("properties", {}):
            raise Violation(f"fields: {where} has no {name}")
        _check_fields(inner, spec["properties"][name], f"{where}.{name}")


def select(value: Any, wanted: Selection) -> Any:
    """Of an answer only what is wanted."""
    if not wanted or "*" in wanted:
        return value
    if isinstance(value, list):
        return [select(item, wanted) for item in value]
    return {name: select(one, wanted[name]) for name, one in value.items() if name in wanted}
