"""What people do in the album, by plain forms: star, note, correct, delete, take a picture, upload."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.journal.entries import Correction
from app.media.picture import BadPicture
from app.naming import slug
from app.sources import new_trigger
from app.web import forms
from app.web.album.rendering import Rendering, is_part
from app.web.api import archives, bans, jobs, request_models, validation
from app.web.api.uploads import UploadedPicture, UploadEndpoints
from app.web.api.waiting import EventWait
from app.web.context import WebContext
from app.web.deletion import remove
from app.web.errors import NotFound, RequestRefused

PATIENCE_S = 12.0
"""Seconds that a user waits for a requested picture, before the page comes without it."""

MOST_FILES = 20
"""Pictures in one form; together they may be as large as so many of the largest."""


class Actions:
    """The forms' handlers. Each answers 303 to a page that shows the result."""

    def __init__(self, context: WebContext, rendering: Rendering) -> None:
        self._context = context
        self._rendering = rendering
        self._uploads = UploadEndpoints(context)

    def routes(self) -> list[Route]:
        return [
            Route("/snapshots/{id}/star", self.star, methods=["POST"]),
            Route("/snapshots/{id}/note", self.note, methods=["POST"]),
            Route("/snapshots/{id}/labels", self.labels, methods=["POST"]),
            Route("/snapshots/{id}/delete", self.delete, methods=["POST"]),
            Route("/cameras/{name}/trigger", self.trigger, methods=["POST"]),
            Route("/archives/{archive}/retry", self.retry, methods=["POST"]),
            Route("/jobs/{id:int}/retry", self.retry_job, methods=["POST"]),
            Route("/jobs/{id:int}/forget", self.forget_job, methods=["POST"]),
            Route("/bans/lift", self.lift, methods=["POST"]),
            Route("/upload", self.upload_page, methods=["GET"]),
            Route("/upload", self.upload, methods=["POST"]),
        ]

    async def star(self, request: Request) -> Response:
        """Star or unstar; for htmx the button as it is now."""
        starred = (await forms.fields(request)).get("starred") == "1"
        await self._change(request, starred=starred)
        if is_part(request):
            context = {"id": request.path_params["id"], "starred": starred}
            return self._rendering.page(request, "_star.html", context)
        return self._back(request)

    async def note(self, request: Request) -> Response:
        note = (await forms.fields(request)).get("note", "").strip()
        change = validation.checked(request_models.ChangeBody, {"note": note.replace("\r\n", "\n")}, "bad_field")
        await self._change(request, note=change.note)
        return self._back(request)

    async def labels(self, request: Request) -> Response:
        """Correct the labels, separated by commas; with `undo`, the detector's count again."""
        form = await forms.fields(request)
        names = None if form.get("undo") else _names(form.get("labels", ""))
        labels = validation.checked(
            request_models.ChangeBody, {"corrected_labels": names}, "bad_field"
        ).corrected_labels
        await self._change(request, correction=Correction(None if labels is None else tuple(labels)))
        return self._back(request)

    async def delete(self, request: Request) -> Response:
        if not await remove(self._context, request.path_params["id"]):
            raise _unknown()
        asked = urlsplit(request.headers.get("referer", "")).query  # the grid that the picture was in
        return RedirectResponse(self._context.site.path("/") + (f"?{asked}" if asked else ""), 303)

    async def retry(self, request: Request) -> Response:
        """Have an archive retry its backlog and what it gave up."""
        archive = archives.named(self._context, request.path_params["archive"])
        await run_in_threadpool(archives.retry, self._context, archive)
        return RedirectResponse(self._context.site.path("/status"), 303)

    async def retry_job(self, request: Request) -> Response:
        """Try a job at once."""
        await run_in_threadpool(jobs.retry, self._context, request.path_params["id"])
        return RedirectResponse(self._context.site.path("/status"), 303)

    async def forget_job(self, request: Request) -> Response:
        """Forget a job that has failed."""
        await run_in_threadpool(jobs.forget, self._context, request.path_params["id"])
        return RedirectResponse(self._context.site.path("/status"), 303)

    async def lift(self, request: Request) -> Response:
        """Lift the bans of an address."""
        address = (await forms.fields(request)).get("address", "")
        if address:
            await run_in_threadpool(bans.lift, self._context, address)
        return RedirectResponse(self._context.site.path("/status"), 303)

    async def trigger(self, request: Request) -> Response:
        """Take a picture now, and show it when it arrives in time."""
        name = request.path_params["name"]
        key = self._context.camera(name)
        if key is None:
            raise NotFound("unknown_camera", "There is no camera of this name.")
        trigger = new_trigger(key, label=self._context.cameras[key].label, origin="http")
        with EventWait(self._context.live) as watch:
            await run_in_threadpool(self._context.intake.submit, trigger)
            await watch.until(trigger.id, PATIENCE_S)
        seen = await run_in_threadpool(self._context.journal.entry, trigger.id)
        shown = f"/snapshots/{trigger.id}" if seen else f"/cameras/{slug(key)}?asked=1"
        return RedirectResponse(self._context.site.path(shown), 303)

    async def upload_page(self, request: Request) -> Response:
        return self._rendering.page(request, "upload.html", {"upload": self.upload_form(), "results": ()})

    async def upload(self, request: Request) -> Response:
        """Take in all pictures of a form, and report the result of each."""
        async with forms.files_of(request, most=MOST_FILES * self._context.max_upload, files=MOST_FILES) as form:
            params = {"camera": form.get("camera", ""), "note": form.get("note", "")}
            described = validation.checked(request_models.UploadParams, params, "bad_field")
            files = [file for file in form.getlist("image") if isinstance(file, UploadFile) and file.filename]
            results = [await self._handed_in(file, described) for file in files]
        missing = [{"name": "No file", "url": "", "error": "Choose at least one picture."}]
        context = {"upload": self.upload_form(), "results": results or missing}
        good = results and all(result["url"] for result in results)
        return self._rendering.page(request, "upload.html", context, status_code=200 if good else 422)

    def upload_form(self) -> dict[str, Any]:
        """The upload form's context."""
        return {
            "cameras": [(key, face.label) for key, face in self._context.cameras.items()],
            "megabytes": round(self._context.max_upload / 1e6, 1),
            "to_bucket": self._context.upload_bucket is not None,
        }

    async def _handed_in(self, file: UploadFile, described: request_models.UploadParams) -> dict[str, str]:
        """The file's name, and its address in the album or why it was refused."""
        name = file.filename or ""
        try:
            snapshot = await self._uploads.submit(UploadedPicture(file.file, name, described))
        except (RequestRefused, BadPicture) as error:
            return {"name": name, "url": "", "error": error.detail}
        return {"name": name, "url": self._context.site.path(f"/snapshots/{snapshot.id}"), "error": ""}

    async def _change(self, request: Request, **changes: Any) -> None:
        changed = self._context.journal.change
        if await run_in_threadpool(lambda: changed(request.path_params["id"], **changes)) is None:
            raise _unknown()

    def _back(self, request: Request) -> Response:
        """To the page with the form, by the browser's Referer, or else to the picture's own."""
        came = urlsplit(request.headers.get("referer", ""))
        here = self._context.site.path(f"/snapshots/{request.path_params['id']}")
        path = "/" + came.path.lstrip("/\\") if came.path else here  # never another host
        return RedirectResponse(f"{path}?{came.query}" if came.query else path, 303)


def _names(text: str) -> list[str]:
    """Labels as a user wrote them, each once."""
    return list(dict.fromkeys(name.strip() for name in text.replace("\n", ",").split(",") if name.strip()))


def _unknown() -> NotFound:
    return NotFound("unknown_snapshot", "There is no such picture, or it was deleted.")
