"""Which camera a mail is from: by its recipient, its sender, and the address it came from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from app.uploads.camera_folders import CameraFolders

EXAMPLES = 3
"""Cameras that a refusal names."""


class Recipients:
    """Finds a camera's folder. Thread-safe."""

    def __init__(self, camera_folders: CameraFolders) -> None:
        """The part before the `@` of a mail address may be a camera's folder."""
        self._camera_folders = camera_folders
        self._folders = {_plain(folder.name): folder for folder in camera_folders.folders()}

    def folder(self, recipients: Iterable[str], sender: str, peer: str) -> PurePosixPath | None:
        """The camera's folder, by the first recipient that names one, or else the sender, or else the IP address."""
        for address in (*recipients, sender):
            folder = self._folders.get(_plain(_local_part(address)))
            if folder is not None:
                return folder
        camera = self._camera_folders.by_address(peer)
        return None if camera is None else self._camera_folders.folder_of(camera)

    @property
    def examples(self) -> str:
        """A few addresses that would work, for error texts."""
        return (
            ", ".join(f"{folder.name}@home" for folder in self._camera_folders.folders()[:EXAMPLES])
            or "(there is none)"
        )


def _local_part(address: str) -> str:
    local, at, _ = address.rpartition("@")
    return local if at else address


def _plain(name: str) -> str:
    """Mail addresses have no blanks, so people write front-door or front_door for frontdoor."""
    return re.sub(r"[\s._-]+", "", name.strip('"')).casefold()
