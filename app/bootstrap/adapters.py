"""Makes adapters from their settings, for the service, its checks and its commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app import archives, cameras, detectors, publishers
from app.archives import Archive, ArchiveContext
from app.archives.folder import FolderSettings
from app.cameras import Camera, CameraSettings
from app.cameras.address import Networks
from app.config.settings import Settings
from app.detectors import Detector, DetectorContext
from pylib.timezones import local_zone

if TYPE_CHECKING:
    from app.cameras.demo import Visitor


def make_camera(camera: CameraSettings, settings: Settings) -> Camera:
    """The adapter of a configured camera."""
    return cameras.KINDS.load(camera.kind)(camera, networks=Networks(settings.camera_networks))


def make_detector(settings: Settings, *, calls_this_month: Callable[[], int]) -> Detector | None:
    """The configured detector, or None for `none`."""
    kind = settings.detector.kind
    if kind == "none":
        return None
    return detectors.KINDS.load(kind)(settings.detector, DetectorContext(calls_this_month=calls_this_month))


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
