"""The language of `q` in Drive's files.list, as far as it is used; what is not known here is refused.

After the Drive API v2 reference, "Search query terms and operators".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.simulators.drive_description import Violation

ROOT = "0Aroot"
"""Id of the account's top folder, which `root` stands for."""

Matches = Callable[[Mapping[str, Any]], bool]
"""Whether a file resource, its `labels` and `properties` included, is found."""

_TOKEN = re.compile(r"\s*(?:'((?:[^'\\]|\\['\\])*)'|([A-Za-z]+)|(!=|=|[(){}]))")
_TEXTS = ("title", "mimeType")
_LABELS = ("trashed", "starred")


def parse(query: str) -> Matches:
    """A query as a function of a file. Raises `Violation`."""
    tokens, position = [], 0
    query = query.rstrip()
    while position < len(query):
        match = _TOKEN.match(query, position)
        if match is None:
            raise Violation(f"q at {position}: {query}")
        text, word, sign = match.groups()
        tokens.append(("text", re.sub(r"\\(.)", r"\1", text)) if text is not None else ("word", word or sign))
        position = match.end()
    parser = _Parser(tokens, query)
    matches = parser.either()
    if parser.tokens:
        raise parser.refuse()
    return matches


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], query: str) -> None:
        self.tokens = tokens
        self._query = query

    def refuse(self) -> Violation:
        return Violation(f"q, {len(self.tokens)} words before its end: {self._query}")

    def either(self) -> Matches:
        matches = self.both()
        while self.accept("or"):
            matches = _or(matches, self.both())
        return matches

    def both(self) -> Matches:
        matches = self.one()
        while self.accept("and"):
            matches = _and(matches, self.one())
        return matches

    def one(self) -> Matches:
        if self.accept("not"):
            inner = self.one()
            return lambda file: not inner(file)
        if self.accept("("):
            inner = self.either()
            self.expect(")")
            return inner
        if self.tokens and self.tokens[0][0] == "text":
            return self.parent()
        return self.term(self.word())

    def parent(self) -> Matches:
        parent = self.text()
        parent = ROOT if parent == "root" else parent
        self.expect("in")
        self.expect("parents")
        return lambda file: any(one["id"] == parent for one in file["parents"])

    def term(self, name: str) -> Matches:
        if name == "properties":
            return self.properties()
        operator = self.word()
        if name in _LABELS and operator in ("=", "!="):
            wanted = {"true": True, "false": False}.get(self.word())
            if wanted is None:
                raise self.refuse()
            return lambda file: (file["labels"][name] == wanted) == (operator == "=")
        if name in _TEXTS and operator in ("=", "!="):
            value = self.text()
            return lambda file: (file[name] == value) == (operator == "=")
        if name in _TEXTS and operator == "contains":  # a prefix, says the reference
            prefix = self.text()
            return lambda file: str(file[name]).startswith(prefix)
        raise self.refuse()

    def properties(self) -> Matches:
        self.expect("has")
        self.expect("{")
        wanted: dict[str, str] = {}
        while not wanted or self.accept("and"):
            name = self.word()
            self.expect("=")
            wanted[name] = self.text()
        self.expect("}")
        if set(wanted) != {"key", "value", "visibility"} or wanted["visibility"] not in ("PRIVATE", "PUBLIC"):
            raise self.refuse()
        return lambda file: any(
            all(one.get(name) == value for name, value in wanted.items()) for one in file["properties"]
        )

    def accept(self, word: str) -> bool:
        if self.tokens and self.tokens[0] == ("word", word):
            self.tokens.pop(0)
            return True
        return False

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise self.refuse()

    def word(self) -> str:
        return self._take("word")

    def text(self) -> str:
        return self._take("text")

    def _take(self, kind: str) -> str:
        if not self.tokens or self.tokens[0][0] != kind:
            raise self.refuse()
        return self.tokens.pop(0)[1]


def _or(left: Matches, right: Matches) -> Matches:
    return lambda file: left(file) or right(file)


def _and(left: Matches, right: Matches) -> Matches:
    return lambda file: left(file) and right(file)
