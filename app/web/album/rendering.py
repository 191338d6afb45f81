"""Renders templates: escaped, compiled once, with every address below the site's prefix."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.web.album.assets import Assets

TEMPLATES = (Path(__file__).parent / "templates", Path(__file__).parents[1] / "booth/templates")

WORTH_PACKING = 2_000
"""Bytes; a smaller page fits into a packet or two anyway."""


@cache
def rendering(*, prefix: str, version: str) -> Rendering:
    """What renders below this prefix: every application in this process shares what it compiled and packed."""
    return Rendering(prefix=prefix, version=version)


class Rendering:
    """Renders templates to pages. Thread-safe."""

    def __init__(self, *, prefix: str, version: str) -> None:
        self.assets = Assets()
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            path=lambda path: prefix + path,
            asset=lambda name: prefix + self.assets.path(name),
            version=version,
            auth_method=None,
        )

    def text(self, template: str, **context: Any) -> str:
        """A part of a page."""
        return self._environment.get_template(template).render(context)

    def page(
        self,
        request: Request,
        template: str,
        context: Mapping[str, Any],
        *,
        status_code: int = 200,
    ) -> Response:
        """A page, or the part that htmx asked for. In templates `auth_method` is how the reader got in."""
        state = request.scope.get("state", {})
        text = self.text(template, **{"auth_method": state.get("auth_method"), **context})
        content = text.encode()
        # Cached for going back only: a link loads it again.
        headers = {"Cache-Control": "private, no-cache", "Vary": "Accept-Encoding, HX-Request"}
        if len(content) > WORTH_PACKING and "gzip" in request.headers.get("accept-encoding", ""):
            content = gzip.compress(content, compresslevel=5, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return HTMLResponse(content, status_code=status_code, headers=headers)


def is_part(request: Request) -> bool:
    """Whether htmx asks for a part of a page rather than a browser for all of it."""
    return request.headers.get("hx-request") == "true"
