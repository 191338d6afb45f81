"""Events as they come, for programs."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from app.web.api import questions, reading
from app.web.api.common import ERRORS, error
from app.web.api.entries import Lines
from app.web.api.operation import Answer, Operation
from app.web.api.search import filter_of
from app.web.parts import Parts

EVENT_STREAM = "text/event-stream"


class Stream:
    """The endpoint of server-sent events."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lines = Lines(parts.site)

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "GET",
                "/api/events",
                self.stream_events,
                "Snapshots as they are looked at",
                {
                    200: Answer("One event `snapshot` for each; its data is a snapshot.", {EVENT_STREAM: None}),
                    **ERRORS,
                    404: error("There is no such camera."),
                },
                query=questions.Following,
                headers=("Last-Event-ID",),
            )
        ]

    async def stream_events(self, request: Request) -> Response:
        chosen = await filter_of(reading.query(request, questions.Following), self._parts)
        if request.method == "HEAD":
            return Response(media_type=EVENT_STREAM)
        return self._parts.broadcast.stream(request, filter=chosen, render=self._lines.render, event="snapshot")
