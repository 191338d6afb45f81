"""The video that a camera sent."""

from __future__ import annotations

from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from app.media.formats import VIDEO_TYPES
from app.naming import slug
from app.web.api import request_models, validation
from app.web.api.common import ERRORS, FAILURES, error
from app.web.api.operation import Operation, ResponseSpec
from app.web.api.pictures import CACHING, has_already
from app.web.api.serialize import entry_of
from app.web.context import WebContext
from app.web.errors import NotFound

OTHER = "application/octet-stream"


class VideoEndpoints:
    """The endpoint of videos."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def operations(self) -> list[Operation]:
        types = dict.fromkeys([*VIDEO_TYPES.values(), OTHER])
        return [
            Operation(
                "GET",
                "/api/snapshots/{id}/video",
                self.video,
                "The video that the camera sent, as it came",
                {
                    200: ResponseSpec("The video.", types, ("ETag", "Cache-Control")),
                    206: ResponseSpec("The part of it that was asked for.", types),
                    304: ResponseSpec("You have it already."),
                    **ERRORS,
                    404: error("There is no such snapshot, or no video of it (any more)."),
                    **FAILURES,
                },
                query=request_models.NoParams,
                headers=("If-None-Match",),
            )
        ]

    async def video(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        entry = await entry_of(self._context, request.path_params["id"])
        snapshot = entry.inspection.snapshot
        if not snapshot.video:
            raise NotFound("no_video", "the camera sent no video with this snapshot, or it was deleted")
        path, headers = Path(snapshot.video), {"ETag": f'"{entry.id}-video"', "Cache-Control": CACHING}
        try:
            stat = await run_in_threadpool(path.stat)
        except FileNotFoundError:
            raise NotFound("video_gone", "the video's file is no longer there") from None
        if has_already(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        media_type = VIDEO_TYPES.get(path.suffix, OTHER)
        return FileResponse(
            path,
            headers=headers,
            media_type=media_type,
            filename=f"{snapshot.taken_at:%Y%m%d-%H%M%S}-{slug(snapshot.camera)}{path.suffix}",
            stat_result=stat,
            content_disposition_type="attachment" if media_type == OTHER else "inline",
        )
