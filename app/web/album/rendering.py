"""Renders templates: escaped, compiled once, with every address below the site's prefix."""

from __future__ import annotations

import gzip
from collections.abc import Hashable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.web.access.caller import NOBODY, caller_of
from app.web.album import languages
from app.web.album.assets import Assets
from app.web.album.languages.templates import TranslatingLoader
from app.web.album.theme import theme_of

TEMPLATES = (Path(__file__).parent / "templates", Path(__file__).parents[1] / "booth/templates")

WORTH_PACKING = 2_000
"""Bytes; a smaller page fits into a packet or two anyway."""

CARDS_KEPT = 120
"""Cards of the grid whose HTML is kept for the next page, in each language; that of one has 2 or 3 kB."""


@cache
def icon(name: str) -> Markup:
    """One of `_icons.html`. A page has hundreds."""
    return Markup(f'<svg class="icon" aria-hidden="true"><use href="#i-{escape(name)}"/></svg>')  # noqa: S704 - escaped


@cache
def rendering(*, prefix: str, version: str) -> Rendering:
    """What renders below this prefix: every application in this process shares what it compiled and packed."""
    return Rendering(prefix=prefix, version=version)


class Rendering:
    """Renders templates to pages. Thread-safe."""

    def __init__(self, *, prefix: str, version: str) -> None:
        self.assets = Assets()
        self._globals = {
            "path": lambda path: prefix + path,
            "asset": lambda name: prefix + self.assets.path(name),
            "version": version,
            "auth_method": None,
            "caller": NOBODY,
            "theme": "",
            "languages": languages.NAMES,
            "number": languages.number,
            "counted": languages.counted,
            "tr": languages.tr,
            "icon": icon,
        }
        self._environments: dict[str, Environment] = {}

    def text(self, template: str, **context: Any) -> str:
        """A part of a page."""
        return self.template(template).render(context)

    def template(self, name: str) -> Template:
        """In the language that is spoken; each has its own, which are compiled when they are first shown."""
        language = languages.current()
        environment = self._environments.get(language)
        if environment is None:
            environment = self._environments[language] = self._environment(language)
        return environment.get_template(name)

    def _environment(self, language: str) -> Environment:
        texts, scripts = languages.catalogue(language).texts, languages.catalogue(language).scripts
        environment = Environment(
            loader=TranslatingLoader(TEMPLATES, of=TEMPLATES[0], exchange=lambda text: texts.get(text, text)),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )

        @lru_cache(CARDS_KEPT)
        def card_of(card: Hashable) -> Markup:
            """The card as HTML: pages show the same ones again and again."""
            return environment.get_template("_macros.html").module.card(card)  # type: ignore[attr-defined, no-any-return]

        environment.globals.update(self._globals, language=language, script_texts=scripts, card_of=card_of)
        return environment

    def page(
        self,
        request: Request,
        template: str,
        context: Mapping[str, Any],
        *,
        status_code: int = 200,
    ) -> Response:
        """A page, or the part that htmx asked for. In templates `caller` is who reads it, by `auth_method`, and `theme`
        what was chosen here."""
        caller = caller_of(request)
        known = {"auth_method": caller.method, "caller": caller, "theme": theme_of(request)}
        text = self.text(template, **{**known, **context})
        content = text.encode()
        # Cached for going back only: a link loads it again.
        headers = {"Cache-Control": "private, no-cache", "Vary": "Accept-Encoding, Accept-Language, Cookie, HX-Request"}
        if len(content) > WORTH_PACKING and "gzip" in request.headers.get("accept-encoding", ""):
            content = gzip.compress(content, compresslevel=5, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return HTMLResponse(content, status_code=status_code, headers=headers)


def is_part(request: Request) -> bool:
    """Whether htmx asks for a part of a page rather than a browser for all of it."""
    return request.headers.get("hx-request") == "true"
