"""`.env` as both generations of compose read it: version 2, and 1.29 with python-dotenv.

The two agree only in part: in single quotes 1.29 still replaces `${NAME}` and halves backslashes, in double
quotes `\\$` is a dollar sign to version 2 alone, and a backslash before the closing quote makes 1.29 overlook
that quote. So a value is written in the plainest form that means the same to both, and what has none with the
help of two names, which both replace.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

DOLLAR, BACKSLASH = "LITERAL_DOLLAR", "LITERAL_BACKSLASH"
_HELPERS = {DOLLAR: "'$'", BACKSLASH: "\\"}

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]*")
_LITERAL = re.compile(r"(?:[^'\\$\x00-\x1f]|\$(?!\{))*")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "$": f"${{{DOLLAR}}}"}


def quoted(value: str) -> str:
    """The value as it has to stand behind `NAME=`."""
    if _PLAIN.fullmatch(value):
        return value
    if _LITERAL.fullmatch(value):
        return f"'{value}'"
    body = "".join(_ESCAPES.get(character, character) for character in value)
    if value.endswith("\\"):
        body = f"{body[:-2]}${{{BACKSLASH}}}"
    return f'"{body}"'


def render(values: Mapping[str, str]) -> str:
    """One line for each value, in the order of the names."""
    lines = [f"{name}={quoted(value)}\n" for name, value in sorted(values.items())]
    needed = {name: text for name, text in _HELPERS.items() if any(f"${{{name}}}" in line for line in lines)}
    return "".join([*(f"{name}={text}\n" for name, text in needed.items()), *lines])


def read(path: Path) -> dict[str, str]:
    """The names and values of a `.env`, whoever wrote it; empty without a file. A name without `=` is left out."""
    if not path.is_file():
        return {}
    values = dotenv_values(path, encoding="utf-8-sig")
    return {name: value for name, value in values.items() if value is not None and name not in _HELPERS}
