"""Reading the headers of messages, whatever they hold: the one patch to pika.

pika raises on a time beyond the year 9999, on a number that is none, and on some hundred lists in each other, in the
loop of the connection. That ends it, and the broker delivers the message over the next one, for ever. Here such a value
is None, and so is a number that could not be passed on with the message.

Written for the version in `HOLDS_FOR`; a test fails when what is patched changes.
"""

from __future__ import annotations

import struct
from functools import wraps
from typing import Any

from pika import data

HOLDS_FOR = {"pika": "1.4.4"}
MOST_LEVELS = 20
"""Lists and tables in each other that are read; those of brokers need three."""
_LENGTH = struct.Struct(">I")
_SIZES = {b"f": 4, b"d": 8, b"T": 8}
"""Bytes of the kinds that pika cannot always read."""
_LIMIT = 2**63
"""Integers from its negative up to below it are those that AMQP can carry."""
_decode_value = data.decode_value


def read_any() -> None:
    """Have pika read headers like this, in the whole process."""
    data.decode_value = value


@wraps(_decode_value, assigned=())
def value(encoded: bytes, offset: int, levels: int = MOST_LEVELS) -> tuple[Any, int]:
    """The value at this place, None where it is not readable, and the place behind it."""
    kind = encoded[offset : offset + 1]
    if kind in (b"A", b"F"):
        start = offset + 1 + _LENGTH.size
        end = start + _LENGTH.unpack_from(encoded, offset + 1)[0]
        return _inside(kind, encoded, start, end, levels - 1) if levels else None, end
    try:
        read, end = _decode_value(encoded, offset)
    except (ValueError, OverflowError, OSError):  # what a time raises depends on the platform
        return None, offset + 1 + _SIZES[kind]
    return read if not isinstance(read, int) or -_LIMIT <= read < _LIMIT else None, end


def _inside(kind: bytes, encoded: bytes, offset: int, end: int, levels: int) -> list[Any] | dict[str | bytes, Any]:
    values, table = list[Any](), dict[str | bytes, Any]()
    while offset < end:
        if kind == b"A":
            one, offset = value(encoded, offset, levels)
            values.append(one)
        else:
            name, offset = data.decode_short_string(encoded, offset)
            table[name], offset = value(encoded, offset, levels)
    return values if kind == b"A" else table
