"""Switches: what somebody chooses for this device, theme or language. A cookie remembers it."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.web import forms
from app.web.site import Site

A_YEAR_S = 31_536_000


class Switch:
    """The handler of one switch's form."""

    def __init__(self, site: Site, name: str, words: Collection[str]) -> None:
        """`name`: of the address, the field and the cookie; any word but these forgets the choice."""
        self._site = site
        self._name = name
        self._words = words

    def routes(self) -> list[Route]:
        return [Route(f"/{self._name}", self.switch, methods=["POST"])]

    async def switch(self, request: Request) -> Response:
        """Remember the choice for a year, and go back to the page that the form was on."""
        chosen = (await forms.fields(request)).get(self._name, "")
        came = urlsplit(request.headers.get("referer", ""))
        path = "/" + came.path.lstrip("/\\") if came.path else self._site.path("/")  # never another host
        response = RedirectResponse(f"{path}?{came.query}" if came.query else path, 303)
        attributes = {"path": self._site.path("/"), "secure": self._site.https, "samesite": "lax"}
        if chosen in self._words:
            response.set_cookie(self._name, chosen, max_age=A_YEAR_S, httponly=True, **attributes)  # type: ignore[arg-type]
        else:
            response.delete_cookie(self._name, httponly=True, **attributes)  # type: ignore[arg-type]
        return response
