"""The HTTP API: every operation, its routes, and its description, which cannot say anything else."""

from __future__ import annotations

from starlette.routing import Route

from app.web.api.archives import Archives
from app.web.api.cameras import Cameras
from app.web.api.health import HealthAndMetrics
from app.web.api.openapi import Description
from app.web.api.operation import Operation, routes
from app.web.api.pictures import Pictures
from app.web.api.snapshots import Snapshots
from app.web.api.stream import Stream
from app.web.api.uploads import Uploads
from app.web.parts import Parts


def operations(parts: Parts) -> list[Operation]:
    """Everything that the API does."""
    groups = (
        Cameras(parts),
        Snapshots(parts),
        Uploads(parts),
        Pictures(parts),
        Stream(parts),
        Archives(parts),
        HealthAndMetrics(parts),
    )
    return [operation for group in groups for operation in group.operations()]


def api_routes(parts: Parts) -> list[Route]:
    """The API's routes, and its description's."""
    every = operations(parts)
    return [*routes(every), Route("/openapi.json", Description(parts, every).openapi)]
