"""The stream of events for programs."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from app.web.access.caller import caller_of
from app.web.api import request_models, validation
from app.web.api.common import ERRORS, error
from app.web.api.filters import filter_of
from app.web.api.operation import Operation, ResponseSpec
from app.web.api.serialize import Lines
from app.web.context import WebContext
from app.web.permission import still

EVENT_STREAM = "text/event-stream"


class StreamEndpoints:
    """The endpoint of server-sent events."""

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self._lines = Lines(context.site)

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "GET",
                "/api/events",
                self.stream_events,
                "Snapshots as they are looked at",
                {
                    200: ResponseSpec("One event `snapshot` for each; its data is a snapshot.", {EVENT_STREAM: None}),
                    **ERRORS,
                    404: error("There is no such camera."),
                },
                query=request_models.FollowParams,
                headers=("Last-Event-ID",),
            )
        ]

    async def stream_events(self, request: Request) -> Response:
        asked = validation.query(request, request_models.FollowParams)
        chosen = await filter_of(asked, self._context, caller_of(request))
        if request.method == "HEAD":
            return Response(media_type=EVENT_STREAM)
        may_look = still(request, self._context)
        return self._context.broadcast.stream(
            request, filter=chosen, render=self._lines.render, event="snapshot", may_look=may_look
        )
