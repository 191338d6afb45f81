"""What people do in the album, by plain forms: star, note, correct, delete, take a picture, upload."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.journal.edits import NoteChanged
from app.journal.entries import Correction, Filter
from app.media.picture import BadPicture
from app.naming import slug
from app.sources import new_trigger
from app.web import audit, forms
from app.web.access.caller import Caller, caller_of
from app.web.album import texts
from app.web.album.camera_names import MOST_LISTED
from app.web.album.languages import number, tr
from app.web.album.page_query import PageQuery, read
from app.web.album.rendering import Rendering, is_part
from app.web.album.undo import DELETED
from app.web.album.view import Viewer
from app.web.api import archives, bans, detections, jobs, request_models, validation
from app.web.api.uploads import UploadedPicture, UploadEndpoints
from app.web.api.waiting import EventWait
from app.web.context import WebContext
from app.web.deletion import hide
from app.web.errors import NotFound, RequestRefused

PATIENCE_S = 12.0
"""Seconds that a user waits for a requested picture, before the page comes without it."""

MOST_FILES = 20
"""Pictures in one form; together they may be as large as so many of the largest."""


class Actions:
    """The forms' handlers. Each answers 303 to a page that shows the result."""

    def __init__(self, context: WebContext, rendering: Rendering, view: Viewer) -> None:
        self._context = context
        self._rendering = rendering
        self._view = view
        self._anything = PageQuery({}, Filter(), context.zone, context.site.path("/"))
        self._uploads = UploadEndpoints(context)

    def routes(self) -> list[Route]:
        return [
            Route("/snapshots/{id}/star", self.star, methods=["POST"]),
            Route("/snapshots/{id}/review", self.review, methods=["POST"]),
            Route("/snapshots/{id}/note", self.note, methods=["POST"]),
            Route("/snapshots/{id}/labels", self.labels, methods=["POST"]),
            Route("/snapshots/{id}/look-again", self.look_again, methods=["POST"]),
            Route("/snapshots/{id}/delete", self.delete, methods=["POST"]),
            Route("/cameras/{name}/trigger", self.trigger, methods=["POST"]),
            Route("/snapshots/{id}/taken", self.taken, methods=["GET"]),
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

    async def review(self, request: Request) -> Response:
        """Say that somebody has looked at it, or take that back; for htmx the button as it is now."""
        reviewed = (await forms.fields(request)).get("reviewed") == "1"
        await self._change(request, reviewed=reviewed)
        if is_part(request):
            context = {"action": f"/snapshots/{request.path_params['id']}/review", "reviewed": reviewed}
            return self._rendering.page(request, "_review.html", context)
        return self._back(request)

    async def note(self, request: Request) -> Response:
        """Change the note; where another one was written since the form was loaded, both are shown instead."""
        form = await forms.fields(request)
        given = {name: form[name].replace("\r\n", "\n") for name in ("note", "was") if name in form}
        wanted = {"note": given.get("note", "").strip(), "note_was": given.get("was")}
        change = validation.checked(request_models.ChangeBody, wanted, "bad_field")
        try:
            await self._change(request, note=change.note, note_was=change.note_was)
        except NoteChanged as error:
            context = {"id": request.path_params["id"], "theirs": error.note, "mine": change.note}
            return self._rendering.page(request, "note.html", context, status_code=409)
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

    async def look_again(self, request: Request) -> Response:
        """Have the picture looked at again."""
        await run_in_threadpool(detections.look_again, self._context, request.path_params["id"])
        return self._back(request)

    async def delete(self, request: Request) -> Response:
        """Delete it, so that it can be taken back for a while, and show the next one of those that were looked at."""
        query = await read(request.query_params, self._context, caller_of(request))
        return RedirectResponse(await run_in_threadpool(self._deleted, request.path_params["id"], query), 303)

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
        """Take a picture now. For htmx a part that waits for it; else its page, or the camera's, which waits."""
        name = request.path_params["name"]
        key = self._context.camera(name)
        if key is None:
            raise NotFound("unknown_camera", "There is no camera of this name.")
        face = self._context.cameras[key]
        face.try_now()  # somebody asks for it: a camera that is paused after failing has another chance
        trigger = new_trigger(key, label=face.label, origin="http")
        if is_part(request):
            await run_in_threadpool(self._context.intake.submit, trigger)
            return self._rendering.page(request, "_taken.html", {"card": None, "id": trigger.id})
        with EventWait(self._context.live) as watch:
            await run_in_threadpool(self._context.intake.submit, trigger)
            await watch.until(trigger.id, PATIENCE_S)
        seen = await run_in_threadpool(self._context.index.entry, trigger.id)
        shown = f"/snapshots/{trigger.id}" if seen else f"/cameras/{slug(key)}?asked={trigger.id}"
        return RedirectResponse(self._context.site.path(shown), 303)

    async def taken(self, request: Request) -> Response:
        """What came of a picture that was asked for, as a part; after a while one that asks again."""
        asked = request.path_params["id"]
        with EventWait(self._context.live) as watch:
            entry = await run_in_threadpool(self._context.index.entry, asked)
            if entry is None:
                await watch.until(asked, PATIENCE_S)
                entry = await run_in_threadpool(self._context.index.entry, asked)
        context: dict[str, Any] = {"card": None, "id": asked}
        if entry is not None:
            if not caller_of(request).sees(entry.inspection.camera):
                raise _unknown()
            context["card"] = self._view.card(entry, self._anything)
            context |= {"trouble": texts.explain(entry), "remedy": texts.remedy(entry)}
        return self._rendering.page(request, "_taken.html", context)

    async def upload_page(self, request: Request) -> Response:
        rejected = await run_in_threadpool(self._context.rejected.newest, 0) if self._context.rejected else ((), 0)
        form = self.upload_form(caller_of(request))
        camera = self._context.camera(request.query_params.get("camera", "")) or ""
        context = {"upload": form, "results": (), "rejected": rejected[1], "camera": camera, "note": ""}
        return self._rendering.page(request, "upload.html", context)

    async def upload(self, request: Request) -> Response:
        """Take in all pictures of a form, and report the result of each."""
        async with forms.files_of(request, most=MOST_FILES * self._context.max_upload, files=MOST_FILES) as form:
            params = {"camera": form.get("camera", ""), "note": form.get("note", "")}
            described = validation.checked(request_models.UploadParams, params, "bad_field")
            files = [file for file in form.getlist("image") if isinstance(file, UploadFile) and file.filename]
            results = [await self._handed_in(file, described) for file in files]
        if taken := [result["id"] for result in results if result["id"]]:
            camera = self._context.camera(described.camera) or next(iter(self._context.cameras))
            audit.say_pictures(request, taken, more=camera, partly=True)
        missing = [{"name": tr("No file"), "url": "", "error": tr("Choose at least one picture.")}]
        context = {"upload": self.upload_form(caller_of(request)), "results": results or missing, **params}
        good = results and all(result["url"] for result in results)
        return self._rendering.page(request, "upload.html", context, status_code=200 if good else 422)

    def upload_form(self, caller: Caller) -> dict[str, Any]:
        """The upload form's context."""
        cameras = [(key, face.label) for key, face in self._context.cameras.items() if caller.sees(key)]
        megabytes = round(self._context.max_upload / 1e6, 1)
        return {
            "cameras": cameras,
            "listed": len(cameras) <= MOST_LISTED,
            "most": self._context.max_upload,
            "megabytes": number(megabytes, 0 if megabytes.is_integer() else 1),
            "to_bucket": self._context.upload_bucket is not None,
        }

    async def _handed_in(self, file: UploadFile, described: request_models.UploadParams) -> dict[str, str]:
        """The file's name, and its id and address in the album, or why it was refused."""
        name = file.filename or ""
        try:
            snapshot = await self._uploads.submit(UploadedPicture(file.file, name, described))
        except (RequestRefused, BadPicture) as error:
            return {"name": name, "id": "", "url": "", "error": tr(error.detail)}
        return {
            "name": name,
            "id": snapshot.id,
            "url": self._context.site.path(f"/snapshots/{snapshot.id}"),
            "error": "",
        }

    def _deleted(self, snapshot_id: str, query: PageQuery) -> str:
        """Where to go from there. Raises `NotFound`."""
        index = self._context.index
        entry = index.entry(snapshot_id)
        if entry is None:
            raise _unknown()
        newer, older = index.around(entry.place, query.filter, reach=1)
        handle = hide(self._context, [snapshot_id]).handle
        following = next(iter((*older, *newer)), None)
        if following is None:
            return query.address(**{DELETED: handle})
        return self._context.site.path(f"/snapshots/{following.id}") + query.string(**{DELETED: handle})

    async def _change(self, request: Request, **changes: Any) -> None:
        changed = self._context.index.change
        if await run_in_threadpool(lambda: changed(request.path_params["id"], **changes)) is None:
            raise _unknown()

    def _back(self, request: Request) -> Response:
        """To the page with the form, by the browser's Referer, or else to the picture's own."""
        came = urlsplit(request.headers.get("referer", ""))
        here = self._context.site.path(f"/snapshots/{request.path_params['id']}")
        is_form = came.path in ("", self._context.site.path(request.scope["path"]))  # of two notes, shown by the POST
        path = here if is_form else "/" + came.path.lstrip("/\\")  # never another host
        return RedirectResponse(f"{path}?{came.query}" if came.query else path, 303)


def _names(text: str) -> list[str]:
    """Labels as a user wrote them, each once."""
    return list(dict.fromkeys(name.strip() for name in text.replace("\n", ",").split(",") if name.strip()))


def _unknown() -> NotFound:
    return NotFound("unknown_snapshot", "There is no such picture, or it was deleted.")
