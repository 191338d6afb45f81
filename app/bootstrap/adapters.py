"""Makes adapters from their settings, for the service, its checks and its commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from app import archives, cameras, detectors, publishers
from app.archives import Archive, ArchiveContext
from app.archives.folder import FolderSettings
from app.cameras import Camera, CameraSettings
from app.cameras.address import Networks, login_out_of_url
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.detectors import Detector, DetectorContext, DetectorSettings, Looker
from app.detectors.in_service import InService
from app.detectors.paid import Answers, NothingKept, Paid
from app.detectors.tiers import Tiers, TiersSettings
from pylib.timezones import local_zone

if TYPE_CHECKING:
    from app.cameras.demo import Visitor


def make_camera(camera: CameraSettings, settings: Settings) -> Camera:
    """The adapter of a configured camera."""
    return cameras.KINDS.load(camera.kind)(camera, networks=_networks(settings.camera_networks))


@lru_cache(maxsize=1)
def _networks(networks: tuple[str, ...]) -> Networks:
    """One for all cameras: reading the six home networks takes longer than making a camera."""
    return Networks(networks)


def login_apart(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A camera's entry in the configuration, with a login in its address where that of any other stands."""
    return dict(login_out_of_url(entry))


def detector_settings(settings: Settings) -> list[DetectorSettings]:
    """The section of every detector that is configured: none, one, or those of `tiers`."""
    own = settings.detector
    if isinstance(own, TiersSettings):
        return [own.first, own.second]
    return [own] if own.kind != "none" else []


def make_detector(own: DetectorSettings, settings: Settings) -> Detector:
    """The adapter of these settings by itself, not in service. Raises `app.detectors.DetectorError`."""
    return detectors.KINDS.load(own.kind)(own, DetectorContext(models=DataDir(settings.data_dir).models))


def make_lookers(
    settings: Settings,
    *,
    answers: Answers | None = None,
    calls_this_month: Callable[[str], int] = lambda _name: 0,
    count: Callable[[str, str], None] = lambda _name, _outcome: None,
    spent: Callable[[str, str, float], None] = lambda _name, _camera, _usd: None,
) -> dict[str, Looker]:
    """Every configured detector in service, by name, as the settings have it last: alone, or with those it asks.

    `answers`: None to keep none, for a check; `calls_this_month`: by name; `count`, `spent`: see `InService` and
    `Paid`. Raises `app.detectors.DetectorError` where settings make no sense.
    """
    made: dict[str, Looker] = {}
    models = DataDir(settings.data_dir).models

    def make(own: DetectorSettings) -> Looker:
        detector = detectors.KINDS.load(own.kind)(own, DetectorContext(models=models, looker=make))
        made[own.kind] = looker = detector if isinstance(detector, Tiers) else serving(detector, own)
        return looker

    def serving(detector: Detector, own: DetectorSettings) -> Looker:
        one = InService(detector, count=count)
        if not one.cost_usd:
            return one
        before = partial(calls_this_month, one.name)
        return Paid(one, own, answers=answers or NothingKept(), calls_this_month=before, count=count, spent=spent)

    if settings.detector.kind != "none":
        make(settings.detector)
    return made


def monthly_calls(lookers: Mapping[str, Looker]) -> dict[str, int]:
    """Name of each detector that costs something -> calls that a month may have; 0 for no limit."""
    return {name: looker.monthly_calls for name, looker in lookers.items() if isinstance(looker, Paid)}


def archive_entries(settings: Settings) -> list[tuple[str, str, Any]]:
    """Kind, name and settings of every configured archive; the one whose link events carry comes first."""
    entries: list[tuple[str, str, Any]] = []
    if settings.google_drive.folder:
        entries.append(("google_drive", "google_drive", settings.google_drive))
    if settings.s3.bucket:
        entries.append(("s3", "s3", settings.s3))
    if settings.archive.dir is not None:
        folder = FolderSettings(dir=settings.archive.dir, concurrency=settings.archive.concurrency)
        entries.append(("folder", "folder", folder))
    return [*entries, *((entry.kind, entry.title, entry) for entry in settings.archives)]


def make_archives(settings: Settings, *, used: Callable[[str], bool]) -> list[Archive]:
    """The configured archives, in the order of `archive_entries`.

    `used`: whether the archive of this name ever took anything. Raises `app.archives.ArchiveError` where settings
    make no sense.
    """
    zone = local_zone(settings.time_zone)
    return [
        archives.KINDS.load(kind)(own, ArchiveContext(name, settings.data_dir, zone, lambda name=name: used(name)))  # type: ignore[misc]
        for kind, name, own in archive_entries(settings)
    ]


def publisher_entries(settings: Settings) -> list[tuple[str, str, Any]]:
    """Kind, name and settings of every configured publisher; the broker of the section `rabbitmq` comes first."""
    own: list[tuple[str, str, Any]] = []
    if settings.rabbitmq.server_address:
        own.append((publishers.RABBITMQ, publishers.RABBITMQ, settings.rabbitmq))
    if settings.mqtt.server_address:
        own.append((publishers.MQTT, publishers.MQTT, settings.mqtt))
    return [*own, *((entry.kind, entry.title, entry) for entry in settings.publishers)]


def notifying_names(settings: Settings) -> list[str]:
    """The names of the publishers that tell people, so that rules decide what they get."""
    return [name for kind, name, _ in publisher_entries(settings) if publishers.KINDS.load(kind).notifies]


def publisher_names(settings: Settings) -> list[str]:
    """The publishers' names as targets in the journal."""
    return [name for _, name, _ in publisher_entries(settings)]


def drawn_person() -> bytes:
    """A drawn picture with a person in the middle of it."""
    from app.cameras.demo import Demo, DemoSettings

    moment = 0
    demo = Demo(DemoSettings(location="Test", place="front"), networks=Networks(()), clock=lambda: moment)
    while not _is_midway(demo.visitor(moment)):
        moment += 1
    return demo.snapshot().data


def _is_midway(visitor: Visitor | None) -> bool:
    return visitor is not None and visitor.person and 0.45 < visitor.way < 0.55
