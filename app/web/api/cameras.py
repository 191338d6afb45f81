"""The cameras: their list, and taking a picture with one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.journal.entries import Filter
from app.messages import Trigger
from app.naming import slug
from app.sources import new_trigger
from app.web.access.caller import Caller, caller_of
from app.web.api import request_models, response_models, validation
from app.web.api.common import ERRORS, FAILURES, accepted, error, may_see, require_camera
from app.web.api.filters import unknown_camera
from app.web.api.operation import BodySpec, Operation, json_of
from app.web.api.serialize import entry_json
from app.web.api.waiting import EventWait
from app.web.context import CameraInfo, WebContext


class CameraEndpoints:
    """The endpoints of cameras."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "GET",
                "/api/cameras",
                self.list_cameras,
                "The configured cameras",
                {200: json_of("All of them.", response_models.CamerasModel), **ERRORS},
                query=request_models.NoParams,
            ),
            Operation(
                "POST",
                "/api/cameras/{name:path}/trigger",
                self.trigger_camera,
                "Have a camera take a picture",
                {
                    200: json_of("The event, which came within `wait`.", response_models.SnapshotModel),
                    202: json_of("The trigger is on the disk.", response_models.AcceptedModel),
                    404: error("There is no such camera."),
                    **ERRORS,
                    **FAILURES,
                },
                query=request_models.WaitParams,
                body=BodySpec({"application/json": request_models.EventBody}, required=False),
                headers=("traceparent", "baggage"),
            ),
        ]

    async def list_cameras(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        listed = await run_in_threadpool(self._all, caller_of(request))
        return JSONResponse({"cameras": listed})

    def _all(self, caller: Caller) -> list[dict[str, Any]]:
        return [self._said(key, face) for key, face in self._context.cameras.items() if caller.sees(key)]

    async def trigger_camera(self, request: Request) -> Response:
        """202 with the event id once the trigger is recorded, or 200 with the event when it came within `wait`, which
        is asked for in vain where another replica takes the picture."""
        asked = validation.query(request, request_models.WaitParams)
        wait = asked.wait if may_see(request) else 0
        trigger = await self._trigger_of(request)
        elsewhere = not self._context.owns(trigger.camera)
        wait = 0 if elsewhere else wait
        with EventWait(self._context.live) as watch:
            await run_in_threadpool(self._context.intake.submit, trigger)
            if wait:
                await watch.until(trigger.id, wait)
        return await accepted(self._context, trigger.id, waited=wait > 0, elsewhere=elsewhere)

    async def _trigger_of(self, request: Request) -> Trigger:
        name = request.path_params["name"]
        camera = self._context.camera(name)
        if camera is None:
            raise unknown_camera(name, filter(caller_of(request).sees, self._context.cameras))
        require_camera(request, camera)
        event = await validation.body(request, request_models.EventBody)
        timestamp = event.timestamp
        return new_trigger(
            camera,
            label=self._context.cameras[camera].label,
            origin="http",
            timestamp=timestamp if isinstance(timestamp, datetime) else None,
            active_input=event.active_input,
            burst=event.burst.wish() if event.burst else None,
            traceparent=request.headers.get("traceparent", ""),
            baggage=request.headers.get("baggage", ""),
        )

    def _said(self, key: str, face: CameraInfo) -> dict[str, Any]:
        last = self._context.index.page(Filter(camera=key), limit=1)
        return {
            "device_key": key,
            "label": face.label,
            "name": slug(key),
            "circuit": str(face.circuit()),
            "retry_in_s": round(face.retry_in(), 1),
            "last_snapshot": entry_json(last[0], self._context.site) if last else None,
        }
