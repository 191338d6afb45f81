"""Builds what receives uploads from cameras: the FTP server, the mail server and the watched folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import structlog

from app.bootstrap.adapters import archive_entries
from app.bootstrap.core import Core
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.journal import Journal
from app.media.adjustments import Adjustments
from app.messages import Inspection, Snapshot
from app.monitoring.tally import Tally
from app.pipeline.receive import Receive
from app.pipeline.videos import KeepVideo
from app.storage.cache import Cache
from app.storage.videos import Videos, is_video
from app.uploads.camera_folders import CameraFolders, PushingCamera
from app.uploads.capture_time import CaptureTime
from app.uploads.ignored import IgnoredNames
from app.uploads.inbox import Inbox
from app.uploads.quarantine import Quarantine
from app.uploads.rejected import RejectedUploads
from app.uploads.source import UploadSource
from pylib.errors import Permanent
from pylib.net.limiter import ConnectionLimiter
from pylib.net.login_throttle import LoginThrottle
from pylib.runtime.periodic import Every, Periodic
from pylib.runtime.shared_lock import SharedLock
from pylib.runtime.threads import ManagedThread
from pylib.timezones import local_zone

if TYPE_CHECKING:
    from app.uploads.ftp.accounts import Account
    from app.uploads.ftp.server import FtpServer
    from app.uploads.mail.server import MailServer

log = structlog.get_logger(__name__)

PUSHED = ("ftp", "mail", "folder")
"""Origins of pushed pictures."""
CLEAN_EVERY_S = 3600.0
RECEIVE_WORKERS = 4
"""Uploads that are processed at once: decoding needs the processor, the rest the disk."""


class LoginWithoutCamera(Permanent):
    """An FTP login is meant for a camera that is not configured."""


class UploadParts:
    """The servers that receive pictures, the inbox between them and the pipeline, and the receive stage."""

    def __init__(
        self,
        settings: Settings,
        attempts: SharedLock | None = None,
        *,
        journal: Journal,
        cache: Cache,
        tally: Tally,
        adjustments: Callable[[str], Adjustments],
        announce: Callable[[Inspection], object] = lambda _inspection: None,
        limiter: ConnectionLimiter | None = None,
    ) -> None:
        """`limiter` and `attempts`: those of the process; `announce` shows a video on pages that are open.

        Raises `app.uploads.camera_folders.DuplicateFolder` and `app.uploads.ftp.accounts.DuplicateLogin`."""
        self._settings = settings
        self._journal = journal
        self._tally = tally
        self._limiter = limiter
        self.inbox = Inbox(DataDir(settings.data_dir).uploads, attempts=attempts)
        self.camera_folders = camera_folders_of(settings)
        self.quarantine = quarantine_of(settings)
        self.source = UploadSource(self.inbox, self.camera_folders, settings.uploads)
        self.capture_time = capture_time_of(settings, max_age_days=settings.uploads.max_age_days)
        self.receive = Receive(
            inbox=self.inbox,
            journal=journal,
            cache=cache,
            quarantine=self.quarantine,
            capture_time=self.capture_time,
            videos=self._keep_video(cache, announce) if settings.uploads.videos == "keep" else None,
            max_bytes=settings.uploads.max_bytes,
            max_pixels=settings.max_pixels,
            adjustments=adjustments,
            count=tally.upload,
        )
        self.ftp = self._ftp_server() if settings.ftp.enabled and accounts_of(settings) else None
        self.mail = self._mail_server() if settings.mail.enabled else None

    @classmethod
    def of(cls, core: Core) -> UploadParts:
        """Those of a service. Raises as the constructor does."""
        return cls(
            core.settings,
            core.attempts,
            journal=core.journal,
            cache=core.cache,
            tally=core.tally,
            adjustments=core.adjustments,
            announce=core.live.handle,
            limiter=core.limiter,
        )

    @property
    def threads(self) -> list[ManagedThread]:
        """The thread that cleans the quarantine, and the servers that receive from the network."""
        clean = Periodic("quarantine", self.quarantine.clean, Every(CLEAN_EVERY_S))
        return [clean, *(server for server in (self.ftp, self.mail) if server is not None)]

    @property
    def throttles(self) -> dict[str, LoginThrottle]:
        """The login throttles by their servers."""
        return {server.name: server.throttle for server in (self.ftp, self.mail) if server is not None}

    def rejected(self, hand_over: Callable[[Snapshot], None]) -> RejectedUploads:
        """What was refused, and may be taken in after all; `hand_over` passes on what is recorded then."""
        return RejectedUploads(
            self.quarantine,
            self.inbox,
            self.camera_folders,
            take_in=self.receive.take_in,
            later=self.source.taken,
            hand_over=hand_over,
        )

    def holds(self, snapshot: Snapshot) -> bool:
        """Whether a snapshot waits for others of its group before one of them becomes an event."""
        return self._settings.uploads.settle > 0 and snapshot.origin in PUSHED

    def open(self) -> None:
        """Make the folders and bind the addresses before anything starts. Raises `pylib.errors.Failure`."""
        self.source.open()
        if not self._settings.uploads.settle:
            self._journal.release_held()  # there is no stage any more that would settle them
        self._make_folders()
        for server in (self.ftp, self.mail):
            if server is not None:
                server.open()

    def _make_folders(self) -> None:
        upload_dir = self.inbox.area / self.camera_folders.upload_dir
        upload_dir.mkdir(parents=True, exist_ok=True)
        there = {entry.name for entry in os.scandir(upload_dir) if entry.is_dir()}
        cameras = (folder for folder in self.camera_folders.folders() if folder.name not in there)
        for folder in (*cameras, *map(PurePosixPath, self._settings.ftp.create_dirs)):
            (self.inbox.area / folder).mkdir(parents=True, exist_ok=True)

    def _keep_video(self, cache: Cache, announce: Callable[[Inspection], object]) -> KeepVideo:
        settings = self._settings
        return KeepVideo(
            Videos(DataDir(settings.data_dir).videos, zone=local_zone(settings.time_zone)),
            journal=self._journal,
            cache=cache,
            capture_time=self.capture_time,
            archives=[name for _, name, _ in archive_entries(settings)],
            announce=announce,
        )

    def _ftp_server(self) -> FtpServer:
        from app.uploads.ftp.server import FtpServer

        return FtpServer(
            self._settings.ftp,
            accounts_of(self._settings),
            inbox=self.inbox,
            data_dir=self._settings.data_dir,
            on_taken=self.source.taken,
            folders=self.camera_folders.folders(),
            folder_by_address=self.camera_folders.folder_by_address,
            names_camera=self.camera_folders.names_camera,
            respelled=self.camera_folders.respelled,
            ignored=IgnoredNames(self._settings.uploads.ignore).holds,
            wanted=lambda name: self._settings.uploads.videos == "keep" or not is_video(name),
            count=lambda outcome: self._tally.trigger("ftp", outcome),
            limiter=self._limiter,
        )

    def _mail_server(self) -> MailServer:
        from app.uploads.mail.recipients import Recipients
        from app.uploads.mail.server import MailServer

        ftp = self._settings.ftp
        return MailServer(
            self._settings.mail,
            inbox=self.inbox,
            data_dir=self._settings.data_dir,
            throttle=LoginThrottle(
                "mail",
                after=ftp.ban_after,
                within=ftp.ban_within,
                wait=ftp.ban_for,
                path=DataDir(self._settings.data_dir).mail_bans,
                on_ban=lambda _address: self._tally.trigger("mail", "banned"),
            ),
            recipients=Recipients(self.camera_folders),
            on_taken=self.source.taken,
            max_pixels=self._settings.max_pixels,
            videos=self._settings.uploads.videos == "keep",
            count=lambda outcome: self._tally.trigger("mail", outcome),
            limiter=self._limiter,
        )


def capture_time_of(settings: Settings, *, max_age_days: float) -> CaptureTime:
    """Knows when pictures were taken that are at most so old."""
    return CaptureTime(
        zone=local_zone(settings.time_zone),
        zones={camera.device_key: ZoneInfo(camera.time_zone) for camera in settings.cameras if camera.time_zone},
        patterns=settings.uploads.patterns,
        max_age=timedelta(days=max_age_days),
        max_pixels=settings.max_pixels,
    )


def camera_folders_of(settings: Settings) -> CameraFolders:
    """Each camera's upload folder. Raises `app.uploads.camera_folders.DuplicateFolder`."""
    cameras = [PushingCamera.of(camera) for camera in settings.cameras]
    return CameraFolders(cameras, upload_dir=PurePosixPath(settings.ftp.upload_dir))


def accounts_of(settings: Settings) -> list[Account]:
    """The FTP logins: the shared one, and those of single cameras.

    Raises `LoginWithoutCamera`, `app.uploads.ftp.accounts.DuplicateLogin`."""
    from app.uploads.ftp.accounts import Account, by_name

    ftp = settings.ftp
    shared = [Account(ftp.username, ftp.password)] if ftp.username and ftp.password.get_secret_value() else []
    if not ftp.logins:
        return shared
    camera_folders = camera_folders_of(settings)
    keys = {camera.location: camera.device_key for camera in settings.cameras}
    strangers = [login.location for login in ftp.logins if login.location not in keys]
    if strangers:
        raise LoginWithoutCamera("ftp_login", f"ftp.logins: there is no camera at {', '.join(map(repr, strangers))}")
    own = [Account(one.username, one.password, camera_folders.folder_of(keys[one.location])) for one in ftp.logins]
    return list(by_name(shared + own).values())


def quarantine_of(settings: Settings) -> Quarantine:
    """The quarantine of files that cannot become an event."""
    return Quarantine(
        DataDir(settings.data_dir).quarantine,
        keep_days=settings.uploads.quarantine_days,
        max_bytes=settings.uploads.quarantine_bytes,
    )
