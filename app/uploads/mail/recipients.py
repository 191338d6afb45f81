"""Which cameras a mail is from: by its recipients, its sender, and the address it came from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from app.naming import spellings, text_of
from app.uploads.camera_folders import CameraFolders

EXAMPLES = 3
"""Cameras that a refusal names."""


class Recipients:
    """Finds cameras' folders. Thread-safe."""

    def __init__(self, camera_folders: CameraFolders) -> None:
        """The part before the `@` of a mail address may be a camera's folder, in any spelling."""
        self._camera_folders = camera_folders

    def folders(self, recipients: Iterable[str], sender: str, peer: str) -> list[PurePosixPath]:
        """The folders of all cameras that recipients name, or else of the sender's, or else of the IP address's."""
        named = [folder for address in recipients if (folder := self._named_by(address))]
        if not named:
            folder = self._named_by(sender) or self._camera_folders.folder_by_address(peer)
            named = [folder] if folder else []
        return list(dict.fromkeys(named))

    def address_of(self, folder: PurePosixPath) -> str:
        """An address that means this camera's folder; empty where none means it alone."""
        name = self._example(folder.name)
        return f"{name}@home" if name else ""

    @property
    def examples(self) -> str:
        """A few addresses that would work, in plain letters where there are such, for error texts."""
        addresses = filter(None, map(self.address_of, self._camera_folders.folders()))
        plain_first = sorted(addresses, key=lambda address: not address.isascii())
        return ", ".join(plain_first[:EXAMPLES]) or "(there is none)"

    def _named_by(self, address: str) -> PurePosixPath | None:
        local, at, _ = address.rpartition("@")
        # The mail server passes on bytes that are no UTF-8 as they came.
        sent = (local if at else address).strip('"').encode("utf-8", "surrogateescape")
        camera = self._camera_folders.called(text_of(sent))
        return self._camera_folders.folder_of(camera.device_key) if camera else None

    def _example(self, folder: str) -> str | None:
        """A spelling of this folder's name that means no other, in plain letters if one of them is."""
        camera = self._camera_folders.called(folder)
        keys = sorted(spellings(folder), key=lambda key: not key.isascii())
        return next((key for key in keys if camera and self._camera_folders.called(key) == camera), None)
