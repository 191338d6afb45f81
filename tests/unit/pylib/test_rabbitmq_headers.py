"""Headers of messages: whatever a broker passes on is read, and can be passed on."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pika
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylib.rabbitmq import headers
from tests.fakes.amqp import AnyHeaders, field, nested

FIXED = {b"t": "B", b"b": "b", b"B": "B", b"U": "h", b"s": "h", b"u": "H", b"I": "i", b"i": "I", b"L": "Q", b"l": "q"}
FIXED |= {b"f": "I", b"d": "Q", b"T": "Q", b"D": "5s", b"V": "0s"}


def fixed(kind: bytes) -> st.SearchStrategy[bytes]:
    size = struct.calcsize(f">{FIXED[kind]}")
    return st.binary(min_size=size, max_size=size).map(lambda value: kind + value)


def long(kind: bytes, inside: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return inside.map(lambda content: kind + struct.pack(">I", len(content)) + content)


def tables(values: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    names = st.binary(max_size=255).map(lambda name: bytes([len(name)]) + name)
    return st.lists(st.tuples(names, values).map(b"".join), max_size=4).map(b"".join)


SIMPLE = st.one_of(*map(fixed, FIXED), long(b"S", st.binary(max_size=9)), long(b"x", st.binary(max_size=9)))
VALUES = st.recursive(
    SIMPLE, lambda inner: long(b"A", st.lists(inner, max_size=4).map(b"".join)) | long(b"F", tables(inner))
)


def read(table: bytes) -> dict[Any, Any]:
    headers.read_any()
    properties = pika.BasicProperties().decode(b"".join(AnyHeaders(table).encode()))
    again = pika.BasicProperties().decode(b"".join(properties.encode()))
    assert again.headers == properties.headers
    return dict(properties.headers)


@given(tables(VALUES))
def test_all_that_amqp_can_write_is_read_and_can_be_passed_on(table: bytes) -> None:
    read(table)


@pytest.mark.parametrize(
    ("kind", "format", "value", "expected"),
    [
        (b"T", "Q", 1_767_225_600, datetime(2026, 1, 1, tzinfo=UTC)),
        (b"T", "Q", 2**63, None),
        (b"T", "Q", 2**40, None),
        (b"d", "d", 12.0, 12),
        (b"d", "d", 1e300, None),
        (b"d", "d", float("nan"), None),
        (b"f", "f", float("-inf"), None),
        (b"l", "q", -(2**63), -(2**63)),
        (b"D", "Bi", (2, 314), Decimal("3.14")),
    ],
)
def test_what_cannot_be_read_is_none_and_what_stands_behind_it_is_read(
    kind: bytes, format: str, value: Any, expected: object
) -> None:
    numbers = value if isinstance(value, tuple) else (value,)
    odd = field(b"odd", kind + struct.pack(f">{format}", *numbers))
    assert read(odd + field(b"next", b"t\1")) == {"odd": expected, "next": True}


@pytest.mark.parametrize("kind", [b"A", b"F"])
def test_what_is_nested_without_an_end_is_read_so_far(kind: bytes) -> None:
    found = read(field(b"odd", nested(kind, 20_000)) + field(b"next", b"V"))
    assert found["next"] is None
    value, levels = found["odd"], 0
    while value:
        value, levels = value[0] if kind == b"A" else value["k"], levels + 1
    assert levels == headers.MOST_LEVELS
