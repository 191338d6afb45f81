"""Templates in another language: the texts between and within their tags are exchanged before they are compiled.

So a template is plain English without marks, and none of its texts can be forgotten. A text ends at a tag, at a
statement and at a macro that draws an element; `{{ ... }}` within it stands in the translation, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

Exchange = Callable[[str], str]

_ELEMENT = (
    r"\{\{\s*(?:icon|m\.|time|chip|star|review|mark|bar|light|card|choice|twice|snoozed|asset|counted)[\w.]*\(.*?\}\}"
)
_SKIPPED = (
    r"\{#.*?#\}|\{% block body_class %\}.*?\{% endblock %\}"
    r"|<(?:pre|script|code|kbd|svg)\b.*?</(?:pre|script|code|kbd|svg)>"
)
_TAG = r"<[a-zA-Z/!](?:\{\{.*?\}\}|\{%.*?%\}|\"(?:\{\{.*?\}\}|\{%.*?%\}|[^\"])*\"|'(?:\{\{.*?\}\}|[^'])*'|[^<>\"'])*>"
_BREAK = re.compile(rf"({_SKIPPED}|{_TAG}|\{{%.*?%\}}|{_ELEMENT})", re.DOTALL)
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_SPOKEN = re.compile(
    r"(?<=\s)(aria-label|title|placeholder|alt|data-saved|data-too-large)="
    r"\"((?:\{\{.*?\}\}|\{%.*?%\}|[^\"])*)\"",
    re.DOTALL,
)
"""Attributes that people read or hear."""
_LETTERS = re.compile(r"[A-Za-z]{2}|\ba\b")
_ENTITY = re.compile(r"&\w+;")
_ATTRIBUTES = re.compile(r"[a-z-]+=\"")
"""Of a macro that makes some."""


class TranslatingLoader(FileSystemLoader):
    """Loads templates with the texts of one folder exchanged."""

    def __init__(self, folders: tuple[Path, ...], *, of: Path, exchange: Exchange) -> None:
        super().__init__(folders)
        self._of = of
        self._exchange = exchange

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        source, filename, is_current = super().get_source(environment, template)
        if Path(filename).parent == self._of:
            source = exchanged(source, self._exchange)
        return source, filename, is_current


def exchanged(source: str, exchange: Exchange) -> str:
    """A template's source with each of its texts exchanged."""
    parts = _BREAK.split(source)
    parts[::2] = [_text(part, exchange) for part in parts[::2]]
    parts[1::2] = [_tag(part, exchange) for part in parts[1::2]]
    return "".join(parts)


def texts_of(source: str) -> Iterator[str]:
    """A template's texts."""
    found: list[str] = []

    def note(text: str) -> str:
        found.append(text)
        return text

    exchanged(source, note)
    return iter(found)


def expressions(text: str) -> list[str]:
    """The `{{ ... }}` of a text, sorted."""
    return sorted(_EXPRESSION.findall(text))


def _tag(part: str, exchange: Exchange) -> str:
    if not part.startswith("<") or part.startswith(("<pre", "<script", "<code", "<kbd", "<svg")):
        return part
    return _SPOKEN.sub(lambda found: f'{found[1]}="{_attribute(found[2], exchange)}"', part)


def _attribute(value: str, exchange: Exchange) -> str:
    parts = re.split(r"(\{%.*?%\})", value)
    parts[::2] = [_text(part, exchange) for part in parts[::2]]
    return "".join(parts)


def _text(part: str, exchange: Exchange) -> str:
    text = part.strip()
    if not _LETTERS.search(_ENTITY.sub("", _EXPRESSION.sub("", text))) or _ATTRIBUTES.match(text):
        return part
    before, after = part[: len(part) - len(part.lstrip())], part[len(part.rstrip()) :]
    return before + exchange(re.sub(r"\s+", " ", text)) + after
