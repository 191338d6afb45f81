"""The cameras of config.yml: read, tried, added, changed and removed."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.naming import CameraNames, UnknownCamera
from app.web import audit
from app.web.api import camera_config_models as models
from app.web.api import request_models, validation
from app.web.api.common import ERRORS, error
from app.web.api.operation import BodySpec, Operation, ResponseSpec, json_of
from app.web.camera_config import CameraConfig, CameraList, ConfiguredCamera, Saved, Wish
from app.web.context import WebContext
from app.web.errors import NotFound

WRITING = {
    404: error("There is no such camera, or this service's cameras cannot be changed here."),
    409: error("The file cannot be written, is broken, or was changed by somebody else meanwhile."),
    422: error("The configuration would be wrong; the sentence says why."),
}


class CameraConfigEndpoints:
    """The endpoints of configured cameras."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def operations(self) -> list[Operation]:
        path, one = "/api/config/cameras", "/api/config/cameras/{name:path}"
        none = request_models.NoParams
        body = BodySpec({"application/json": models.CameraWishBody})
        saved = json_of("It is written; the service starts anew.", models.SavedCameraModel)
        found = json_of("As the file has them now.", models.CameraConfigModel)
        tried = json_of("What became of it.", models.TriedCameraModel)
        read: Mapping[int, ResponseSpec] = {200: found, **ERRORS, 404: WRITING[404]}
        return [
            Operation("GET", path, self.get_camera_config, "The configured cameras", read, none),
            Operation("POST", path, self.add_camera, "Add a camera", {200: saved, **ERRORS, **WRITING}, none, body),
            Operation(
                "POST",
                f"{path}/test",
                self.try_camera,
                "Take a picture with a camera as it would be configured; nothing is written or recorded",
                {200: tried, **ERRORS, **WRITING},
                none,
                body,
            ),
            Operation(
                "GET",
                one,
                self.get_configured_camera,
                "A configured camera, without its secrets",
                {
                    200: json_of("As the file has it now.", models.ConfiguredCameraModel),
                    **ERRORS,
                    404: WRITING[404],
                },
                none,
            ),
            Operation(
                "PUT", one, self.put_camera, "Change a camera's settings", {200: saved, **ERRORS, **WRITING}, none, body
            ),
            Operation(
                "DELETE",
                one,
                self.remove_camera,
                "Remove a camera from the configuration; its pictures stay",
                {200: saved, **ERRORS, **WRITING},
                models.CameraVersionParams,
            ),
        ]

    async def get_camera_config(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        config = config_of(self._context)
        listed = await run_in_threadpool(config.cameras)
        cameras = [_camera(camera) for camera in listed.cameras]
        said = {"path": listed.path, "version": listed.version, "problem": listed.problem, "refusal": listed.refusal}
        return JSONResponse({**said, "process": config.process, "cameras": cameras})

    async def get_configured_camera(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        listed = await run_in_threadpool(config_of(self._context).cameras)
        return JSONResponse(_camera(camera_named(listed, request.path_params["name"])))

    async def add_camera(self, request: Request) -> Response:
        return await self._save(request, "")

    async def put_camera(self, request: Request) -> Response:
        """All its settings as they shall be; a secret that is left out stays."""
        listed = await run_in_threadpool(config_of(self._context).cameras)
        return await self._save(request, camera_named(listed, request.path_params["name"]).key)

    async def remove_camera(self, request: Request) -> Response:
        asked = validation.query(request, models.CameraVersionParams)
        config = config_of(self._context)
        key = camera_named(await run_in_threadpool(config.cameras), request.path_params["name"]).key
        return JSONResponse(_saved(await run_in_threadpool(lambda: config.remove(key, version=asked.version))))

    async def try_camera(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        config, given = config_of(self._context), await validation.body(request, models.CameraWishBody)
        key = ""
        if given.name:
            key = camera_named(await run_in_threadpool(config.cameras), given.name).key
        tried = await run_in_threadpool(config.try_out, Wish(given.settings, name=key))
        return JSONResponse({**asdict(tried), "picture": base64.b64encode(tried.picture).decode()})

    async def _save(self, request: Request, key: str) -> Response:
        validation.query(request, request_models.NoParams)
        given = await validation.body(request, models.CameraWishBody, required=True)
        wish = Wish(given.settings, name=key, version=given.version, login=given.ftp_login)
        saved = await run_in_threadpool(config_of(self._context).save, wish)
        audit.say(request, "", subject=saved.key)
        return JSONResponse(_saved(saved))


def config_of(context: WebContext) -> CameraConfig:
    """Raises `NotFound` where the cameras cannot be changed."""
    if context.camera_config is None:
        raise NotFound("no_config", "the cameras of this service cannot be changed here")
    return context.camera_config


def camera_named(listed: CameraList, name: str) -> ConfiguredCamera:
    """The camera of this name, in any spelling. Raises `NotFound`."""
    try:
        key = CameraNames([camera.key for camera in listed.cameras]).find(name)
    except UnknownCamera as error:
        raise NotFound("unknown_camera", error.detail) from None
    return next(camera for camera in listed.cameras if camera.key == key)


def _camera(camera: ConfiguredCamera) -> dict[str, Any]:
    return {
        "device_key": camera.key,
        "kind": camera.kind,
        "settings": dict(camera.values),
        "secrets": sorted(camera.secrets),
        "environment": dict(camera.environment),
        "fixed": camera.fixed,
        "ftp_login": camera.login,
    }


def _saved(saved: Saved) -> dict[str, Any]:
    pushing = asdict(saved.pushing) if saved.pushing else None
    return {"device_key": saved.key, "version": saved.version, "ftp": pushing}
