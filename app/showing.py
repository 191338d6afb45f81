"""The album and the HTTP API, put together from settings; imported only where they are served."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import structlog

from app.cache import Cache, local_zone
from app.journal import Journal
from app.keeping import thumbnails_of
from app.metrics import SnapshotMetrics
from app.own_service import FOLDER
from app.settings import Settings
from app.taken_at import TakenAt
from app.triggers.handed_in import HandedIn
from app.triggers.intake import Intake
from app.web.access import Access
from app.web.application import application
from app.web.events import Broadcast
from app.web.links import Links
from app.web.live import Live
from app.web.parts import ArchiveFace, CameraFace, Parts
from app.web.pictures import Pictures
from app.web.server import WebServer
from pylib.health import Health

log = structlog.get_logger(__name__)

LINK_S = 7 * 86_400.0
"""How long the link in an event opens its picture."""


class Showing:
    """The web server, and what it hands into the pipeline."""

    def __init__(
        self,
        settings: Settings,
        *,
        cameras: Mapping[str, CameraFace],
        journal: Journal,
        cache: Cache,
        taken_at: TakenAt,
        intake: Intake,
        live: Live,
        health: Health,
        metrics: SnapshotMetrics,
        exposition: Callable[[], bytes],
        archives: Sequence[ArchiveFace],
        version: str,
    ) -> None:
        """`cameras`: by device key; `exposition`: the metrics in Prometheus' format."""
        web = settings.web
        self.handed_in = HandedIn(
            journal, cache, taken_at=taken_at, max_pixels=settings.max_pixels, count=metrics.snapshot
        )
        self._access = Access(web, folder=settings.data_dir / FOLDER)
        self._links = Links(self._access.link_key)
        broadcast = Broadcast(journal, live)
        metrics.viewers(lambda: broadcast.viewers)
        self._parts = Parts(
            cameras=cameras,
            intake=intake,
            handed_in=self.handed_in,
            journal=journal,
            live=live,
            broadcast=broadcast,
            health=health,
            metrics=exposition,
            pictures=Pictures(thumbnails_of(settings)),
            access=self._access,
            links=self._links,
            site=self._access.site,
            zone=local_zone(settings.time_zone),
            archives=tuple(archives),
            max_upload=int(web.max_upload_mb * 1e6),
            max_pixels=settings.max_pixels,
            detector=settings.detector.kind,
            version=version,
            traffic=metrics,
        )
        self.server = WebServer(application(self._parts), host=web.host, port=web.port, on_stop=broadcast.close)

    def open(self) -> None:
        """Take the address, and say the password if one had to be made. Raises `pylib.errors.Failure`."""
        made = self._access.open()
        if made is not None:
            log.warning("a password was made for the album, shown this once", login_with=made)
        self.server.open()

    def thumbnail_url(self, event_id: str) -> str:
        """A link for messages that opens an event's small picture; empty where nobody could follow it."""
        site = self._parts.site
        if not site.host:
            return ""
        query = self._links.sign(event_id, "thumbnail", seconds=LINK_S)
        return f"{site.url(f'/api/snapshots/{event_id}/thumbnail')}?{query}"
