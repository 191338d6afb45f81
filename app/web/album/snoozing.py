"""Snoozes: by the buttons of a camera's page, and by the one button that a link in a message leads to."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.naming import slug
from app.rules.telling import Snooze
from app.web import forms
from app.web.album.languages import tr
from app.web.album.rendering import Rendering
from app.web.album.view import Viewer
from app.web.context import WebContext
from app.web.errors import BadRequest
from app.web.links import SNOOZE
from app.web.rules import ALL_CAMERAS, snoozable

HOUR_S = 3600.0
MORNING = time(7)
"""When "until tomorrow" ends."""


class SnoozeView(NamedTuple):
    """A snooze in words."""

    camera: str
    """What people call the place; empty for all cameras."""
    until: str
    """`15:30`, `tomorrow, 7:00`; empty until somebody ends it."""
    action: str
    """Where a form ends it."""


class Snoozing:
    """The handlers of snoozes."""

    def __init__(self, context: WebContext, rendering: Rendering, view: Viewer) -> None:
        self._context = context
        self._rendering = rendering
        self._view = view

    def routes(self) -> list[Route]:
        return [
            Route("/snoozes/{name}", self.change, methods=["POST"]),
            Route(f"/{SNOOZE}/{{name}}", self.show, methods=["GET"]),
            Route(f"/{SNOOZE}/{{name}}", self.press, methods=["POST"]),
        ]

    async def change(self, request: Request) -> Response:
        """Begin or end a snooze, of the camera's page or of all cameras."""
        camera = snoozable(self._context, request.path_params["name"])
        form = await forms.fields(request)
        if form.get("end"):
            await run_in_threadpool(self._context.telling.wake, camera)
        else:
            seconds = self._seconds(form.get("for", ""))
            await run_in_threadpool(lambda: self._context.telling.snooze(camera, seconds=seconds))
        page = f"/cameras/{slug(camera)}" if camera else "/rules"
        return RedirectResponse(self._context.site.path(page), 303)

    async def show(self, request: Request) -> Response:
        """The page with one button; looking at it changes nothing, whoever follows links in mails."""
        camera = snoozable(self._context, request.path_params["name"])
        snooze = await run_in_threadpool(self._context.telling.snoozed, camera)
        context = {
            "label": self.label(camera),
            "snooze": self.view(snooze) if snooze else None,
            "ends_here": snooze is not None and snooze.camera == camera,
            "action": self._here(request),
        }
        return self._rendering.page(request, "snooze.html", context)

    async def press(self, request: Request) -> Response:
        """The button, or the one that takes it back."""
        camera = snoozable(self._context, request.path_params["name"])
        if (await forms.fields(request)).get("end"):
            await run_in_threadpool(self._context.telling.wake, camera)
        else:
            await run_in_threadpool(lambda: self._context.telling.snooze(camera, seconds=HOUR_S))
        return RedirectResponse(self._here(request), 303)

    def view(self, snooze: Snooze) -> SnoozeView:
        name = slug(snooze.camera) if snooze.camera else ALL_CAMERAS
        until = self._until(snooze.until) if snooze.until is not None else ""
        return SnoozeView(self.label(snooze.camera), until, self._context.site.path(f"/snoozes/{name}"))

    def of_camera(self, camera: str) -> dict[str, Any]:
        """What a camera's page shows of it."""
        snooze = self._context.telling.snoozed(camera)
        return {
            "snooze": self.view(snooze) if snooze else None,
            "snooze_action": self._context.site.path(f"/snoozes/{slug(camera) if camera else ALL_CAMERAS}"),
        }

    def label(self, camera: str) -> str:
        """What people call the place; empty for all cameras, and for one that is no longer configured its key."""
        info = self._context.cameras.get(camera)
        return info.label if info else camera

    def _until(self, moment: float) -> str:
        until = self._view.moment(datetime.fromtimestamp(moment, UTC))
        days = (datetime.fromisoformat(until.day).date() - self._view.today()).days
        return until.short if days == 0 else f"{tr('tomorrow') if days == 1 else until.day_text}, {until.short}"

    def _seconds(self, wanted: str) -> float | None:
        if wanted == "hour":
            return HOUR_S
        if wanted == "ever":
            return None
        if wanted != "tomorrow":
            raise BadRequest("bad_field", "for is hour, tomorrow or ever")
        now = datetime.now(self._context.zone)
        morning = datetime.combine(now.date() + timedelta(days=1), MORNING, self._context.zone)
        return (morning - now).total_seconds()

    def _here(self, request: Request) -> str:
        """The link itself, which may be all that the reader has."""
        path = self._context.site.path(quote(request.scope["path"]))
        query = request.scope["query_string"].decode("latin-1")
        return f"{path}?{query}" if query else path
