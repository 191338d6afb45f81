"""The album and the HTTP API, put together from settings; imported only where they are served."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import structlog

from app.bootstrap.archives import thumbnails_of
from app.bootstrap.outlets import Outlet
from app.config.settings import Settings
from app.journal import Journal
from app.monitoring.metrics import SnapshotMetrics
from app.pipeline.fetch import Channel
from app.pipeline.live import InProcessEvents
from app.sources.http_uploads import HttpUploads
from app.sources.requests import Intake
from app.storage.cache import Cache
from app.uploads.capture_time import CaptureTime
from app.web.access import Authentication
from app.web.application import application
from app.web.context import ArchiveInfo, CameraInfo, WebContext
from app.web.links import Links
from app.web.local_token import FOLDER
from app.web.pictures import PictureFiles
from app.web.server import WebServer
from app.web.streaming.broadcast import Broadcast
from pylib.observability.health import Health
from pylib.timezones import local_zone

log = structlog.get_logger(__name__)

LINK_S = 7 * 86_400.0
"""How long the link in an event opens its picture."""


class WebParts:
    """The web server, and what it hands into the pipeline."""

    def __init__(
        self,
        settings: Settings,
        *,
        channels: Mapping[str, Channel],
        archives: Sequence[Outlet],
        journal: Journal,
        cache: Cache,
        taken_at: CaptureTime,
        intake: Intake,
        live: InProcessEvents,
        health: Health,
        metrics: SnapshotMetrics,
        exposition: Callable[[], bytes],
        version: str,
    ) -> None:
        """`channels`: by device key; `exposition`: the metrics in Prometheus' format."""
        web = settings.web
        self.http_uploads = HttpUploads(
            journal, cache, taken_at=taken_at, max_pixels=settings.max_pixels, count=metrics.snapshot
        )
        self._access = Authentication(web, folder=settings.data_dir / FOLDER)
        self._links = Links(self._access.link_key)
        broadcast = Broadcast(journal, live)
        metrics.viewers(lambda: broadcast.viewers)
        self._context = WebContext(
            cameras={key: _camera(channel) for key, channel in channels.items()},
            intake=intake,
            http_uploads=self.http_uploads,
            journal=journal,
            live=live,
            broadcast=broadcast,
            health=health,
            metrics=exposition,
            pictures=PictureFiles(thumbnails_of(settings)),
            access=self._access,
            links=self._links,
            site=self._access.site,
            zone=local_zone(settings.time_zone),
            archives=tuple(ArchiveInfo(one.name, one.url, one.try_now) for one in archives),
            max_upload=int(web.max_upload_mb * 1e6),
            max_pixels=settings.max_pixels,
            detector=settings.detector.kind,
            version=version,
            traffic=metrics,
        )
        self.server = WebServer(application(self._context), host=web.host, port=web.port, on_stop=broadcast.close)

    def open(self) -> None:
        """Take the address, and say the password if one had to be made. Raises `pylib.errors.Failure`."""
        made = self._access.open()
        if made is not None:
            log.warning("a password was made for the album, shown this once", login_with=made)
        self.server.open()

    def thumbnail_url(self, event_id: str) -> str:
        """A link for messages that opens an event's small picture; empty where nobody could follow it."""
        site = self._context.site
        if not site.host:
            return ""
        query = self._links.sign(event_id, "thumbnail", seconds=LINK_S)
        return f"{site.url(f'/api/snapshots/{event_id}/thumbnail')}?{query}"


def _camera(channel: Channel) -> CameraInfo:
    return CameraInfo(
        channel.label,
        circuit=lambda: channel.breaker.state,
        retry_in=lambda: channel.breaker.retry_in,
    )
