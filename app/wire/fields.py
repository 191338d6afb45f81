"""Parses untrusted payloads: MessagePack or JSON into a map, and its fields one by one."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Hashable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import msgpack

from pylib.errors import Permanent

JSON_STARTS = b"{"
"""No MessagePack map begins with it: there it is the number 123."""
BLANKS = b"\xef\xbb\xbf \t\r\n"
CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""Characters that no name or label may have: control characters, and surrogates, which UTF-8 cannot carry."""
LONGEST_NUMBER = 1000
"""Digits; Python refuses whole messages for numbers of more than 4,300, and nothing counts so far."""
MISSING = object()
KINDS = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    bytes: "bytes",
    list: "a list",
    dict: "a map",
    type(None): "nothing",
}


def unpack(body: bytes, content_type: str = "") -> dict[Any, Any]:
    """The map in a payload. Raises `Permanent`: `not_json`, `not_messagepack`, `not_a_map`."""
    if content_type.partition(";")[0].strip().lower() == "application/json" or is_json(body):
        value = from_json(body)
    else:
        value = _from_messagepack(body)
    if not isinstance(value, dict):
        raise Permanent("not_a_map", f"the message must be a map, not {kind_of(value)}")
    return value


def is_json(body: bytes) -> bool:
    """Whether it can only be a JSON object."""
    return body[:16].lstrip(BLANKS).startswith(JSON_STARTS)


def field(source: Mapping[Any, Any], name: str) -> Any:
    """A field's value, or `MISSING`. Senders with an old MessagePack write names as bytes."""
    value = source.get(name, MISSING)
    return source.get(name.encode(), MISSING) if value is MISSING else value


def text(source: Mapping[Any, Any], name: str, *, longest: int = 200) -> str:
    """A field that must be there and be text.

    Raises `Permanent`: `missing_field`, `mistyped_field`, `too_large`.
    """
    value = field(source, name)
    if value is MISSING:
        raise Permanent("missing_field", f"{name} is missing")
    found = as_text(value)
    if found is None:
        raise Permanent("mistyped_field", f"{name} must be text, not {kind_of(value)}")
    if len(found) > longest:
        raise Permanent("too_large", f"{name} has {len(found)} characters, more than {longest}")
    if CONTROL.search(found):
        raise Permanent("mistyped_field", f"{name} holds control characters")
    return found


def as_text(value: object) -> str | None:
    """Text, also where it came as bytes; None for anything else."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return None
    return value if isinstance(value, str) else None


def kind_of(value: object) -> str:
    """The type of a value for error texts, which do not quote it."""
    return "an extension type" if isinstance(value, Extension) else KINDS.get(type(value), type(value).__name__)


def is_deeper(value: object, levels: int) -> bool:
    """Whether maps and lists are nested more than so many levels deep; counted without recursion."""
    layer = [value]
    for _ in range(levels + 1):
        layer = [inner for outer in layer for inner in _contents(outer)]
        if not layer:
            return False
    return True


def _contents(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def from_json(body: bytes) -> Any:
    """The value of a JSON text. Raises `Permanent` (`not_json`)."""
    try:
        return json.loads(body.decode(json.detect_encoding(body), "surrogateescape"), parse_int=_whole)
    except (ValueError, RecursionError) as error:
        raise Permanent("not_json", f"the message is not JSON: {_reason(error)}") from None


def _whole(digits: str) -> float:
    return int(digits) if len(digits) <= LONGEST_NUMBER else math.inf


def _from_messagepack(body: bytes) -> Any:
    # Text that is no UTF-8 is read with surrogates, which no field that we know may have.
    options: dict[str, Any] = {
        "strict_map_key": False,
        "ext_hook": _extension,
        "unicode_errors": "surrogateescape",
    }
    with suppress(ValueError, TypeError, OverflowError, RecursionError):
        return msgpack.unpackb(body, timestamp=3, **options)
    # Timestamps beyond all years and keys that are lists are no reason to refuse a message where nobody reads them.
    try:
        return msgpack.unpackb(body, timestamp=0, object_pairs_hook=_hashable, **options)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise Permanent("not_messagepack", f"the message is not MessagePack: {_reason(error)}") from None


class Extension:
    """In place of an extension type, which nobody reads and nothing packs again.

    Between our own threads extension types are our classes: an untrusted payload must not create them.
    """


def _extension(_code: int, _data: bytes) -> Extension:
    return Extension()


def _hashable(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    return {key: value for key, value in pairs if isinstance(key, Hashable)}


def _reason(error: Exception) -> str:
    """Why a decoder failed, without quoting the payload."""
    if isinstance(error, UnicodeDecodeError):
        return "text that is not UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    if isinstance(error, msgpack.ExtraData):
        return "more data after the first value"
    return (str(error) or type(error).__name__)[:100]
