"""The cameras: which there are, and having one take a picture."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.cache import slug
from app.journal.entries import Filter
from app.messages import Trigger
from app.triggers.intake import new_trigger
from app.web.api import answers, questions, reading
from app.web.api.common import ERRORS, FAILURES, accepted, error
from app.web.api.entries import entry_json
from app.web.api.operation import Body, Operation, json_of
from app.web.api.waiting import Watch
from app.web.errors import NotFound
from app.web.parts import CameraFace, Parts


class Cameras:
    """The endpoints of cameras."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "GET",
                "/api/cameras",
                self.list_cameras,
                "The configured cameras",
                {200: json_of("All of them.", answers.Cameras), **ERRORS},
                query=questions.Nothing,
            ),
            Operation(
                "POST",
                "/api/cameras/{name:path}/trigger",
                self.trigger_camera,
                "Have a camera take a picture",
                {
                    200: json_of("The event, which came within `wait`.", answers.Snapshot),
                    202: json_of("The trigger is on the disk.", answers.Accepted),
                    404: error("There is no such camera."),
                    **ERRORS,
                    **FAILURES,
                },
                query=questions.Waiting,
                body=Body({"application/json": questions.Event}, required=False),
                headers=("traceparent", "baggage"),
            ),
        ]

    async def list_cameras(self, request: Request) -> Response:
        reading.query(request, questions.Nothing)
        listed = await run_in_threadpool(lambda: [self._said(key, face) for key, face in self._parts.cameras.items()])
        return JSONResponse({"cameras": listed})

    async def trigger_camera(self, request: Request) -> Response:
        """202 with the event id once the trigger is recorded, or 200 with the event when it came within `wait`."""
        wait = reading.query(request, questions.Waiting).wait
        trigger = await self._trigger_of(request)
        with Watch(self._parts.live) as watch:
            await run_in_threadpool(self._parts.intake.submit, trigger)
            if wait:
                await watch.until(trigger.id, wait)
        return await accepted(self._parts, trigger.id, waited=wait > 0)

    async def _trigger_of(self, request: Request) -> Trigger:
        name = request.path_params["name"]
        camera = self._parts.camera(name)
        if camera is None:
            known = ", ".join(self._parts.cameras) or "none"
            raise NotFound("unknown_camera", f"no camera {name[:60]!r}; there are: {known}")
        event = await reading.body(request, questions.Event)
        timestamp = event.timestamp
        return new_trigger(
            camera,
            label=self._parts.cameras[camera].label,
            origin="http",
            timestamp=timestamp if isinstance(timestamp, datetime) else None,
            active_input=event.active_input,
            traceparent=request.headers.get("traceparent", ""),
            baggage=request.headers.get("baggage", ""),
        )

    def _said(self, key: str, face: CameraFace) -> dict[str, Any]:
        last = self._parts.journal.page(Filter(camera=key), limit=1)
        return {
            "device_key": key,
            "label": face.label,
            "name": slug(key),
            "circuit": str(face.circuit()),
            "retry_in_s": round(face.retry_in(), 1),
            "last_snapshot": entry_json(last[0], self._parts.site) if last else None,
        }
