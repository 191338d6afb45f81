"""Uploads a picture to Drive, compares checksums, and looks a picture up before it sends it again."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import PurePath
from typing import Any

import structlog

from app.archives import ArchiveRejected, ArchiveUnavailable
from app.archives.google_drive.errors import NotThere, Throttled, Unanswered
from app.archives.google_drive.folders import Folders
from app.archives.google_drive.ledger import Ledger
from app.archives.google_drive.session import DriveSession, has_property, make_property
from app.media.formats import CONTENT_TYPES, VIDEO_TYPES
from app.messages import Inspection

log = structlog.get_logger(__name__)

MULTIPART_MAX = 5 * 1024 * 1024
"""Bytes up to which one call may carry the whole file (Drive API guide, "Upload file data")."""

EVENT_ID = "event_id"
TAKEN_AT = "taken_at"

FIELDS = "id,fileSize,md5Checksum,createdDate,labels/trashed"


class WrongCopy(ArchiveUnavailable):
    """Drive's copy differs from the picture that was sent."""


@dataclass(frozen=True, slots=True)
class Content:
    """A picture, and what identifies it."""

    data: bytes
    size: int
    md5: str

    @classmethod
    def of(cls, data: bytes) -> Content:
        return cls(data, len(data), hashlib.md5(data, usedforsecurity=False).hexdigest())

    def is_in(self, file: Mapping[str, Any]) -> bool:
        """Whether a file in Drive has this content."""
        return file.get("md5Checksum") == self.md5 and int(file.get("fileSize", -1)) == self.size


class DriveUploads:
    """Puts pictures into the top folder, each once. Thread-safe."""

    def __init__(self, session: DriveSession, folders: Folders, ledger: Ledger, *, zone: tzinfo) -> None:
        self._session = session
        self._folders = folders
        self._ledger = ledger
        self._zone = zone

    def send(self, inspection: Inspection, picture: bytes) -> None:
        """Upload a picture and verify it; one that is there already is found. Raises `ArchiveError`."""
        content = Content.of(picture)
        metadata = describe(inspection, picture, zone=self._zone)
        unsure = self._ledger.begin(inspection.id)
        for pause in (*self._session.pauses, None):
            if unsure and self._find(inspection.id, content):
                return
            try:
                self._insert(metadata, content)
                return
            except (Throttled, Unanswered, NotThere, WrongCopy) as failure:
                unsure = unsure or isinstance(failure, Unanswered)
                if pause is None or failure.code == "timeout":
                    raise
                self._session.pause(pause, failure)

    def trash(self, event_id: str) -> None:
        """Put all files of this event into the bin. Raises `ArchiveError`."""
        for file in self._files(event_id):
            self._session.trash(file["id"])

    def _files(self, event_id: str) -> list[Any]:
        query = f"{has_property(EVENT_ID, event_id)} and trashed = false"
        return [file for page in self._session.list_files(query, fields=FIELDS) for file in page]

    def _insert(self, metadata: Mapping[str, Any], content: Content) -> None:
        from googleapiclient.http import MediaIoBaseUpload

        top = self._folders.top()
        media = MediaIoBaseUpload(
            io.BytesIO(content.data), metadata["mimeType"], resumable=content.size > MULTIPART_MAX
        )
        try:
            file = self._session.insert({**metadata, "parents": [{"id": top.id}]}, fields=FIELDS, media=media)
        except NotThere:
            self._folders.forget()
            raise
        self._accept(file, content)

    def _accept(self, file: Mapping[str, Any], content: Content) -> None:
        """Put a copy that differs or will not last into the bin, and raise `WrongCopy`."""
        if file.get("labels", {}).get("trashed"):
            # The folder is in the bin: files put into it go with it, and are deleted after 30 days.
            self._folders.forget()
            self._session.trash(file["id"])
            raise WrongCopy("folder_trashed", "The Drive folder is in the bin")
        if not content.is_in(file):
            log.warning("drive kept something else than was sent", size=content.size)
            self._session.trash(file["id"])
            raise WrongCopy("wrong_content", "Drive kept something else than was sent, which was taken back")

    def _find(self, event_id: str, content: Content) -> bool:
        """Whether Drive has this picture; wrong or double copies are put into the bin."""
        found = self._files(event_id)
        good = [file for file in found if content.is_in(file)]
        keep = min(good, key=lambda file: (file["createdDate"], file["id"]))["id"] if good else ""
        for file in found:
            if file["id"] != keep:
                self._session.trash(file["id"])
        return bool(keep)


def describe(inspection: Inspection, picture: bytes, *, zone: tzinfo) -> dict[str, Any]:
    """A picture's metadata for Drive, without its folder. Raises `ArchiveRejected` for no picture."""
    if not picture:
        raise ArchiveRejected("empty", "There is no picture")
    snapshot = inspection.snapshot
    labels = [label.name for label in inspection.detection.labels]
    name = PurePath(snapshot.path).name
    suffix = PurePath(name).suffix or ".jpg"
    return {
        "title": f"{snapshot.camera} {snapshot.taken_at.astimezone(zone):%Y-%m-%d %H.%M.%S}{suffix}",
        "mimeType": {**CONTENT_TYPES, **VIDEO_TYPES}.get(suffix, "image/jpeg"),
        "description": _sentence(inspection, labels),
        "createdDate": rfc3339(min(snapshot.taken_at, datetime.now(UTC))),  # a clock may be ahead, Drive's is not
        "properties": [
            make_property(EVENT_ID, inspection.id),
            make_property(TAKEN_AT, rfc3339(snapshot.taken_at)),
            make_property("camera", snapshot.camera),
            make_property("labels", ", ".join(labels)),
            make_property("person_count", str(inspection.detection.person_count)),
        ],
    }


def rfc3339(moment: datetime) -> str:
    """A moment as Drive writes it: `2026-11-20T19:40:06.123Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _sentence(inspection: Inspection, labels: list[str]) -> str:
    lines = [f"{inspection.snapshot.label or inspection.camera}: {', '.join(labels) or 'nothing recognised'}"]
    if inspection.detection.person_count:
        lines.append(f"Persons: {inspection.detection.person_count}")
    lines += [f"Camera: {inspection.camera}", f"Event: {inspection.id}"]
    return "\n".join(lines)
