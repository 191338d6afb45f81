"""Pydantic's errors, reworded for the person who wrote the configuration."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic_core import ErrorDetails

_MAX_QUOTED = 60

_SENTENCES = {
    "missing": "is required",
    "bool_parsing": "{value} is neither true nor false",
    "bool_type": "{value} is neither true nor false",
    "int_parsing": "{value} is not a whole number",
    "int_parsing_size": "{value} is too large",
    "int_type": "{value} is not a whole number",
    "int_from_float": "{value} is not a whole number",
    "float_parsing": "{value} is not a number",
    "float_type": "{value} is not a number",
    "literal_error": "{value} is not one of {expected}",
    "unknown_kind": "{value} is not one of {expected}",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "{value} does not have the form {pattern}",
    "string_unicode": "holds bytes that are not UTF-8",
    "path_type": "must be a path",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be a section with settings of its own",
    "model_type": "must be a section with settings of its own",
}


def error_text(
    error: ErrorDetails, *, known: Iterable[str] = (), owners: Sequence[str] = (), secret: bool = False
) -> str:
    """One sentence without its subject.

    `known` are the names that a misspelt one may have meant, `owners` the other kinds that have it. The value
    is quoted only when it is short, of a type that shows nothing secret, and `secret` is not set.
    """
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    shown = _shown(value, secret=secret)
    if kind == "extra_forbidden":
        if owners:
            return f"is a setting of kind {' or '.join(owners)} only"
        return f"is not a setting{did_you_mean(error['loc'][-1], known)}"
    if kind == "string_type":
        scalar = not isinstance(value, (dict, list))
        return "must be text: put it in quotes" if scalar else "must be text, not a list or section"
    if kind == "value_error":
        return str(context["error"])
    sentence = _SENTENCES.get(kind)
    if sentence is None:
        # "Input should be greater than 0": pydantic's own words never hold the value.
        return error["msg"].replace("Input should", "must").replace("Input is", "is") + f"{shown and ', not '}{shown}"
    expected = str(context.get("expected", "")).replace("'", "")
    text = sentence.format(value=shown, expected=expected, pattern=context.get("pattern")).lstrip()
    guess = did_you_mean(value, expected.replace(" or ", ", ").split(", ")) if shown and expected else ""
    return text + guess


def did_you_mean(word: Any, known: Iterable[str]) -> str:
    """`; did you mean timeout?`, or nothing when no known word is close, in whatever letters."""
    words = {name.lower(): name for name in known}
    close = difflib.get_close_matches(str(word).lower(), words, n=1)
    return f"; did you mean {words[close[0]]}?" if close else ""


def _shown(value: Any, *, secret: bool) -> str:
    if secret or not isinstance(value, (str, int, float)) or len(str(value)) > _MAX_QUOTED:
        return ""
    # A URL or an address may carry a login, wherever it was put by mistake.
    return "" if isinstance(value, str) and "@" in value else repr(value)
