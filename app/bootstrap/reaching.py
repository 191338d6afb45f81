"""How each camera is reached, and how it reaches us, for people: without any password."""

from __future__ import annotations

from urllib.parse import urlsplit

from app.cameras import CameraSettings
from app.config.settings import Settings
from app.uploads.camera_folders import CameraFolders
from app.uploads.mail.recipients import Recipients
from app.web.context import CameraReach, FtpReach


def reach_of(camera: CameraSettings, settings: Settings, folders: CameraFolders) -> CameraReach:
    """That of this camera."""
    folder = folders.folder_of(camera.device_key)
    return CameraReach(
        kind=camera.kind,
        address=_address(camera),
        ftp=_ftp(camera, settings, str(folder)),
        mail=Recipients(folders).address_of(folder) if settings.mail.enabled else "",
        mail_port=settings.mail.port,
    )


def _address(camera: CameraSettings) -> str:
    """Adapters differ in the settings of their camera's place; these names cover all of them."""
    if url := getattr(camera, "url", ""):
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"  # the query may hold a login
    return str(getattr(camera, "address", "") or getattr(camera, "device", "") or getattr(camera, "path", ""))


def _ftp(camera: CameraSettings, settings: Settings, folder: str) -> FtpReach | None:
    ftp = settings.ftp
    if not ftp.enabled:
        return None
    own = next((login for login in ftp.logins if login.location == camera.location), None)
    if own is not None:
        return FtpReach(ftp.masquerade_address, ftp.port, own.username, "/")
    if not (ftp.username and ftp.password.get_secret_value()):
        return None
    return FtpReach(ftp.masquerade_address, ftp.port, ftp.username, f"/{folder}")
