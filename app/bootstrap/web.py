"""Builds the album and the HTTP API; imported only where they are served."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

import structlog

from app import detectors
from app.bootstrap.adapters import monthly_calls, publisher_entries
from app.bootstrap.archives import thumbnails_of
from app.bootstrap.booth import booth_of
from app.bootstrap.camera_config import ConfigCameras
from app.bootstrap.core import Core
from app.bootstrap.deciding import outlets_of
from app.bootstrap.detection import look_again_of, spent_this_month
from app.bootstrap.films import films_of
from app.bootstrap.index import IndexParts
from app.bootstrap.outlets import Outlet
from app.bootstrap.reaching import reach_of
from app.bootstrap.running_films import running_films_of
from app.bootstrap.sources import triggered
from app.bootstrap.uploads import UploadParts
from app.cameras import CameraSettings
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.naming import slug
from app.pipeline.channels import Channels
from app.publishers import PublisherContext
from app.rules.push import KEY_FILE
from app.sources.hooks import Hook
from app.sources.http_uploads import ORIGIN, HttpUploads
from app.storage.space import SpaceReport
from app.web.access import Authentication
from app.web.application import application
from app.web.context import ArchiveInfo, CameraInfo, CameraReach, WebContext
from app.web.links import ANIMATION, GUEST, SNOOZE, Links
from app.web.pictures import PictureFiles
from app.web.server import WebServer
from app.web.streaming.broadcast import Broadcast
from app.web.upload_bucket import UploadBucket
from pylib.net.vapid import public_part, vapid_key
from pylib.timezones import local_zone

log = structlog.get_logger(__name__)

LINK_S = 7 * 86_400.0
"""How long a link in a message opens what it leads to."""


class WebParts:
    """The web server, and the sources through which it feeds the pipeline."""

    def __init__(
        self,
        core: Core,
        *,
        channels: Channels[CameraSettings],
        archives: Sequence[Outlet],
        index: IndexParts,
        uploads: UploadParts,
        metrics: Callable[[], bytes],
        detector: Callable[[], str],
    ) -> None:
        """`channels`: by device key; `metrics`: in Prometheus' text format;
        `detector`: what looks at pictures."""
        settings, web = core.settings, core.settings.web
        self.http_uploads = HttpUploads(
            core.journal,
            core.cache,
            capture_time=uploads.capture_time,
            max_pixels=settings.max_pixels,
            adjustments=core.adjustments,
            attempts=core.attempts,
            count=core.metrics.snapshot,
            receiving=lambda event_id, camera: core.tracing.receiving(event_id, camera=camera, origin=ORIGIN),
        )
        self._access = Authentication(web, folder=DataDir(settings.data_dir).web)
        self._links = Links(self._access.link_key)
        self.booth = booth_of(core, channels, page=self.guest_url)
        """The photo booth; None where there is none."""
        broadcast = Broadcast(index.events, core.live, index.elsewhere)
        core.metrics.viewers(lambda: broadcast.viewers)
        self._context = WebContext(
            cameras={
                one.device_key: _camera(one, core, channels, partial(reach_of, one, settings, uploads.camera_folders))
                for one in settings.cameras
            },
            intake=core.intake,
            owns=core.work.owns,
            http_uploads=self.http_uploads,
            journal=core.journal,
            index=index.events,
            away=index.away,
            fetch=index.fetch,
            films=films_of(core),
            running_films=running_films_of(core),
            live=core.live,
            broadcast=broadcast,
            rules=core.rules,
            telling=core.telling,
            outlets=outlets_of(settings),
            health=core.health,
            outcomes=core.outcomes,
            metrics=metrics,
            pictures=PictureFiles(thumbnails_of(settings)),
            media=core.media,
            animations=core.animations,
            access=self._access,
            links=self._links,
            site=self._access.site,
            look_again=look_again_of(core),
            zone=local_zone(settings.time_zone),
            space=SpaceReport(settings.retention, journal=core.journal, folder=settings.data_dir),
            up_since=datetime.now(UTC),
            archives=tuple(ArchiveInfo(one.name, one.url, one.try_now, removes=one.removes) for one in archives),
            hooks={hook.name: Hook(hook, cameras=triggered(core)) for hook in settings.hooks},
            throttles={"web": self._access.throttle, **uploads.throttles},
            test_messages=core.test_messages,
            job_titles=core.job_titles,
            push_outlets={
                name: own.allow_private for kind, name, own in publisher_entries(settings) if kind == "webpush"
            },
            push_key=lambda: public_part(vapid_key(settings.data_dir / KEY_FILE)),
            max_upload=int(web.max_upload_mb * 1e6),
            upload_bucket=_upload_bucket(settings),
            rejected=uploads.rejected(self.http_uploads.hand_over),
            camera_config=ConfigCameras(core),
            booth=self.booth,
            max_pixels=settings.max_pixels,
            thumbnail_widths=web.thumbnail_widths,
            detector=detector,
            detector_advice=detectors.advice(settings.detector.kind),
            spent=lambda: spent_this_month(core),
            monthly_calls=monthly_calls(core.lookers),
            version=core.version,
            traffic=core.metrics,
        )
        self.server = WebServer(
            application(self._context),
            host=web.host,
            port=web.port,
            on_stop=broadcast.close,
            limiter=core.limiter,
            per_address=web.max_per_address,
            proxies=web.trusted_proxies,
        )

    def open(self) -> None:
        """Bind the address, and log the password if one had to be made. Raises `pylib.errors.Failure`."""
        made = self._access.open()
        if made is not None:
            log.warning("a password was made for the album, shown this once", login_with=made)
        if self.booth is not None:
            self.booth.open()
        self.server.open()

    # -- links for messages to people; each is empty where nobody could open it ------------------------

    @property
    def links(self) -> PublisherContext:
        """A context with these links, and nothing else."""
        return PublisherContext(
            thumbnail_url=self.thumbnail_url,
            picture_url=self.picture_url,
            animation_url=self.animation_url,
            event_url=self.event_url,
            snooze_url=self.snooze_url,
        )

    def thumbnail_url(self, event_id: str) -> str:
        """Opens an event's thumbnail."""
        return self._picture(event_id, "thumbnail")

    def picture_url(self, event_id: str) -> str:
        """Opens an event's picture."""
        return self._picture(event_id, "image")

    def animation_url(self, event_id: str) -> str:
        """Opens the animation of an event with several pictures."""
        return self._picture(event_id, ANIMATION)

    def event_url(self, event_id: str) -> str:
        """Opens an event's page, for who has the password."""
        return self._context.site.url(f"/snapshots/{event_id}") if self._context.site.host else ""

    def snooze_url(self, camera: str) -> str:
        """Opens a page with one button, which snoozes this camera."""
        name = slug(camera)
        return self._link(f"/{SNOOZE}/{name}", name, SNOOZE)

    def guest_url(self, guest: str, seconds: float) -> str:
        """Opens the page of a guest of the photo booth."""
        return self._link(f"/booth/guests/{guest}", guest, GUEST, seconds=seconds)

    def _picture(self, event_id: str, kind: str) -> str:
        return self._link(f"/api/snapshots/{event_id}/{kind}", event_id, kind)

    def _link(self, path: str, name: str, kind: str, *, seconds: float = LINK_S) -> str:
        site = self._context.site
        return f"{site.url(path)}?{self._links.sign(name, kind, seconds=seconds)}" if site.host else ""


def _upload_bucket(settings: Settings) -> UploadBucket | None:
    bucket, most = settings.web.upload_bucket, int(settings.web.max_upload_mb * 1e6)
    zone = local_zone(settings.time_zone)
    return UploadBucket(bucket, max_bytes=most, zone=zone) if bucket.bucket else None


def _camera(
    camera: CameraSettings, core: Core, channels: Channels[CameraSettings], reach: Callable[[], CameraReach]
) -> CameraInfo:
    key = camera.device_key
    return CameraInfo(
        core.labels[key],
        circuit=partial(channels.state, key),
        retry_in=partial(channels.retry_in, key),
        try_now=lambda: channels[key].breaker.probe_now(),
        masks=camera.masks,
        reach=reach,
    )
