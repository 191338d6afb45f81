"""Languages of the album. English is written in the templates and in the code, and is the key; what each other language
says instead stands in one file here, `de.toml` for German. A page speaks the language of the request that asks for it.

Another language is another file, its name in `NAMES`, and, where its plurals are not as German's, its rule in `_form`.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from app.journal.entries import Entry
from app.web.album.languages.sayings import NUMBER, Sayings

ENGLISH = "en"
NAMES = {ENGLISH: "English", "de": "Deutsch"}
"""What their speakers call them."""
COOKIE = "language"
"""Which one was chosen on this device; without it the browser's counts."""

_current: ContextVar[str] = ContextVar("language", default=ENGLISH)


class Catalogue(NamedTuple):
    """What a language says for each English text."""

    texts: Mapping[str, str]
    plurals: Mapping[str, tuple[str, ...]]
    """By the English plural: `{n} pictures`."""
    sayings: Sayings
    """Of other parts, with values in them that only they know."""
    scripts: str
    """Those that scripts show, as JSON for the page; empty in English."""


@cache
def catalogue(language: str) -> Catalogue:
    """All texts of a language, read once; English has none."""
    if language == ENGLISH:
        return Catalogue({}, {}, Sayings({}), "")
    sections = tomllib.loads((Path(__file__).parent / f"{language}.toml").read_text(encoding="utf-8"))
    entries = [entry for section in sections.values() for entry in section.items()]
    return Catalogue(
        texts={text: said for text, said in entries if isinstance(said, str)},
        plurals={text: tuple(said) for text, said in entries if not isinstance(said, str)},
        sayings=Sayings(sections["sayings"]),
        # Within a script element nothing may look like its end.
        scripts=json.dumps(sections["scripts"], ensure_ascii=False).replace("<", "\\u003c"),
    )


def current() -> str:
    """The language that is spoken here and now."""
    return _current.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak this language inside."""
    before = _current.set(language)
    try:
        yield
    finally:
        _current.reset(before)


def tr(text: str, /, **values: object) -> str:
    """An English text in the language that is spoken, or as it is where that has none; `{name}` stands for a value."""
    known = catalogue(current())
    said = known.texts.get(text)
    if values:
        return (said or text).format(**values)
    return said or known.sayings.repeated(text, _value)


def _value(text: str) -> str:
    return text.translate(_MARKS) if NUMBER.fullmatch(text) else tr(text)


def counted(count: int, one: str, many: str) -> str:
    """`1 person`, `2 people`."""
    forms = catalogue(current()).plurals.get(f"{{n}} {many}", (f"{{n}} {one}", f"{{n}} {many}"))
    return forms[_form(count)].format(n=number(count))


def number(value: float, digits: int = 0) -> str:
    """`1,204`, or in German `1.204`."""
    text = f"{value:,.{digits}f}"
    return text if current() == ENGLISH else text.translate(_MARKS)


_MARKS = str.maketrans(",.", ".,")


def _form(count: int) -> int:
    return 0 if count == 1 else 1


@dataclass(frozen=True, slots=True)
class InLanguage:
    """What renders an event, in one language whatever thread calls it; equal to another of the same two."""

    language: str
    render: Callable[[Entry], str]

    def __call__(self, entry: Entry) -> str:
        with speaking(self.language):
            return self.render(entry)


def language_of(request: HTTPConnection) -> str:
    """The one that was chosen on this device, else the first of the browser's that there is, else English."""
    chosen = request.cookies.get(COOKIE, "")
    if chosen in NAMES:
        return chosen
    return next(filter(NAMES.__contains__, _accepted(request.headers.get("accept-language", ""))), ENGLISH)


def _accepted(header: str) -> list[str]:
    """The languages of an `Accept-Language`, the dearest first: `de-AT,en;q=0.8` is `de`, `en`."""
    found = []
    for item in header[:1000].split(","):
        tag, _, weight = item.partition(";q=")
        try:
            dear = float(weight or 1)
        except ValueError:
            dear = 0.0
        if dear > 0:
            found.append((dear, tag.strip().partition("-")[0].lower()))
    return [language for _, language in sorted(found, key=lambda one: -one[0])]


class Speaking:
    """Middleware: within a request its language is spoken."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with speaking(language_of(HTTPConnection(scope))):
            await self._app(scope, receive, send)
