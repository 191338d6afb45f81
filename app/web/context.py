"""What the web side may use of the service, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Protocol

from app.booth.booth import Booth
from app.films.running_films import RunningFilms
from app.films.shelf import Films
from app.index import EventIndex
from app.journal import Journal, Spent
from app.journal.entries import Entry
from app.media.adjustments import Polygon
from app.monitoring.outcomes import Outcomes
from app.naming import CameraNames, UnknownCamera
from app.pipeline.live import InProcessEvents
from app.pipeline.look_again import LookAgain
from app.rules.evaluate import Outlets
from app.rules.file import RulesFile
from app.rules.telling import Telling
from app.sources.hooks import Hook
from app.sources.http_uploads import HttpUploads
from app.sources.requests import Intake
from app.storage.animations import Animations
from app.storage.event_media import EventMedia
from app.storage.space import Space
from app.uploads.rejected import RejectedUploads
from app.web.access import Authentication
from app.web.camera_config import CameraConfig
from app.web.links import Links
from app.web.pictures import PictureFiles
from app.web.site import Site
from app.web.streaming.broadcast import Broadcast
from app.web.upload_bucket import UploadBucket
from pylib.net.login_throttle import LoginThrottle
from pylib.observability.health import Health
from pylib.runtime.circuit_breaker import State


@dataclass(frozen=True, slots=True)
class FtpReach:
    """How a camera sends its pictures by FTP."""

    host: str
    """Empty for the address of this machine, as the reader calls it."""
    port: int
    user: str
    folder: str
    """As the camera has to have it."""


@dataclass(frozen=True, slots=True)
class CameraReach:
    """How a camera is reached, and how it reaches us; without any password."""

    kind: str
    address: str = ""
    """Where it is asked; empty where triggers bring that, or nothing is asked."""
    ftp: FtpReach | None = None
    mail: str = ""
    """Address that it mails its pictures to; empty without a mail server."""
    mail_port: int = 0


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """A configured camera, as far as people see it. All functions return at once, from any thread."""

    label: str
    """What people call the place."""
    circuit: Callable[[], State]
    """Whether it is asked as usual, on trial, or paused for a while."""
    retry_in: Callable[[], float]
    """Seconds until a paused camera is asked again; 0 when it would be now."""
    masks: tuple[Polygon, ...] = ()
    """Privacy masks of its settings, which the album shows and cannot change."""
    try_now: Callable[[], None] = lambda: None
    """Ends its pause: it is asked the next time; from any thread."""
    reach: Callable[[], CameraReach] = lambda: CameraReach("")


@dataclass(frozen=True, slots=True)
class ArchiveInfo:
    """A configured archive, as far as people see it."""

    name: str
    """As in `Entry.archived_in`."""
    url: Callable[[], str]
    """A link for people to where the pictures are; empty when there is none."""
    try_now: Callable[[], None] = lambda: None
    """Ends its pause and tries it at once; from any thread."""
    removes: bool = False
    """Whether it can delete what it keeps."""


class Exports:
    """How many ZIPs are being sent; all of it in the server's loop."""

    MOST = 2
    """At once."""

    def __init__(self) -> None:
        self._now = 0

    def begin(self) -> bool:
        """Whether another one may begin, which counts from then on."""
        if self._now >= self.MOST:
            return False
        self._now += 1
        return True

    def end(self) -> None:
        self._now -= 1


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
    owns: Callable[[str], bool]
    """Whether this service takes a camera's pictures, by its device key; else another replica does."""
    http_uploads: HttpUploads
    journal: Journal
    index: EventIndex
    """What the album shows: the journal, or what the replicas share."""
    films: Films
    running_films: RunningFilms
    live: InProcessEvents
    broadcast: Broadcast
    rules: RulesFile
    telling: Telling
    outlets: Outlets
    health: Health
    outcomes: Outcomes
    """How each camera, detector, outlet and source did last."""
    metrics: Callable[[], bytes]
    """The exposition in Prometheus' text format."""
    traffic: Traffic
    pictures: PictureFiles
    media: EventMedia
    animations: Animations
    access: Authentication
    links: Links
    site: Site
    look_again: LookAgain
    zone: tzinfo
    """The home's: where its days begin."""
    space: Callable[[], Space]
    """How much room pictures take, and for how long there is some."""
    up_since: datetime
    """When this process began."""
    away: Callable[[], str] = lambda: ""
    """Why the album shows this machine's events only, while replicas share an index; empty otherwise."""
    fetch: Callable[[Entry], None] = lambda _entry: None
    """Has a picture of another replica be on this machine's disk; raises `pylib.errors.Transient`. Takes time."""
    archives: tuple[ArchiveInfo, ...] = ()
    exports: Exports = field(default_factory=Exports)
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
    rejected: RejectedUploads | None = None
    """Files from cameras that became no event; None where nothing takes any."""
    camera_config: CameraConfig | None = None
    """Reads and changes the configured cameras; None where nothing can."""
    booth: Booth | None = None
    """The photo booth; None where there is none."""
    max_pixels: int = 50_000_000
    thumbnail_widths: tuple[int, ...] = ()
    """Pixels; besides the one that thumbnails have unless another is asked for."""
    detector: Callable[[], str] = lambda: ""
    """What looks at pictures, in words; empty where nothing does."""
    detector_advice: str = ""
    """How to see better; empty where there is nothing to say."""
    spent: Callable[[], Sequence[Spent]] = lambda: ()
    """What was paid this month, for each camera and detector."""
    monthly_calls: Mapping[str, int] = field(default_factory=dict)
    """Name of each detector that costs something -> calls that a month may have; 0 for no limit."""
    version: str = ""

    _names: CameraNames = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_names", CameraNames(self.cameras))

    def camera(self, name: str) -> str | None:
        """The device key of a name: itself, in any spelling or in its address form, with or without the type."""
        with suppress(UnknownCamera):
            return self._names.find(name)
        return None
