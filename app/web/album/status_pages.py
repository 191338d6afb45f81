"""The status page: how every part did last, what waits, and how much room there is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.web.access.caller import caller_of
from app.web.album import job_texts, status, status_texts, texts
from app.web.album.camera_names import CameraDirectory
from app.web.album.languages import tr
from app.web.album.parts import Parts, Sees
from app.web.album.rendering import Rendering
from app.web.album.status import JobRow, job_row
from app.web.album.view import Viewer
from app.web.api.bans import bans_of
from app.web.api.detections import costs_json
from app.web.context import WebContext
from pylib.runtime.circuit_breaker import State


class StatusPages:
    """The page of the service's health."""

    def __init__(self, context: WebContext, rendering: Rendering, view: Viewer) -> None:
        self._context = context
        self._rendering = rendering
        self._view = view
        self._parts = Parts(context.outcomes, context.journal, view)
        self._directory = CameraDirectory(context.cameras, context.index.camera_label)
        self._standings = status.ArchiveStatsCache(context.journal, context.archives)

    def routes(self) -> list[Route]:
        return [Route("/status", self.status)]

    async def status(self, request: Request) -> Response:
        return await run_in_threadpool(self._status, request)

    def _status(self, request: Request) -> Response:
        sees = caller_of(request).sees
        context, checks = self._context, self._context.health.checks()
        by_name = {check.name: check for check in checks}
        parts, archives = self._parts.others(by_name), self._parts.archives(by_name)
        cameras, more_cameras = self._parts.cameras(sees, self._paused)
        lights, threads = status.lights(checks, {one.check for one in context.outcomes.all()})
        up_since = self._view.moment(context.up_since)
        page: dict[str, Any] = {
            "verdict": self._parts.verdict(checks, sees),
            "parts": parts,
            "archives": self._standings.rows(self._view, archives),
            "cameras": cameras,
            "more_cameras": more_cameras,
            "lights": lights,
            "threads": threads,
            "bans": [status.ban_row(server, ban, self._view) for server, ban in bans_of(context)],
            "jobs": self._jobs(),
            "detector": context.detector() or tr("none"),
            "detector_advice": tr(context.detector_advice),
            "costs": status.cost_rows(costs_json(context), context.cameras, sees),
            "push_outlets": list(context.push_outlets),
            "up_since": f"{texts.within(up_since.day_text)}, {up_since.short}",
            "now": self._view.moment(datetime.now(UTC)),
            **self._space(sees),
        }
        return self._rendering.page(request, "status.html", page)

    def _space(self, sees: Sees) -> dict[str, Any]:
        space = self._context.space()
        return {
            "room": status_texts.room(space.days_left),
            "free": status_texts.amount(space.free),
            "used": status_texts.amount(space.used),
            "spaces": status.space_rows(space, self._context.cameras, sees),
        }

    def _paused(self, key: str) -> str:
        camera = self._context.cameras.get(key)
        if camera is None or camera.circuit() is State.CLOSED:
            return ""
        return texts.sentence(texts.circuit(camera.circuit(), camera.retry_in()))

    def _jobs(self) -> list[JobRow]:
        """Those that are not done."""
        titles, jobs = self._context.job_titles, self._context.journal.jobs()
        label = self._directory.label
        waiting = [job for job in jobs if job.state != "done"]
        named = (job_texts.title(job, titles.get(job.kind, job.kind), self._view, label) for job in waiting)
        return [job_row(job, title, self._view) for job, title in zip(waiting, named, strict=True)]
