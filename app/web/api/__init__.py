"""The HTTP API: every operation with its routes, and the description that is made from them."""

from __future__ import annotations

from starlette.routing import Route

from app.web.api.animations import AnimationEndpoints
from app.web.api.archives import ArchiveEndpoints
from app.web.api.audit import AuditEndpoints
from app.web.api.bans import BanEndpoints
from app.web.api.camera_config import CameraConfigEndpoints
from app.web.api.cameras import CameraEndpoints
from app.web.api.deletions import DeletionEndpoints
from app.web.api.detections import DetectionEndpoints
from app.web.api.films import FilmEndpoints
from app.web.api.frames import FrameEndpoints
from app.web.api.health import HealthEndpoints
from app.web.api.hooks import HookEndpoints
from app.web.api.jobs import JobEndpoints
from app.web.api.latest import LatestEndpoints
from app.web.api.openapi import OpenApiEndpoint
from app.web.api.operation import Operation, routes
from app.web.api.outlets import OutletEndpoints
from app.web.api.pictures import PictureEndpoints
from app.web.api.rules import RuleEndpoints
from app.web.api.running_films import RunningFilmEndpoints
from app.web.api.selections import SelectionEndpoints
from app.web.api.snapshots import SnapshotEndpoints
from app.web.api.stream import StreamEndpoints
from app.web.api.telling import TellingEndpoints
from app.web.api.upload_forms import UploadFormEndpoints
from app.web.api.uploads import UploadEndpoints
from app.web.api.videos import VideoEndpoints
from app.web.api.visits import VisitEndpoints
from app.web.booth.endpoints import BoothEndpoints
from app.web.context import WebContext


def operations(context: WebContext) -> list[Operation]:
    """Every operation of the API."""
    groups = (
        CameraEndpoints(context),
        LatestEndpoints(context),
        CameraConfigEndpoints(context),
        HookEndpoints(context),
        SnapshotEndpoints(context),
        VisitEndpoints(context),
        SelectionEndpoints(context),
        DeletionEndpoints(context),
        UploadEndpoints(context),
        UploadFormEndpoints(context),
        PictureEndpoints(context),
        FrameEndpoints(context),
        AnimationEndpoints(context),
        VideoEndpoints(context),
        DetectionEndpoints(context),
        StreamEndpoints(context),
        ArchiveEndpoints(context),
        BanEndpoints(context),
        JobEndpoints(context),
        FilmEndpoints(context),
        RunningFilmEndpoints(context),
        OutletEndpoints(context),
        RuleEndpoints(context),
        TellingEndpoints(context),
        HealthEndpoints(context),
        AuditEndpoints(context),
    )
    every = [operation for group in groups for operation in group.operations()]
    if context.booth is not None:
        every += BoothEndpoints(context.booth, max_upload=context.max_upload).operations()
    return every


def api_routes(context: WebContext) -> list[Route]:
    """The routes of the API, and of its description."""
    every = operations(context)
    return [*routes(every), Route("/openapi.json", OpenApiEndpoint(context, every).openapi)]
