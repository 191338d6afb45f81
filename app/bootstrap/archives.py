"""Builds archives, retention and the cache's size limit from settings."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from app.archives import Archive, Removing
from app.archives.google_drive.token_backup import TokenBackup
from app.bootstrap.adapters import make_archives
from app.bootstrap.core import Core
from app.bootstrap.outlets import Outlet
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.journal import Journal
from app.messages import Inspection
from app.pipeline.archive import Keep
from app.storage.event_media import EventMedia
from app.storage.missing import MissingFiles
from app.storage.retention import Retention
from app.storage.thumbnails import Thumbnails
from app.storage.video_retention import VideoRetention
from app.storage.videos import Videos
from pylib.errors import Failure
from pylib.runtime.periodic import Every, Periodic
from pylib.runtime.threads import ManagedThread
from pylib.timezones import local_zone

log = structlog.get_logger(__name__)

ORGANISE_EVERY_S = 3600.0
BACKUP_EVERY_S = 60.0
"""Seconds between checks whether the token has changed."""
LONG_JOB_S = 3600.0
"""Seconds that a job over a whole archive or cache may take before it counts as stuck; it beats in between."""


class ArchiveParts:
    """The archives as outlets with a stage for each, and the jobs around them."""

    def __init__(self, core: Core) -> None:
        """Raises `app.archives.ArchiveError` where settings make no sense."""
        self._settings = core.settings
        self._journal = core.journal
        self._health = core.health
        self._root = core.cache.root
        self._tally = core.tally
        self._animations = core.animations if core.settings.archive.animations else None
        self.archives = make_archives(core.settings, used=core.journal.has_delivered)
        self.outlets = [self._outlet(archive) for archive in self.archives]

    def url(self) -> str:
        """Where people find the pictures: the first archive's link, or empty."""
        return next((archive.url for archive in self.archives if archive.url), "")

    def link(self, inspection: Inspection) -> str:
        """A link that opens an event's picture in an archive for some days, once it is there; empty where none does."""
        linking = (archive for archive in self.archives if hasattr(archive, "link"))
        return next((link for archive in linking if (link := archive.link(inspection))), "")

    def _outlet(self, archive: Archive) -> Outlet:
        settings = self._settings.archive
        stage = Keep(
            archive,
            journal=self._journal,
            late=settings.alarm_after,
            all_frames=settings.frames == "all",
            animations=self._animations,
            max_video=settings.max_video_bytes,
            count=self._tally.archiving,
        )
        return Outlet(
            name=archive.name,
            title=getattr(archive, "title", archive.name),
            relay_name=f"archive {archive.name}",
            meter=archive.name,
            stage=stage,
            workers=archive.concurrency,
            probe_name=f"archived to {archive.name}",
            probe=stage.status,
            keeps=True,
            removes=isinstance(archive, Removing),
            url=lambda: archive.url,
            try_now=stage.try_now,
        )

    def open(self) -> None:
        """Restore the token from its copy where it is missing; a failure is logged, and an alarm later."""
        if not self._settings.google_drive.folder or not self._settings.backup_s3_bucket:
            return
        try:
            if self._backup().restore():
                log.info("google drive's token restored from its copy")
        except Failure as error:
            log.warning("google drive's token not restored", reason=str(error))

    def jobs(self, targets: Sequence[str]) -> list[ManagedThread]:
        """The threads that run by the clock. `targets`: every target of events."""
        jobs: list[ManagedThread] = [self._retention(targets)]
        jobs += [_organiser(archive.organise) for archive in self.archives if hasattr(archive, "organise")]
        if self._settings.backup_s3_bucket and self._settings.google_drive.folder:
            jobs.append(Periodic("token backup", self._backup().run, Every(BACKUP_EVERY_S)))
        return jobs

    def _backup(self) -> TokenBackup:
        token = self._settings.google_drive.token_file(self._settings.data_dir)
        return TokenBackup(token, bucket=self._settings.backup_s3_bucket)

    def _retention(self, targets: Sequence[str]) -> ManagedThread:
        videos = video_retention_of(self._settings, self._journal)
        missing = MissingFiles(self._journal, beat=lambda: job.beat(), rest=lambda seconds: job.stopping.wait(seconds))
        self._health.add("missing files", missing.status, critical=False, alarm=True)
        pictures = retention_of(
            self._settings,
            self._journal,
            root=self._root,
            targets=targets,
            archives=[archive.name for archive in self.archives],
            beat=lambda: job.beat(),
        )

        def clean() -> None:
            videos.clean()  # first: videos are deleted before pictures
            pictures.clean()
            missing.look()

        job = Periodic("retention", clean, Every(self._settings.retention.every), stall_after=LONG_JOB_S)
        return job


def retention_of(
    settings: Settings,
    journal: Journal,
    *,
    root: Path,
    targets: Sequence[str],
    archives: Sequence[str],
    beat: Callable[[], None] = lambda: None,
    to_come: int = 0,
) -> Retention:
    """The job that keeps the cache within its limits; `to_come`: bytes of its disk that count as free already."""
    return Retention(
        settings.retention,
        journal=journal,
        root=root,
        targets=targets,
        archives=archives,
        thumbnails=thumbnails_of(settings),
        media=EventMedia(DataDir(settings.data_dir).media),
        free=lambda folder: shutil.disk_usage(folder).free + to_come,
        beat=beat,
    )


def video_retention_of(settings: Settings, journal: Journal) -> VideoRetention:
    """The job that keeps the videos within their limits, also those from before they were ignored."""
    videos = Videos(DataDir(settings.data_dir).videos, zone=local_zone(settings.time_zone))
    return VideoRetention(
        settings.retention,
        videos=videos,
        pictures_size=journal.pictures_size,
        claims=journal.video_claims,
        forget=journal.forget_videos,
    )


def thumbnails_of(settings: Settings) -> Thumbnails:
    """The folder of the cached pictures' thumbnails."""
    folder, widths = DataDir(settings.data_dir).thumbnails, settings.web.thumbnail_widths
    return Thumbnails(folder, max_pixels=settings.max_pixels, widths=widths)


def _organiser(organise: Callable[[Callable[[], None]], object]) -> Periodic:
    job = Periodic(
        "organiser",
        lambda: organise(lambda: job.beat()),
        Every(ORGANISE_EVERY_S),
        stall_after=LONG_JOB_S,
    )
    return job
