"""What the web side may use of the service, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Protocol

from app.booth.booth import Booth
from app.films.running_films import RunningFilms
from app.films.shelf import Films
from app.journal import Journal
from app.naming import CameraNames, UnknownCamera
from app.pipeline.live import InProcessEvents
from app.rules.evaluate import Outlets
from app.rules.file import RulesFile
from app.rules.telling import Telling
from app.sources.hooks import Hook
from app.sources.http_uploads import HttpUploads
from app.sources.requests import Intake
from app.storage.animations import Animations
from app.storage.event_media import EventMedia
from app.web.access import Authentication
from app.web.links import Links
from app.web.pictures import PictureFiles
from app.web.site import Site
from app.web.streaming.broadcast import Broadcast
from app.web.upload_bucket import UploadBucket
from pylib.net.login_throttle import LoginThrottle
from pylib.observability.health import Health
from pylib.runtime.circuit_breaker import State


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """A configured camera, as far as people see it. Both functions return at once, from any thread."""

    label: str
    """What people call the place."""
    circuit: Callable[[], State]
    """Whether it is asked as usual, on trial, or paused for a while."""
    retry_in: Callable[[], float]
    """Seconds until a paused camera is asked again; 0 when it would be now."""


@dataclass(frozen=True, slots=True)
class ArchiveInfo:
    """A configured archive, as far as people see it."""

    name: str
    """As in `Entry.archived_in`."""
    url: Callable[[], str]
    """A link for people to where the pictures are; empty when there is none."""
    try_now: Callable[[], None] = lambda: None
    """Ends its pause and tries it at once; from any thread."""


class Traffic(Protocol):
    """Counts HTTP requests. Called in the server's loop: returns at once."""

    def request(self, route: str, *, method: str, status: int, seconds: float) -> None:
        """A request's response began after `seconds`. `route` is its template, `/api/snapshots/{id}`, or empty."""
        ...


@dataclass(frozen=True, slots=True)
class WebContext:
    """The parts of the service that the web side uses."""

    cameras: Mapping[str, CameraInfo]
    """By device key."""
    intake: Intake
    http_uploads: HttpUploads
    journal: Journal
    films: Films
    running_films: RunningFilms
    live: InProcessEvents
    broadcast: Broadcast
    rules: RulesFile
    telling: Telling
    outlets: Outlets
    health: Health
    metrics: Callable[[], bytes]
    """The exposition in Prometheus' text format."""
    traffic: Traffic
    pictures: PictureFiles
    media: EventMedia
    animations: Animations
    access: Authentication
    links: Links
    site: Site
    zone: tzinfo
    """The home's: where its days begin."""
    archives: tuple[ArchiveInfo, ...] = ()
    hooks: Mapping[str, Hook] = field(default_factory=dict)
    """By name."""
    throttles: Mapping[str, LoginThrottle] = field(default_factory=dict)
    """Of all servers, by their names: what they have banned."""
    test_messages: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    """Name of an outlet that tells people -> sends a test message; raises `app.publishers.PublishError`."""
    job_titles: Mapping[str, str] = field(default_factory=dict)
    """Kind of a job -> what people call it."""
    push_outlets: Mapping[str, bool] = field(default_factory=dict)
    """Name of an outlet of kind webpush -> whether it takes push services in private networks."""
    push_key: Callable[[], str] = lambda: ""
    """The key that browsers subscribe with, base64url."""
    max_upload: int = 25_000_000
    """Bytes that an uploaded picture may have."""
    upload_bucket: UploadBucket | None = None
    """Where browsers upload to; None to upload through the service."""
    booth: Booth | None = None
    """The photo booth; None where there is none."""
    max_pixels: int = 50_000_000
    thumbnail_widths: tuple[int, ...] = ()
    """Pixels; besides the one that thumbnails have unless another is asked for."""
    detector: str = "none"
    """Kind of the configured detector."""
    version: str = ""

    def camera(self, name: str) -> str | None:
        """The device key of a name: itself, in any spelling or in its address form, with or without the type."""
        with suppress(UnknownCamera):
            return CameraNames(self.cameras).find(name)
        return None
