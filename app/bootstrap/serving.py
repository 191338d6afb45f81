"""Loads the web side where it is wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from app.bootstrap.archives import ArchiveParts
from app.bootstrap.core import Core
from app.bootstrap.detection import DetectorParts
from app.bootstrap.index import IndexParts
from app.bootstrap.outlets import Outlet
from app.bootstrap.probes import exposition
from app.bootstrap.uploads import UploadParts
from app.cameras import CameraSettings
from app.pipeline.channels import Channels

if TYPE_CHECKING:
    from app.bootstrap.web import WebParts


def web_of(
    core: Core,
    *,
    channels: Channels[CameraSettings],
    archives: ArchiveParts,
    index: IndexParts,
    uploads: UploadParts,
    detection: DetectorParts,
    outlets: Callable[[], Sequence[Outlet]],
) -> WebParts | None:
    """The album and the HTTP API; None where they are turned off.

    Loaded here: a service without its web side needs neither Starlette nor uvicorn in memory.
    """
    if not core.settings.web.enabled:
        return None
    from app.bootstrap.web import WebParts

    return WebParts(
        core,
        channels=channels,
        archives=archives.outlets,
        index=index,
        uploads=uploads,
        metrics=lambda: exposition(core, outlets()),
        detector=detection.description,
    )
