"""The pages of configured cameras: the list, the form with its test, and the wait while the service starts anew."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import Any
from urllib.parse import quote, urlencode

from anyio import CapacityLimiter, to_thread
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.naming import slug
from app.web import audit, forms
from app.web.access.caller import Right, caller_of
from app.web.album.camera_form import CameraForm
from app.web.album.camera_makes import PUSHES, Make, make_of, makes, title_of
from app.web.album.languages import tr
from app.web.album.rendering import Rendering, is_part
from app.web.album.rule_form import Fields, one
from app.web.album.texts import problem, sentence
from app.web.api.camera_config import camera_named, config_of
from app.web.camera_config import CameraList, ConfiguredCamera, Saved, TriedCamera, Unwritable, Wish
from app.web.context import WebContext
from app.web.errors import BadRequest, NotFound, RequestRefused

HERE = "/settings/cameras"
TRIED_AT_ONCE = 4
"""Cameras; whoever presses the button more often waits."""
KEPT = 8
"""Pictures that were taken to try a camera."""


class CameraPages:
    """The handlers of configured cameras."""

    def __init__(self, context: WebContext, rendering: Rendering) -> None:
        self._context = context
        self._rendering = rendering
        self._trying = CapacityLimiter(TRIED_AT_ONCE)
        self._tried: OrderedDict[str, bytes] = OrderedDict()

    def routes(self) -> list[Route]:
        return [
            Route(HERE, self.listed),
            Route(f"{HERE}/new", self.new, methods=["GET"]),
            Route(f"{HERE}/new", self.save, methods=["POST"]),
            Route(f"{HERE}/test", self.try_out, methods=["POST"]),
            Route(f"{HERE}/seen", self.seen, methods=["POST"]),
            Route(f"{HERE}/tried/{{id}}", self.tried),
            Route(f"{HERE}/{{name}}", self.edit, methods=["GET"]),
            Route(f"{HERE}/{{name}}", self.save, methods=["POST"]),
            Route(f"{HERE}/{{name}}/delete", self.remove, methods=["POST"]),
        ]

    def address(self, request: Request, key: str = "") -> str:
        """Of the list, or of this camera's form; empty for whoever may not change it, or where nothing can."""
        caller = caller_of(request)
        if self._context.camera_config is None or not caller.may(Right.ADMIN) or caller.cameras:
            return ""
        return self._context.site.path(f"{HERE}/{quote(slug(key))}" if key else HERE)

    async def listed(self, request: Request) -> Response:
        known = await self._cameras()
        rows = [
            (camera, self._label(camera), self._address(camera), self._make(camera).title) for camera in known.cameras
        ]
        saved = next((self._label(one) for one in known.cameras if one.key == request.query_params.get("saved")), "")
        context = {"known": known, "rows": rows, "saved": saved}
        return self._rendering.page(request, "settings_cameras.html", context)

    async def new(self, request: Request) -> Response:
        return await self._form(request, await self._cameras(), None)

    async def edit(self, request: Request) -> Response:
        known = await self._cameras()
        return await self._form(request, known, camera_named(known, request.path_params["name"]))

    async def save(self, request: Request) -> Response:
        """Write the camera, or show the form again with what is wrong."""
        given, known = await forms.lists(request), await self._cameras()
        camera = camera_named(known, request.path_params["name"]) if "name" in request.path_params else None
        try:
            wish = self._wish(given, camera, version=one(given, "version"))
            saved = await run_in_threadpool(config_of(self._context).save, wish)
        except RequestRefused as refusal:
            return await self._form(request, await self._cameras(), camera, given=given, refusal=refusal)
        audit.say(request, "", subject=saved.key)
        return self._restarting(request, saved)

    async def remove(self, request: Request) -> Response:
        given, known = await forms.lists(request), await self._cameras()
        camera = camera_named(known, request.path_params["name"])
        try:
            config, version = config_of(self._context), one(given, "version")
            saved = await run_in_threadpool(lambda: config.remove(camera.key, version=version))
        except RequestRefused as refusal:
            return await self._form(request, await self._cameras(), camera, refusal=refusal)
        audit.say(request, "", subject=camera.key)
        return self._restarting(request, saved)

    async def try_out(self, request: Request) -> Response:
        """Take a picture with what the form says: a part of the page, or all of it with the form as it was."""
        given, known = await forms.lists(request), await self._cameras()
        camera = camera_named(known, one(given, "camera")) if one(given, "camera") else None
        try:
            wish = self._wish(given, camera)
            config = config_of(self._context)
            tried = await to_thread.run_sync(config.try_out, wish, limiter=self._trying)
        except RequestRefused as refusal:
            tried = TriedCamera(0, problem=refusal.detail)
        context = {
            "tried": tried,
            "picture": self._keep(tried.picture),
            "problem": sentence(problem(tried.problem)),
            "remedy": sentence(tr(tried.remedy)),
        }
        if is_part(request):
            return self._rendering.page(request, "_tried.html", context)
        return await self._form(request, known, camera, given=given, more=context)

    async def tried(self, request: Request) -> Response:
        """A picture that was just taken to try a camera."""
        picture = self._tried.get(request.path_params["id"])
        if picture is None:
            raise NotFound("unknown_picture", "This picture was only shown once.")
        return Response(picture, media_type="image/jpeg")

    async def seen(self, _: Request) -> Response:
        """Somebody has read why the last change was taken back."""
        await run_in_threadpool(config_of(self._context).forget_refusal)
        return RedirectResponse(self._context.site.path(HERE), 303)

    # -- what they share --------------------------------------------------------------------------

    async def _cameras(self) -> CameraList:
        return await run_in_threadpool(config_of(self._context).cameras)

    def _wish(self, given: Fields, camera: ConfiguredCamera | None, *, version: str = "") -> Wish:
        make = self._chosen(one(given, "make"), camera)
        values = CameraForm(make, camera).values(given)
        login = make.id == PUSHES or bool(one(given, "login"))
        return Wish(values, name=camera.key if camera else "", version=version, login=login)

    def _chosen(self, make: str, camera: ConfiguredCamera | None) -> Make:
        """Raises `BadRequest`."""
        if not make and camera is not None:
            return self._make(camera)
        found = next((known for known in makes(config_of(self._context).kinds) if known.id == make), None)
        if found is None:
            raise BadRequest("bad_field", "choose the make of the camera")
        return found

    async def _form(
        self,
        request: Request,
        known: CameraList,
        camera: ConfiguredCamera | None,
        *,
        given: Fields | None = None,
        refusal: RequestRefused | None = None,
        more: dict[str, Any] | None = None,
    ) -> Response:
        if camera is not None:  # as it is in the version that the form names
            camera = _as_in(known, camera)
        wanted = one(given, "make") if given else request.query_params.get("make", "")
        make = self._chosen(wanted, camera) if wanted or camera else None
        form = CameraForm(make, camera) if make else None
        first, rest = form.fields(given) if form else ([], [])
        context = {
            "known": known,
            "camera": camera,
            "label": self._label(camera) if camera else "",
            "make": make,
            "makes": [each for each in makes(config_of(self._context).kinds) if not camera or each.id != PUSHES],
            "first": first,
            "rest": rest,
            "elsewhere": form.elsewhere if form else [],
            "login": bool(given and one(given, "login")),
            "again": bool(given and one(given, "password")),
            "action": self._address(camera) if camera else self._context.site.path(f"{HERE}/new"),
            "problem": sentence(problem(refusal.detail)) if refusal else "",
            "to_copy": refusal.text if isinstance(refusal, Unwritable) else "",
            "tried": None,
            **(more or {}),
        }
        return self._rendering.page(
            request, "settings_camera.html", context, status_code=refusal.status if refusal else 200
        )

    def _restarting(self, request: Request, saved: Saved) -> Response:
        """The page that waits until the service has started anew."""
        context = {
            "process": config_of(self._context).process,
            "pushing": saved.pushing,
            "host": request.url.hostname or "",
            "next": f"{self._context.site.path(HERE)}?{urlencode({'saved': saved.key})}",
        }
        return self._rendering.page(request, "restarting.html", context)

    def _keep(self, picture: bytes) -> str:
        """The address of a picture for the next minutes; empty where there is none."""
        if not picture:
            return ""
        name = secrets.token_urlsafe(12)
        self._tried[name] = picture
        while len(self._tried) > KEPT:
            self._tried.popitem(last=False)
        return self._context.site.path(f"{HERE}/tried/{name}")

    def _label(self, camera: ConfiguredCamera) -> str:
        known = self._context.cameras.get(camera.key)
        return str(camera.values.get("label") or (known.label if known else "") or camera.key)

    def _make(self, camera: ConfiguredCamera) -> Make:
        if camera.fixed:
            return Make(camera.kind, camera.kind, "", title_of(camera.kind))
        return make_of(config_of(self._context).kinds, camera.kind, camera.values.get("preset"))

    def _address(self, camera: ConfiguredCamera) -> str:
        return self._context.site.path(f"{HERE}/{quote(slug(camera.key))}")


def _as_in(known: CameraList, camera: ConfiguredCamera) -> ConfiguredCamera:
    return next((each for each in known.cameras if each.key == camera.key), camera)
