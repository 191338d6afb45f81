"""A small web side behind the real guard: a page, an API, pictures, what is open, and the login."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.web.access import Authentication, login_routes, middleware
from app.web.links import Links
from app.web.settings import WebSettings
from pylib.settings.credentials import Secret
from tests.fakes.clock import Clock

PASSWORD = "correct horse: ü"
PATHS = (
    "/",
    "/api/cameras",
    "/api/cameras/{name:path}/trigger",
    "/api/hooks/{hook}",
    "/api/snapshots/{id}",
    "/health/live",
    "/health/ready",
    "/metrics",
    "/cameras",
    "/cameras/{name:path}",
    "/favicon.ico",
    "/static/{path:path}",
)
PICTURES = ("image", "thumbnail", "preview", "annotated")


class Home:
    """The application, and everything around it that a test may want to turn."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        given: dict[str, Any] = {"host": "0.0.0.0", "password": PASSWORD, **settings}
        given["password"] = Secret(given["password"])
        self.clock = Clock()
        self.access = Authentication(WebSettings(**given), folder=folder, clock=self.clock, monotonic=self.clock)
        self.made = self.access.open()
        self.links = Links(self.access.link_key, clock=self.clock)
        self.reached: list[str] = []
        routes = [Route(path, self.answer, methods=["GET", "POST", "PATCH", "DELETE"]) for path in PATHS]
        pictures = [Route(f"/api/snapshots/{{id}}/{kind}", self.picture) for kind in PICTURES]
        self.app = Starlette(
            routes=[*pictures, *routes, *login_routes(self.access, _render)],
            middleware=middleware(self.access, self.links),
        )
        self.app.router.redirect_slashes = False

    async def answer(self, request: Request) -> Response:
        self.reached.append(request.url.path)
        return PlainTextResponse(str(request.state.auth_method))

    async def picture(self, request: Request) -> Response:
        self.reached.append(request.url.path)
        return Response(b"picture", media_type="image/jpeg")


def _render(_: Request, template: str, context: Mapping[str, Any]) -> Response:
    return PlainTextResponse(f"{template} next={context['next']} problem={context['problem']}")
