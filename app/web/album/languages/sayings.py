"""What other parts of the service say, with their values in it: known by the words around them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

_VALUE = re.compile(r"\{(\w+)\}")
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


class _Saying(NamedTuple):
    begin: str
    """What stands before the first value: it is quick to look for."""
    pattern: re.Pattern[str]
    said: str


class Sayings:
    """Texts of other parts with their translation, `{name}` for a value in both."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        # That with more words of its own first: "no {labels}" is the last to be tried.
        known = sorted(texts, key=lambda text: -len(_VALUE.sub("", text)))
        self._known = [_Saying(text.partition("{")[0], _pattern(text), texts[text]) for text in known]

    def repeated(self, text: str, value: Callable[[str], str]) -> str:
        """What was said, translated, or as it is where nobody knows it. `value` makes the values of the language."""
        for known in self._known:
            if text.startswith(known.begin) and (found := known.pattern.fullmatch(text)):
                return known.said.format(**{name: value(one) for name, one in found.groupdict().items()})
        return text


def _pattern(text: str) -> re.Pattern[str]:
    parts = _VALUE.split(text)
    parts[::2] = map(re.escape, parts[::2])
    parts[1::2] = [f"(?P<{name}>.+)" for name in parts[1::2]]
    return re.compile("".join(parts))
