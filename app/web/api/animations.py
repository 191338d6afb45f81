"""The animation of an event that has several pictures."""

from __future__ import annotations

from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from app.journal import Medium
from app.media.animation import CONTENT_TYPES, AnimationFormat, NotAnimated
from app.media.film import FilmError
from app.naming import slug
from app.web.api import request_models, validation
from app.web.api.common import ERRORS, FAILURES, error
from app.web.api.operation import Operation, ResponseSpec
from app.web.api.pictures import CACHING, has_already
from app.web.api.serialize import entry_of
from app.web.context import WebContext
from app.web.errors import NotFound
from app.web.links import ANIMATION


class AnimationEndpoints:
    """The endpoint of animations."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def operations(self) -> list[Operation]:
        types = dict.fromkeys(CONTENT_TYPES.values())
        return [
            Operation(
                "GET",
                f"/api/snapshots/{{id}}/{ANIMATION}",
                self.animation,
                "The pictures of an event as one that moves, made now unless it is there",
                {
                    200: ResponseSpec("The animation.", types, ("ETag", "Cache-Control")),
                    206: ResponseSpec("The part of it that was asked for.", types),
                    304: ResponseSpec("You have it already."),
                    **ERRORS,
                    404: error("There is no such snapshot, or it has one picture; the sentence says so."),
                    **FAILURES,
                },
                query=request_models.AnimationParams,
                headers=("If-None-Match",),
                links=True,
            )
        ]

    async def animation(self, request: Request) -> Response:
        asked = validation.query(request, request_models.AnimationParams)
        entry = await entry_of(self._context, request.path_params["id"])
        kind: AnimationFormat = asked.format or self._context.animations.usual
        headers = {"ETag": f'"{entry.id}-{kind}"', "Cache-Control": CACHING}
        try:
            made = await self._made(entry.id, kind)
            stat = await run_in_threadpool(Path(made.path).stat)
        except (NotAnimated, FilmError) as failure:
            raise NotFound(failure.code, failure.detail) from None
        except FileNotFoundError:
            raise NotFound("picture_gone", "the animation is no longer there") from None
        if has_already(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return FileResponse(
            made.path,
            headers=headers,
            media_type=CONTENT_TYPES[kind],
            filename=f"{made.taken_at:%Y%m%d-%H%M%S}-{slug(made.camera)}.{kind}",
            stat_result=stat,
            content_disposition_type="inline",
        )

    async def _made(self, event_id: str, kind: AnimationFormat) -> Medium:
        animations, pictures = self._context.animations, self._context.pictures
        found = await run_in_threadpool(animations.found, event_id, kind)
        return found or await pictures.made(f"{event_id}-{kind}", lambda: animations.make(event_id, kind))
