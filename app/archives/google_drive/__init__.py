"""The Google Drive archive: uploads pictures into a folder of Drive, through PyDrive2."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.archives import ArchiveContext, RemoteObject
from app.archives.google_drive.errors import CODES as CODES
from app.archives.google_drive.folders import Folders
from app.archives.google_drive.ledger import Ledger
from app.archives.google_drive.organiser import Organiser, Sorted
from app.archives.google_drive.session import FOLDER, PAUSES, DriveSession, properties
from app.archives.google_drive.status import DriveStatus, examine
from app.archives.google_drive.token import DriveToken
from app.archives.google_drive.uploads import EVENT_ID, DriveUploads
from app.messages import Inspection

TOKEN_FILE = "snapshot_processor_creds"  # noqa: S105 - a file's name
GOOGLE = "https://www.googleapis.com/"


class GoogleDriveSettings(BaseModel):
    """A folder in Google Drive; sign in once with `snapshot-processor drive-login`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    folder: str = Field(
        default="",
        max_length=200,
        description="Name of the folder in Drive, created where it is missing; empty for no archive in Drive.",
    )
    credentials_file: Path | None = Field(
        default=None,
        description=f"File for the token; `{TOKEN_FILE}` in the data directory unless set.",
    )
    client_secrets_file: Path | None = Field(
        default=None,
        description="JSON file of the OAuth client, from the Google Cloud console; needed to sign in.",
    )
    api_root_url: str = Field(
        default=GOOGLE, pattern="^https?://", description="Address of the Drive API, for a proxy or a test double."
    )
    concurrency: int = Field(default=4, ge=1, le=32, description="Uploads at once.")
    timeout: float = Field(default=60, gt=0, le=600, description="Seconds that one call may take in all.")

    def token_file(self, data_dir: Path) -> Path:
        """The token's file."""
        return self.credentials_file.expanduser() if self.credentials_file else data_dir / TOKEN_FILE


class GoogleDrive:
    """Stores pictures in a Drive folder: new ones at its top, older ones in date folders (`organise`).

    Thread-safe. An upload takes at most four tries of two or three calls of `timeout` seconds, and 8 s of pauses;
    a call that times out is not retried.
    """

    title = "Google Drive"
    Settings = GoogleDriveSettings

    def __init__(
        self, settings: GoogleDriveSettings, context: ArchiveContext, *, pauses: tuple[float, ...] = PAUSES
    ) -> None:
        """Load PyDrive2; sends nothing. `pauses`: seconds between the tries of a call."""
        data_dir, zone = context.data_dir, context.zone
        self.name = context.name or "google_drive"
        self.concurrency = settings.concurrency
        self._folder = settings.folder
        self._token = DriveToken(settings.token_file(data_dir), timeout=settings.timeout)
        self._session = DriveSession(
            self._token, root_url=settings.api_root_url, timeout=settings.timeout, pauses=pauses
        )
        memory = data_dir / "google_drive"
        self._folders = Folders(self._session, settings.folder, memory=memory / "folder.json")
        self._uploads = DriveUploads(self._session, self._folders, Ledger(memory / "begun"), zone=zone)
        self._organiser = Organiser(self._session, self._folders, zone=zone)

    @property
    def url(self) -> str:
        """The folder's link, also the one of an earlier run; empty until it was seen once."""
        return self._folders.url

    def open(self) -> None:
        """Find the folder, or make it. Raises `ArchiveError`."""
        self._folders.top()

    def store(self, inspection: Inspection, picture: bytes) -> None:
        """Upload a picture once, and verify it by size and MD5. Raises `ArchiveError`."""
        self._uploads.send(inspection, picture)

    def remove(self, inspection: Inspection) -> None:
        """Put the files of this event's id into Drive's bin, which is emptied after 30 days. Raises `ArchiveError`."""
        self._uploads.trash(inspection.id)

    def organise(self, beat: Callable[[], object] = lambda: None) -> Sorted:
        """Move files older than a day into `YYYY/MM/DD` folders; see `Organiser`. Raises `ArchiveError`."""
        return self._organiser.organise(beat)

    def entries(self) -> Iterator[RemoteObject]:
        """All pictures below the folder, wherever they were moved to below it. Raises `ArchiveError`."""
        top = self._folders.top().id
        paths = self._paths(top)
        query = "trashed = false and (mimeType contains 'image/' or mimeType contains 'video/')"
        fields = "id,title,fileSize,md5Checksum,parents/id,properties(key,value)"
        for page in self._session.list_files(query, fields=fields):
            for file in page:
                places = [paths[one["id"]] for one in file.get("parents", ()) if one["id"] in paths]
                if places:
                    yield _kept(file, max(places, key=len))

    def status(self) -> DriveStatus:
        """The state of token, account and folder; changes nothing in Drive and raises nothing."""
        return examine(self._token, self._session, self._folders)

    def describe(self) -> str:
        """Folder, account and room."""
        self.open()
        status = self.status()
        since = f", signed in on {status.signed_in_at:%Y-%m-%d}" if status.signed_in_at else ""
        room = f", {status.used / 1e9:.1f} of {status.total / 1e9:.1f} GB used" if status.total else ""
        return f"{status.folder or self.url} ({status.account}{since}{room})"

    def close(self) -> None:
        """End pauses, and close connections."""
        self._session.close()

    def _paths(self, top: str) -> dict[str, str]:
        """Folder id -> path below the top folder, with a slash at the end."""
        query = f"mimeType = '{FOLDER}' and trashed = false"
        found = [folder for page in self._session.list_files(query, fields="id,title,parents/id") for folder in page]
        below: dict[str, list[Any]] = {}
        for folder in found:
            for parent in folder.get("parents", ()):
                below.setdefault(parent["id"], []).append(folder)
        paths = {top: ""}
        todo = [top]
        while todo:
            parent_id = todo.pop()
            for folder in below.get(parent_id, ()):
                if folder["id"] not in paths:
                    paths[folder["id"]] = f"{paths[parent_id]}{folder['title']}/"
                    todo.append(folder["id"])
        return paths


def _kept(file: Mapping[str, Any], place: str) -> RemoteObject:
    return RemoteObject(
        event_id=properties(file).get(EVENT_ID, ""),
        name=f"{place}{file.get('title', '')}",
        size=int(file.get("fileSize", 0)),
        md5=file.get("md5Checksum", ""),
    )
