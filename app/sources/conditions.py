"""Conditions on JSON: which values have to stand at which dotted paths."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

Expected = bool | int | float | str | None
"""A value of JSON that is no map and no list."""

BOUNDS = ("above", "below")
WORDS: Final = {True: ("true", "on", "yes"), False: ("false", "off", "no")}
"""What YAML reads as true or false where it stands without quotes, as senders write it: `state: ON`."""
LONGEST_PATH = 200
SHOWN = 40


def at(value: object, path: str) -> Any:
    """What stands at a dotted path: `after.label`, `events.0.id`; None where nothing does.

    The empty path is the value itself. A key that has dots itself is found as well, where nothing else is called so.
    """
    if not path:
        return value
    if isinstance(value, Mapping) and path in value:
        return value[path]
    head, _, rest = path.partition(".")
    if isinstance(value, Mapping):
        return at(value[head], rest) if head in value else None
    if isinstance(value, list) and head.isascii() and head.isdecimal() and int(head[:9]) < len(value):
        return at(value[int(head[:9])], rest)
    return None


class Condition:
    """Dotted paths and what is expected there; all of them have to hold, and none always holds."""

    def __init__(self, wanted: Mapping[str, object]) -> None:
        """Each path's value, a list of values of which one must be met, or bounds: `{"above": 0, "below": 5}`.

        Raises `ValueError` for what can never hold.
        """
        self._wanted = {path: _checked(path, expected) for path, expected in wanted.items()}

    def holds(self, value: object) -> bool:
        """Whether a payload meets it."""
        return not self.unmet(value)

    def unmet(self, value: object) -> str:
        """The first thing that a payload does not meet, in words; empty when it meets all."""
        for path, expected in self._wanted.items():
            found = at(value, path)
            if not _meets(found, expected):
                return f"{path or 'the value'} is {_shown(found)}, not {_wanted(expected)}"
        return ""


def _checked(path: str, expected: object) -> Any:
    name = path[:SHOWN] or "the value"
    if not isinstance(path, str) or len(path) > LONGEST_PATH:
        raise ValueError(f"a path has at most {LONGEST_PATH} characters")
    if isinstance(expected, Mapping):
        return _checked_bounds(name, expected)
    for one in expected if isinstance(expected, list | tuple) else [expected]:
        if not isinstance(one, Expected) or (isinstance(one, float) and not math.isfinite(one)):
            raise ValueError(f"{name}: expects text, a number, true, false, null, a list of them, or above and below")
    if expected in ([], ()):
        raise ValueError(f"{name}: an empty list is never met")
    return list(expected) if isinstance(expected, tuple) else expected


def _checked_bounds(name: str, bounds: Mapping[Any, Any]) -> dict[str, float]:
    if not bounds or not set(bounds) <= set(BOUNDS):
        raise ValueError(f"{name}: bounds are `above` and `below`")
    for word, bound in bounds.items():
        if isinstance(bound, bool) or not isinstance(bound, int | float) or not math.isfinite(bound):
            raise ValueError(f"{name}: {word} must be a number")
    if len(bounds) == len(BOUNDS) and bounds["above"] >= bounds["below"]:
        raise ValueError(f"{name}: nothing is above {bounds['above']:g} and below {bounds['below']:g}")
    return {str(word): float(bound) for word, bound in bounds.items()}


def _meets(found: object, expected: Any) -> bool:
    if isinstance(expected, dict):
        number = _number(found)
        return number is not None and expected.get("above", -math.inf) < number < expected.get("below", math.inf)
    if isinstance(expected, list):
        return any(_meets(found, one) for one in expected)
    if isinstance(expected, bool):
        return found is expected or (isinstance(found, str) and found.strip().lower() in WORDS[expected])
    # To Python true is 1, to JSON it is not.
    return not isinstance(found, bool) and bool(found == expected)


def _number(value: object) -> float | None:
    """A number, also one that was sent as text (Home Assistant's states are)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value[:SHOWN]) if isinstance(value, str) else float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _wanted(expected: Any) -> str:
    if isinstance(expected, dict):
        return " and ".join(f"{word} {bound:g}" for word, bound in expected.items())
    if isinstance(expected, list):
        return " or ".join(_shown(one) for one in expected)
    return _shown(expected)


def _shown(value: object) -> str:
    """A value in a sentence: short, and printable."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, Mapping | list):
        return "a map" if isinstance(value, Mapping) else "a list"
    text = str(value) if not isinstance(value, int) or abs(value) < 10**SHOWN else "a huge number"
    short = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
    return repr(short) if isinstance(value, str) else short
