"""Builds what receives uploads from cameras: the FTP server, the mail server and the watched folder."""

from __future__ import annotations

from datetime import timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import structlog

from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.journal import Journal
from app.messages import Snapshot
from app.monitoring.metrics import SnapshotMetrics
from app.pipeline.receive import Receive
from app.storage.cache import Cache
from app.storage.videos import Videos, is_video
from app.uploads.camera_folders import CameraFolders, PushingCamera
from app.uploads.capture_time import CaptureTime
from app.uploads.ignored import IgnoredNames
from app.uploads.inbox import Inbox
from app.uploads.quarantine import Quarantine
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
        metrics: SnapshotMetrics,
        limiter: ConnectionLimiter | None = None,
    ) -> None:
        """`limiter` and `attempts`: those of the process.

        Raises `app.uploads.camera_folders.DuplicateFolder` and `app.uploads.ftp.accounts.DuplicateLogin`."""
        self._settings = settings
        self._journal = journal
        self._metrics = metrics
        self._limiter = limiter
        zone = local_zone(settings.time_zone)
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
            videos=Videos(DataDir(settings.data_dir).videos, zone=zone) if settings.uploads.videos == "keep" else None,
            max_bytes=settings.uploads.max_bytes,
            max_pixels=settings.max_pixels,
            count=lambda camera, outcome: metrics.snapshot(camera or "unknown", outcome),
        )
        self.ftp = self._ftp_server() if settings.ftp.enabled and accounts_of(settings) else None
        self.mail = self._mail_server() if settings.mail.enabled else None

    @property
    def threads(self) -> list[ManagedThread]:
        """The thread that cleans the quarantine, and the servers that receive from the network."""
        clean = Periodic("quarantine", self.quarantine.clean, Every(CLEAN_EVERY_S))
        return [clean, *(server for server in (self.ftp, self.mail) if server is not None)]

    @property
    def throttles(self) -> dict[str, LoginThrottle]:
        """The login throttles by their servers."""
        return {server.name: server.throttle for server in (self.ftp, self.mail) if server is not None}

    def holds(self, snapshot: Snapshot) -> bool:
        """Whether a snapshot waits for others of its group before one of them becomes an event."""
        return self._settings.uploads.settle > 0 and snapshot.origin in PUSHED

    def open(self) -> None:
        """Make the folders and bind the addresses before anything starts. Raises `pylib.errors.Failure`."""
        self.source.open()
        if not self._settings.uploads.settle:
            self._journal.release_held()  # there is no stage any more that would settle them
        for folder in (*self.camera_folders.folders(), *map(PurePosixPath, self._settings.ftp.create_dirs)):
            (self.inbox.area / folder).mkdir(parents=True, exist_ok=True)
        for server in (self.ftp, self.mail):
            if server is not None:
                server.open()

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
            count=lambda outcome: self._metrics.trigger("ftp", outcome),
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
                on_ban=lambda _address: self._metrics.trigger("mail", "banned"),
            ),
            recipients=Recipients(self.camera_folders),
            on_taken=self.source.taken,
            max_pixels=self._settings.max_pixels,
            count=lambda outcome: self._metrics.trigger("mail", outcome),
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
    """The FTP logins: the shared one, and those of single cameras."""
    from app.uploads.ftp.accounts import Account

    camera_folders = camera_folders_of(settings)
    ftp = settings.ftp
    shared = [Account(ftp.username, ftp.password)] if ftp.username and ftp.password.get_secret_value() else []
    keys = {camera.location: camera.device_key for camera in settings.cameras}
    strangers = [login.location for login in ftp.logins if login.location not in keys]
    if strangers:
        raise LoginWithoutCamera("ftp_login", f"ftp.logins: there is no camera at {', '.join(map(repr, strangers))}")
    own = [Account(one.username, one.password, camera_folders.folder_of(keys[one.location])) for one in ftp.logins]
    return shared + own


def quarantine_of(settings: Settings) -> Quarantine:
    """The quarantine of files that cannot become an event."""
    return Quarantine(
        DataDir(settings.data_dir).quarantine,
        keep_days=settings.uploads.quarantine_days,
        max_bytes=settings.uploads.quarantine_bytes,
    )
