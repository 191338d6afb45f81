"""The frames of an event of which several pictures were taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from app.journal import Journal, Medium
from app.media.formats import CONTENT_TYPES
from app.naming import slug
from app.storage.thumbnails import PictureGone
from app.web.api import request_models, validation
from app.web.api.common import ERRORS, FAILURES, error
from app.web.api.operation import Operation, ResponseSpec
from app.web.api.pictures import CACHING, for_others, has_already, is_linked
from app.web.api.serialize import entry_of
from app.web.context import WebContext
from app.web.errors import NotFound
from app.web.site import Site


class FrameEndpoints:
    """The endpoint of single frames."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def operations(self) -> list[Operation]:
        types = dict.fromkeys(CONTENT_TYPES.values())
        return [
            Operation(
                "GET",
                "/api/snapshots/{id}/frames/{number}",
                self.frame,
                "One of the pictures of a burst, from 0 on",
                {
                    200: ResponseSpec("The picture.", types, ("ETag", "Cache-Control")),
                    206: ResponseSpec("The part of it that was asked for.", types),
                    304: ResponseSpec("You have it already."),
                    **ERRORS,
                    404: error("There is no such snapshot, or no such frame (any more)."),
                    **FAILURES,
                },
                query=request_models.FrameParams,
                headers=("If-None-Match",),
                links=True,
            )
        ]

    async def frame(self, request: Request) -> Response:
        asked = validation.query(request, request_models.FrameParams)
        entry = await entry_of(self._context, request.path_params["id"])
        number = request.path_params["number"]
        frames = await run_in_threadpool(frames_of, self._context.journal, entry.id)
        found = next((one for one in frames if str(one.position) == number), None)
        if found is None:
            raise NotFound("no_such_frame", f"there are {len(frames)} frames of this snapshot, and no {number[:10]!r}")
        linked = is_linked(request) and not asked.thumbnail
        form = "-thumbnail" if asked.thumbnail else "-linked" if linked else ""
        kind = f"frame-{found.position}{form}"
        headers = {"ETag": f'"{entry.id}-{kind}"', "Cache-Control": CACHING}
        if has_already(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        path = Path(found.path)
        try:
            if asked.thumbnail:
                content = await self._context.pictures.small_of(path, key=f"{entry.id}-{kind}")
                return Response(content, headers=headers, media_type="image/jpeg")
            if linked:
                return await for_others(self._context, path, key=f"{entry.id}-{kind}", headers=headers)
            stat = await run_in_threadpool(path.stat)
        except (FileNotFoundError, PictureGone):
            raise NotFound("picture_gone", "the frame is no longer there") from None
        return FileResponse(
            path,
            headers=headers,
            media_type=CONTENT_TYPES.get(path.suffix, "application/octet-stream"),
            filename=f"{found.taken_at:%Y%m%d-%H%M%S}-{slug(found.camera)}-{found.position}{path.suffix}",
            stat_result=stat,
            content_disposition_type="inline",
        )


def frames_of(journal: Journal, snapshot_id: str) -> list[Medium]:
    """The frames of a snapshot, in their order; none where only one picture was taken."""
    return journal.media_of(snapshot_id, kind="frame")


def frame_json(frame: Medium, site: Site) -> dict[str, Any]:
    """A frame, with its address."""
    return {
        "number": frame.position,
        "taken_at": frame.taken_at.isoformat(),
        "width": frame.width,
        "height": frame.height,
        "size": frame.size,
        "url": site.path(f"/api/snapshots/{frame.snapshot}/frames/{frame.position}"),
    }
