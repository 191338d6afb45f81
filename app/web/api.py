"""The HTTP API: trigger a camera, read an event and its pictures, ask for health and metrics."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from app import wire
from app.cache import slug
from app.journal import Journal
from app.media.annotate import annotate
from app.media.thumbnail import thumbnail
from app.messages import Inspection, Snapshot, Trigger
from app.triggers.intake import Intake, new_trigger
from app.web.access import Access, Guard
from app.web.live import Live
from pylib.errors import Permanent, Transient
from pylib.health import Health

LONGEST_WAIT_S = 120.0
LARGEST_BODY = 64 * 1024


class BadRequest(Permanent):
    """The caller has to say it differently."""


class NotFound(Permanent):
    """There is no such thing."""


@dataclass(frozen=True, slots=True)
class Api:
    """The endpoints, over the parts of the service that they may touch."""

    cameras: Mapping[str, str]
    """Device key -> label."""
    intake: Intake
    journal: Journal
    live: Live
    health: Health
    metrics: Callable[[], bytes]
    access: Access

    def application(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/api/cameras", self.list_cameras),
                Route("/api/cameras/{name:path}/trigger", self.trigger, methods=["POST"]),
                Route("/api/snapshots", self.list_snapshots),
                Route("/api/snapshots/{id}", self.snapshot),
                Route("/api/snapshots/{id}/image", self.image),
                Route("/api/snapshots/{id}/thumbnail", self.thumbnail),
                Route("/api/snapshots/{id}/annotated", self.annotated),
                Route("/health/live", self.live_health),
                Route("/health/ready", self.ready_health),
                Route("/metrics", self.exposition),
            ],
            middleware=[Middleware(Guard, access=self.access)],
            exception_handlers={BadRequest: _status(400), NotFound: _status(404), Transient: _status(503)},
        )

    async def list_cameras(self, _: Request) -> Response:
        return JSONResponse({"cameras": [{"device_key": key, "label": label} for key, label in self.cameras.items()]})

    async def trigger(self, request: Request) -> Response:
        """202 with the event id once the trigger is recorded, or 200 with the event when it came within `wait`."""
        wait = _wait_of(request)
        trigger = await self._trigger_of(request)
        done: asyncio.Future[Inspection] = asyncio.get_running_loop().create_future()
        end = self.live.listen(_resolver(done, trigger.id))
        try:
            await run_in_threadpool(self.intake.submit, trigger)
            inspection = await asyncio.wait_for(done, wait) if wait else None
        except TimeoutError:
            inspection = None
        finally:
            end()
        if inspection is not None:
            return JSONResponse(wire.description(inspection))
        return JSONResponse({"event_id": trigger.id, "url": f"/api/snapshots/{trigger.id}"}, status_code=202)

    async def list_snapshots(self, _: Request) -> Response:
        latest = await run_in_threadpool(self.journal.latest)
        return JSONResponse({"snapshots": [wire.description(inspection) for inspection in latest]})

    async def snapshot(self, request: Request) -> Response:
        """The event, and in `related` what else its camera pushed in the same moment."""
        found = await self._found(request)
        related = await run_in_threadpool(self.journal.related, found.id)
        return JSONResponse({**wire.description(found), "related": related})

    async def image(self, request: Request) -> Response:
        return FileResponse(_path_of(await self._found(request)))

    async def thumbnail(self, request: Request) -> Response:
        path = _path_of(await self._found(request))
        return Response(await run_in_threadpool(lambda: thumbnail(path.read_bytes())), media_type="image/jpeg")

    async def annotated(self, request: Request) -> Response:
        seen = await self._found(request)
        path = _path_of(seen)
        picture = await run_in_threadpool(lambda: annotate(path.read_bytes(), seen.detection))
        return Response(picture, media_type="image/jpeg")

    async def live_health(self, _: Request) -> Response:
        report = await run_in_threadpool(self.health.report)
        return JSONResponse(report, status_code=200 if report["live"] else 503)

    async def ready_health(self, _: Request) -> Response:
        report = await run_in_threadpool(self.health.report)
        return JSONResponse(report, status_code=200 if report["ready"] else 503)

    async def exposition(self, _: Request) -> Response:
        return Response(await run_in_threadpool(self.metrics), media_type="text/plain; version=0.0.4")

    async def _trigger_of(self, request: Request) -> Trigger:
        camera = self._camera_of(request.path_params["name"])
        body = await _body_of(request)
        try:
            timestamp = wire.parse_timestamp(body["timestamp"]) if "timestamp" in body else None
            active_input = wire.checked_active_input(body.get("active_input"))
        except Permanent as error:
            raise BadRequest(error.code, error.detail) from error
        return new_trigger(
            camera,
            label=self.cameras[camera],
            origin="http",
            timestamp=timestamp,
            active_input=active_input,
            traceparent=request.headers.get("traceparent", ""),
            baggage=request.headers.get("baggage", ""),
        )

    def _camera_of(self, name: str) -> str:
        """The device key that is meant: as it is, or in its address form, with or without the type."""
        for key in self.cameras:
            if name == key or slug(name) in (slug(key), slug(key.rpartition(" ")[0])):
                return key
        raise NotFound("unknown_camera", f"no camera {name!r}; there are: {', '.join(self.cameras) or 'none'}")

    async def _found(self, request: Request) -> Inspection:
        wanted = request.path_params["id"]
        found = await run_in_threadpool(self.journal.find, wanted)
        if found is None:
            raise NotFound("unknown_snapshot", f"no snapshot {wanted!r}")
        return Inspection(found, problem=found.problem) if isinstance(found, Snapshot) else found


def _path_of(inspection: Inspection) -> Path:
    """The picture on disk. Raises `NotFound` when there is none (any more)."""
    path = Path(inspection.snapshot.path)
    if not inspection.snapshot.path:
        raise NotFound("no_picture", inspection.snapshot.problem)
    if not path.is_file():
        raise NotFound("picture_gone", "the picture is no longer in the cache")
    return path


def _wait_of(request: Request) -> float:
    try:
        wait = float(request.query_params.get("wait", "0"))
    except ValueError:
        wait = -1.0
    if not 0 <= wait <= LONGEST_WAIT_S:
        raise BadRequest("bad_wait", f"wait is a number of seconds from 0 to {LONGEST_WAIT_S:.0f}")
    return wait


async def _body_of(request: Request) -> Mapping[str, Any]:
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > LARGEST_BODY:
            raise BadRequest("too_large", f"a trigger is at most {LARGEST_BODY} bytes")
    try:
        body = json.loads(raw) if raw.strip() else {}
    except (ValueError, RecursionError) as error:
        raise BadRequest("not_json", "the body must be JSON, or empty") from error
    if not isinstance(body, dict):
        raise BadRequest("not_an_object", "the body must be a JSON object")
    return body


def _resolver(done: asyncio.Future[Inspection], event_id: str) -> Callable[[Inspection], None]:
    loop = asyncio.get_running_loop()

    def settle(inspection: Inspection) -> None:
        if not done.done():
            done.set_result(inspection)

    def resolve(inspection: Inspection) -> None:
        if inspection.id == event_id:
            loop.call_soon_threadsafe(settle, inspection)

    return resolve


def _status(code: int) -> Any:
    async def answer(_: Request, error: Exception) -> Response:
        return JSONResponse({"error": str(error)}, status_code=code)

    return answer
