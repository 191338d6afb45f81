"""The booth's pages: the tablet's, its entrance, and the one that a guest's link opens."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.booth.booth import Booth
from app.booth.words import WORDS, words_of
from app.web import forms
from app.web.access import csrf
from app.web.access.authentication import BOOTH_COOKIE
from app.web.access.guard import BOOTH_ENTRANCE
from app.web.access.headers import CAMERA
from app.web.album.rendering import Rendering
from app.web.booth.endpoints import GIF
from app.web.context import WebContext
from app.web.deletion import remove
from app.web.errors import NotFound

LASTS_S = 400 * 86_400
"""Seconds that the tablet's cookie lasts: as long as browsers keep one."""
NO_STORE = {"Cache-Control": "private, no-store"}


class BoothPages:
    """The handlers of these pages."""

    def __init__(self, booth: Booth, context: WebContext, rendering: Rendering) -> None:
        self._booth = booth
        self._context = context
        self._rendering = rendering

    def routes(self) -> list[Route]:
        return [
            Route("/booth", self.page),
            Route(BOOTH_ENTRANCE, self.entrance),
            Route(BOOTH_ENTRANCE, self.enter, methods=["POST"]),
            Route("/booth/guests/{guest}", self.guest),
            Route("/booth/guests/{guest}", self.delete, methods=["POST"]),
            Route("/booth/guests/{guest}/animation", self.animation),
        ]

    async def page(self, request: Request) -> Response:
        """The tablet's."""
        settings, site = self._booth.settings, self._context.site
        booth = {
            "api": site.path("/api/booth"),
            "words": {language: dict(words) for language, words in WORDS.items()},
            "language": settings.language,
            "consent": settings.consent,
            "countdown": settings.countdown,
            "pace": settings.pace,
            "side": settings.size,
            "camera": "service" if self._booth.takes_pictures else "tablet",
            "colour": settings.colour,
            "background": settings.background,
            "gallery": settings.gallery,
        }
        context = {"booth": booth, "event": settings.event, "text": settings.text, "language": settings.language}
        answer = self._rendering.page(request, "booth.html", {**context, "words": words_of(settings.language)})
        answer.headers.update({**NO_STORE, "Permissions-Policy": CAMERA})
        return answer

    async def entrance(self, request: Request) -> Response:
        """Where a tablet's link leads: the token stands behind `#`, which no log and no proxy sees."""
        return self._entrance(request)

    async def enter(self, request: Request) -> Response:
        """Give the tablet its cookie, which opens nothing but the booth."""
        given = (await forms.fields(request)).get("token", "").strip()
        if self._context.access.booth_token(given) is None:
            return self._entrance(request, problem="This token opens no photo booth.", status=401)
        client, site = self._context.access.client(request), self._context.site
        answer = RedirectResponse(site.path("/booth"), 303)
        answer.set_cookie(
            BOOTH_COOKIE,
            given,
            max_age=LASTS_S,
            path=site.path("") or "/",
            secure=csrf.is_secure(request, https=client.https, site=site),
            httponly=True,
            samesite="lax",
        )
        return answer

    async def guest(self, request: Request) -> Response:
        """A guest's animation, and the button that deletes it; looking at it changes nothing."""
        guest = request.path_params["guest"]
        there = await run_in_threadpool(self._booth.kept.animation, guest) is not None
        return await self._guest(request, "there" if there else "gone")

    async def delete(self, request: Request) -> Response:
        """The button: files, rows and the stored object go."""
        guest = request.path_params["guest"]
        language = await run_in_threadpool(self._booth.kept.language_of, guest)
        await remove(self._context, guest)
        deleted = await run_in_threadpool(self._booth.kept.delete, guest)
        return await self._guest(request, "deleted" if deleted else "gone", language=language)

    async def animation(self, request: Request) -> Response:
        """A guest's animation."""
        data = await run_in_threadpool(self._booth.kept.animation, request.path_params["guest"])
        if data is None:
            raise NotFound("not_there", "these pictures are no longer here")
        return Response(data, media_type=GIF, headers=NO_STORE)

    async def _guest(self, request: Request, state: str, *, language: str = "") -> Response:
        guest = request.path_params["guest"]
        language = language or await run_in_threadpool(self._booth.kept.language_of, guest)
        query = request.scope["query_string"].decode("latin-1")
        here = self._context.site.path(f"/booth/guests/{guest}")
        context = {
            "state": state,
            "words": words_of(language),
            "language": language,
            "event": self._booth.settings.event,
            "action": f"{here}?{query}",
            "picture": f"{here}/animation?{query}",
        }
        answer = self._rendering.page(request, "guest.html", context)
        answer.headers.update(NO_STORE)
        return answer

    def _entrance(self, request: Request, *, problem: str = "", status: int = 200) -> Response:
        answer = self._rendering.page(request, "entrance.html", {"problem": problem}, status_code=status)
        answer.headers.update(NO_STORE)
        return answer
