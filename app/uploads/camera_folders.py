"""Which camera a file belongs to: that of its folder, into which our servers also put what names no camera.

`app.uploads.ftp.view` does so by the client's address, `app.uploads.mail.recipients` by recipient, sender or address.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from pathlib import PurePath, PurePosixPath
from urllib.parse import urlsplit

from app.cameras import CameraSettings
from app.naming import Names
from pylib.errors import Permanent
from pylib.net.addresses import normal

UPLOAD_DIR = PurePosixPath("uploads/snapshots")
"""Where cameras' folders lie below the upload area, unless the configuration says otherwise."""
MAX_NAME = 60
"""Characters of a folder's name that are compared with those of cameras."""
COMPARED = 500
"""Cameras with which a misspelled folder is compared: comparing takes time."""


class DuplicateFolder(Permanent):
    """Two cameras would have the same folder."""


@dataclass(frozen=True, slots=True)
class PushingCamera:
    """A camera that sends files."""

    device_key: str
    label: str
    """What people call the place."""
    folder: str
    """Name of its folder, as `folder_name` makes it."""
    address: str = ""
    """Where it is, if that is known: an IP address, `host:port` or a URL."""

    @classmethod
    def of(cls, camera: CameraSettings, *, folder: str = "") -> PushingCamera:
        """The camera of these settings; `folder` instead of the one named after its location."""
        # Adapters differ in the settings of their camera's address; these two names cover all of them.
        address = getattr(camera, "address", "") or getattr(camera, "url", "")
        label = camera.label or camera.location
        return cls(camera.device_key, label, folder_name(folder or camera.location), address)

    @property
    def ip(self) -> str:
        """The IP address that it sends from; empty where none is known."""
        place = self.address if "//" in self.address else f"//{self.address}"
        return str(normal(urlsplit(place).hostname or "") or "")


class CameraFolders:
    """All cameras that may send files. Raises `DuplicateFolder`."""

    def __init__(self, cameras: Iterable[PushingCamera], *, upload_dir: PurePosixPath = UPLOAD_DIR) -> None:
        self.upload_dir = upload_dir
        self._by_folder: dict[str, PushingCamera] = {}
        self._by_key: dict[str, PushingCamera] = {}
        for camera in cameras:
            self._add(camera)

    @cached_property
    def _spelled(self) -> Names[PushingCamera]:
        """Made for the first file that names no folder exactly."""
        return Names(self._by_folder.items())

    @cached_property
    def _by_address(self) -> dict[str, PushingCamera | None]:
        """Made for the first sender whom only that names. Channels of one recorder share it: then it is None."""
        found: dict[str, PushingCamera | None] = {}
        for camera in self._by_key.values():
            if ip := camera.ip:
                found[ip] = None if ip in found else camera
        return found

    def camera(self, name: PurePath) -> PushingCamera | None:
        """The camera of a file of this name below the upload area: the last folder of it that is a camera's counts.

        One in another spelling counts where none is called exactly so.
        """
        folders = name.parts[-2::-1]
        exact = (self._by_folder.get(folder_name(folder)) for folder in folders)
        return next(filter(None, chain(exact, map(self._spelled.find, folders))), None)

    def called(self, name: str) -> PushingCamera | None:
        """The camera whose folder this name means, in any spelling that can mean no other."""
        return self._by_folder.get(folder_name(name)) or self._spelled.find(name)

    def respelled(self, name: PurePosixPath) -> PurePosixPath:
        """A path below the upload area with its camera's folder spelled as it is called there."""
        above = self.upload_dir.parts
        if name.parts[: len(above)] != above or len(name.parts) == len(above):
            return name
        camera = self.called(name.parts[len(above)])
        return self.folder_of(camera.device_key).joinpath(*name.parts[len(above) + 1 :]) if camera else name

    def names_camera(self, name: PurePath) -> bool:
        """Whether a file's name below the upload area names its camera."""
        return self.camera(name) is not None

    def folder_by_address(self, address: str) -> PurePosixPath | None:
        """The folder of the one camera that is configured with this IP address, below the upload area."""
        camera = self._by_address.get(str(normal(address) or ""))
        return self.folder_of(camera.device_key) if camera else None

    def folder_of(self, device_key: str) -> PurePosixPath:
        """Where this camera's files belong, below the upload area; raises KeyError for an unknown one."""
        return self.upload_dir / self._by_key[device_key].folder

    def with_key(self, device_key: str) -> PushingCamera:
        """The camera of this device key; raises KeyError for an unknown one."""
        return self._by_key[device_key]

    def close_to(self, name: PurePath) -> PushingCamera | None:
        """The camera whose folder one of these may have been meant to be, the last first; None where none is near."""
        folders = list(islice(self._by_folder, COMPARED))
        for part in reversed(name.parts[:-1]):
            if close := difflib.get_close_matches(folder_name(part[:MAX_NAME]), folders, n=1):
                return self._by_folder[close[0]]
        return None

    def folders(self) -> list[PurePosixPath]:
        """All cameras' folders, below the upload area."""
        return [self.folder_of(key) for key in self._by_key]

    def _add(self, camera: PushingCamera) -> None:
        other = self._by_folder.setdefault(camera.folder, camera)
        if other is not camera:
            raise DuplicateFolder(
                "folder_twice",
                f"{other.device_key!r} and {camera.device_key!r} would both upload to the folder {camera.folder!r}:"
                " give one of them another location",
            )
        self._by_key[camera.device_key] = camera


def folder_name(location: str) -> str:
    """The folder of a location: in lower case and without blanks, and never more or less than one folder."""
    name = "".join(location.lower().split()).replace("/", "-").replace("\\", "-").lstrip(".")
    return name or "camera"
