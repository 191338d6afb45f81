"""The files of a Drive double: what Google keeps, and how it changes."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.simulators.drive_query import ROOT, parse

FOLDER = "application/vnd.google-apps.folder"
MAX_PROPERTY = 124
"""Bytes of key and value (schema `Property`)."""


class Refused(Exception):
    """An error answer: a status, and the reason as Google words it."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason


class DriveFiles:
    """Files by id, as their resources. Thread-safe."""

    def __init__(self) -> None:
        self.single_parent = True
        """Drive's rule since 2020; older accounts kept the files of several parents that they had."""
        self.largest_page = 1000
        """Files; Google gives fewer than asked for as it likes."""
        self.quota = 15 * 1024**3
        self._lock = threading.RLock()
        self._ids = itertools.count(1)
        self._clock = itertools.count()
        self._began = datetime.now(UTC)
        self._files: dict[str, dict[str, Any]] = {}
        self._contents: dict[str, bytes] = {}
        self.used = 0
        """Bytes kept, what is in the bin included."""
        self._insert_raw({"id": ROOT, "title": "My Drive", "mimeType": FOLDER, "parents": []})

    # -- what tests use ---------------------------------------------------------------------------

    def add(
        self,
        title: str,
        *,
        parent: str = ROOT,
        mime_type: str = "image/jpeg",
        created: datetime | None = None,
        content: bytes | None = b"picture",
        **more: Any,
    ) -> str:
        """Put a file or folder there by hand, and return its id."""
        metadata: dict[str, Any] = {
            "title": title,
            "mimeType": mime_type,
            "parents": [{"id": parent}],
            **more,
        }
        if created:
            metadata["createdDate"] = _text(created)
        return str(self.insert(metadata, None if mime_type == FOLDER else content)["id"])

    def all(self, *, trashed: bool = False) -> list[dict[str, Any]]:
        """All files and folders but the root, oldest first."""
        with self._lock:
            return [self._shown(f) for f in self._files.values() if f["id"] != ROOT and self._trashed(f) == trashed]

    def pictures(self) -> list[dict[str, Any]]:
        """All files that are no folders and not in the bin."""
        return [file for file in self.all() if not file["mimeType"].startswith("application/vnd.google-apps.")]

    def folders(self, title: str) -> list[dict[str, Any]]:
        """All folders of this name that are not in the bin."""
        return [file for file in self.all() if file["mimeType"] == FOLDER and file["title"] == title]

    def content(self, file_id: str) -> bytes:
        return self._contents[file_id]

    def star(self, file_id: str, starred: bool = True) -> None:
        with self._lock:
            self._files[file_id]["labels"]["starred"] = starred

    def paths(self, file_id: str) -> set[str]:
        """Where a file lies, once for each parent: `/Snapshots/2026/11/20/a.jpg`."""
        with self._lock:
            file = self._files[file_id]
            if not file["parents"]:
                return {""}
            return {f"{path}/{file['title']}" for one in file["parents"] for path in self.paths(one["id"])}

    # -- what the API does ------------------------------------------------------------------------

    def insert(self, metadata: Mapping[str, Any], content: bytes | None) -> dict[str, Any]:
        with self._lock:
            parents = [one["id"] for one in metadata.get("parents", [{"id": ROOT}])]
            parents = [self._folder(one) for one in parents]
            if len(parents) != 1 and self.single_parent:
                raise Refused(403, "cannotAddParent")
            if content is not None and self.used + len(content) > self.quota:
                raise Refused(403, "storageQuotaExceeded")
            _check_properties(metadata.get("properties", ()))
            target = metadata.get("shortcutDetails", {}).get("targetId")
            if target:
                self._find(target)
            return self._shown(self._insert_raw({**metadata, "parents": [{"id": p} for p in parents]}, content))

    def patch(self, file_id: str, changes: Mapping[str, Any], *, add: Sequence[str], remove: Sequence[str]) -> Any:
        with self._lock:
            file = self._find(file_id)
            parents = [one["id"] for one in file["parents"]]
            kept = [one for one in parents if one not in remove]
            kept += [self._folder(one) for one in add if one not in kept]
            if self.single_parent and len(kept) > max(1, len(parents)):
                raise Refused(403, "cannotAddParent")
            _check_properties(changes.get("properties", ()))
            file["parents"] = [{"id": one} for one in kept]
            # The harsher of the two ways to read «patch» for a list: it replaces the one that was there.
            file.update({name: value for name, value in changes.items() if name not in ("id", "parents")})
            return self._shown(file)

    def get(self, file_id: str) -> dict[str, Any]:
        with self._lock:
            return self._shown(self._find(file_id))

    def trash(self, file_id: str) -> dict[str, Any]:
        with self._lock:
            file = self._find(file_id)
            file["labels"]["trashed"] = file["explicitlyTrashed"] = True
            return self._shown(file)

    def delete(self, file_id: str) -> None:
        with self._lock:
            del self._files[file_id]

    def list(self, query: str, *, order: str, size: int, page_token: str) -> dict[str, Any]:
        """A page; tokens count what is found now, so that what moves away between pages shifts the rest."""
        matches = parse(query)
        with self._lock:
            found = [f for f in (self._shown(f) for f in self._files.values()) if matches(f)]
        for key in reversed([part.strip() for part in order.split(",") if part]):
            name, _, direction = key.partition(" ")
            found.sort(key=lambda file: str(file[name]), reverse=direction == "desc")
        start = int(page_token or 0)
        page: dict[str, Any] = {"kind": "drive#fileList", "items": found[start : start + size]}
        if start + size < len(found):
            page["nextPageToken"] = str(start + size)
        return page

    def _insert_raw(self, metadata: Mapping[str, Any], content: bytes | None = None) -> dict[str, Any]:
        # Each a moment after the last, so that «oldest» has an answer.
        now = _text(self._began + timedelta(milliseconds=next(self._clock)))
        file_id = metadata.get("id") or f"f{next(self._ids):06d}"
        file: dict[str, Any] = {
            "kind": "drive#file",
            "id": file_id,
            "createdDate": now,
            "modifiedDate": now,
            "description": "",
            "properties": [],
            "explicitlyTrashed": False,
            "alternateLink": f"https://drive.example/{file_id}",
            **metadata,
        }
        file["labels"] = {"starred": False, "trashed": False, **metadata.get("labels", {})}
        if content is not None:
            self._contents[file_id] = content
            self.used += len(content)
            file["md5Checksum"] = hashlib.md5(content).hexdigest()
            file["fileSize"] = str(len(content))
        self._files[file_id] = file
        return file

    def _find(self, file_id: str) -> dict[str, Any]:
        try:
            return self._files[ROOT if file_id == "root" else file_id]
        except KeyError:
            raise Refused(404, "notFound") from None

    def _folder(self, file_id: str) -> str:
        folder = self._find(file_id)
        if folder["mimeType"] != FOLDER:
            raise Refused(403, "parentNotAFolder")
        return str(folder["id"])

    def _trashed(self, file: Mapping[str, Any]) -> bool:
        if file["labels"]["trashed"]:
            return True
        parents = [self._files[one["id"]] for one in file["parents"] if one["id"] in self._files]
        return bool(parents) and all(self._trashed(one) for one in parents)

    def _shown(self, file: Mapping[str, Any]) -> dict[str, Any]:
        return {**file, "labels": {**file["labels"], "trashed": self._trashed(file)}}


def _check_properties(properties: Sequence[Mapping[str, str]]) -> None:
    for one in properties:
        if len((one["key"] + one.get("value", "")).encode()) > MAX_PROPERTY:
            raise Refused(400, "propertyTooLarge")
        if one.get("visibility", "PRIVATE") not in ("PRIVATE", "PUBLIC"):
            raise Refused(400, "invalid")
    if len(properties) > 30:
        raise Refused(400, "tooManyProperties")


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
