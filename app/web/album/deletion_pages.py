"""The page that deletes all pictures of a camera or of a time: first how many that are, then the button."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.jobs.deletion import DeletePictures, Deletion
from app.journal import Job
from app.journal.deletion import Doomed
from app.journal.entries import Extent
from app.web import audit, forms
from app.web.access.caller import Caller, caller_of
from app.web.album import texts
from app.web.album.languages import tr
from app.web.album.rendering import Rendering
from app.web.api import request_models, validation
from app.web.api.filters import device_key
from app.web.api.param_types import Day, day_after, midnight
from app.web.context import WebContext
from app.web.deletion import delete_all
from app.web.errors import Conflict, NotFound

CAMERAS = 100
"""Names that the form proposes."""


class Scope(request_models.RequestParams):
    """What the form asks for."""

    camera: str = ""
    first: Day | None = None
    last: Day | None = None


@dataclass(frozen=True, slots=True)
class Copies:
    """What an archive has of the pictures."""

    name: str
    title: str
    count: int
    removes: bool


@dataclass(frozen=True, slots=True)
class Running:
    """A deletion that is being carried out, or has failed."""

    what: str
    percent: int
    failed: bool
    problem: str


class DeletionPages:
    """The page of deleting."""

    def __init__(self, context: WebContext, rendering: Rendering) -> None:
        self._context = context
        self._rendering = rendering

    def routes(self) -> list[Route]:
        return [Route("/delete", self.look), Route("/delete", self.delete, methods=["POST"])]

    async def look(self, request: Request) -> Response:
        """How many pictures it would be; before that the form."""
        given = {name: text for name in Scope.model_fields if (text := request.query_params.get(name, "").strip())}
        asked = bool(given) or "everything" in request.query_params
        return await self._page(request, given, asked=asked)

    async def delete(self, request: Request) -> Response:
        """Delete them, if they are as many as the page before has said."""
        form = await forms.lists(request)
        given = {name: form[name][-1] for name in Scope.model_fields if form.get(name, [""])[-1]}
        count = form.get("count", [""])[-1]
        try:
            doomed = await self._doomed(given, caller_of(request))
            await run_in_threadpool(
                lambda: delete_all(
                    self._context,
                    doomed,
                    count=int(count) if count.isdecimal() and len(count) < 12 else 0,
                    archives=form.get("archive", []),
                )
            )
            audit.say_doomed(request, doomed, int(count), form.get("archive", []))
        except Conflict as changed:
            return await self._page(request, given, asked=True, problem=changed.detail)
        return RedirectResponse(self._context.site.path("/delete"), 303)

    async def _page(self, request: Request, given: Mapping[str, str], *, asked: bool, problem: str = "") -> Response:
        found = None
        if asked:
            try:
                doomed = await self._doomed(given, caller_of(request))
                found = await run_in_threadpool(self._context.journal.doomed_totals, doomed)
            except NotFound as unknown:
                problem = unknown.detail
        running = await run_in_threadpool(self._running)
        context = {
            "given": {name: given.get(name, "") for name in Scope.model_fields},
            "cameras": [(key, face.label) for key, face in list(self._context.cameras.items())[:CAMERAS]],
            "found": self._found(found) if found else None,
            "problem": texts.sentence(tr(problem)) if problem else "",
            "running": running,
        }
        page = self._rendering.page(request, "delete.html", context, status_code=409 if problem else 200)
        if running and not asked and not all(each.failed for each in running):
            page.headers["Refresh"] = "5"
        return page

    def _found(self, totals: Extent) -> dict[str, Any]:
        copies = [
            Copies(one.name, texts.archive(one.name), totals.archived.get(one.name, 0), one.removes)
            for one in self._context.archives
        ]
        return {
            "count": totals.count,
            "words": texts.pictures(totals.count),
            "size": texts.size(totals.size),
            "starred": totals.starred,
            "copies": [one for one in copies if one.count],
        }

    def _running(self) -> list[Running]:
        jobs = self._context.journal.jobs_of(DeletePictures.kind)
        return [self._job(job) for job in jobs if job.state != "done"]

    def _job(self, job: Job) -> Running:
        deletion = Deletion.of(job)
        camera = deletion.doomed.camera
        where = self._context.cameras[camera].label if camera in self._context.cameras else camera or tr("All cameras")
        what = f"{where}: {texts.pictures(deletion.count)}"
        return Running(what, round(job.progress * 100), job.state == "failed", job.problem.partition(": ")[2])

    async def _doomed(self, given: Mapping[str, str], caller: Caller) -> Doomed:
        """Raises `BadRequest`, and `NotFound` for a camera that never was."""
        scope, zone = validation.checked(Scope, dict(given), "bad_parameter"), self._context.zone
        return Doomed(
            since=midnight(scope.first, zone) if scope.first else None,
            until=day_after(scope.last, zone) if scope.last else None,
            camera=await device_key(scope.camera, self._context, caller) if scope.camera else "",
        )
