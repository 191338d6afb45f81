"""Calls to Drive through PyDrive2, made safe: never a sign-in, one deadline a call, bounded backoff."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from app.archives import ArchiveUnavailable
from app.archives.google_drive.errors import Throttled, Unanswered
from app.archives.google_drive.patched import connect
from app.archives.google_drive.token import DriveToken
from app.archives.google_drive.transport import DriveTransport

FOLDER = "application/vnd.google-apps.folder"
SHORTCUT = "application/vnd.google-apps.shortcut"
PAGE = 1000
"""Files in a page of a listing; the most that Drive gives."""

PAUSES = (1.0, 2.0, 4.0)
"""Seconds between the tries of one call, give or take a fifth; for longer outages the delivery row is postponed."""

Result = TypeVar("Result")


class DriveSession:
    """One account's Drive. Thread-safe: each thread has a connection of its own."""

    def __init__(self, token: DriveToken, *, root_url: str, timeout: float, pauses: tuple[float, ...] = PAUSES) -> None:
        """Load PyDrive2 and the API description that comes with it; sends nothing.

        `root_url` takes the place of Google's in the description, for uploads too; `timeout`: seconds for one
        exchange in all.
        """
        self._token = token
        self._timeout = timeout
        self._pauses = pauses
        self._closing = threading.Event()
        self._transports: list[DriveTransport] = []
        self._drive = connect(root_url, transport=self._transport, sign_in=token.access)

    def retrying(self, call: Callable[[], Result]) -> Result:
        """Make a call that may be made twice, with pauses between tries. Raises `ArchiveError`."""
        for pause in self._pauses:
            try:
                return call()
            except (Throttled, Unanswered) as failure:
                if failure.code == "timeout":
                    raise  # it has had its time
                self.pause(pause, failure)
        return call()

    def pause(self, seconds: float, failure: ArchiveUnavailable) -> None:
        """Wait before the next try, or raise `failure` at once when the service is about to end."""
        if self._closing.wait(seconds * random.uniform(0.8, 1.2)):
            raise failure

    @property
    def pauses(self) -> tuple[float, ...]:
        """Seconds between the tries of one call."""
        return self._pauses

    def list_files(self, query: str, *, fields: str, order: str = "", limit: int = PAGE) -> Iterator[list[Any]]:
        """The files that a query finds, page by page, each a PyDrive2 file with these fields."""
        parameters: dict[str, Any] = {
            "q": query,
            "maxResults": limit,
            "fields": f"nextPageToken,items({fields})",
        }
        if order:
            parameters["orderBy"] = order
        listing = self._drive.ListFile(parameters)
        while True:
            try:
                yield self.retrying(lambda: next(listing))
            except StopIteration:
                return

    def insert(self, metadata: Mapping[str, Any], *, fields: str, media: Any = None) -> Any:
        """Make a file or folder, in one try. Raises `ArchiveError`."""
        file = self._drive.CreateFile(dict(metadata))
        parameters = {"fields": fields}
        if media is not None:
            # Not PyDrive2's own way to give content: that takes two calls for each file.
            parameters["media_body"] = media
        file.Upload(param=parameters)
        return file

    def patch(self, file_id: str, changes: Mapping[str, Any], *, fields: str, **parameters: str) -> Any:
        """Change a file. Raises `ArchiveError`."""

        def call() -> Any:
            file = self._drive.CreateFile({"id": file_id, **changes})
            file.Upload(param={"fields": fields, **{k: v for k, v in parameters.items() if v}})
            return file

        return self.retrying(call)

    def get(self, file_id: str, *, fields: str) -> Any:
        """Drive's metadata of one file. Raises `NotThere` and other `ArchiveError`."""

        def call() -> Any:
            file = self._drive.CreateFile({"id": file_id})
            file.FetchMetadata(fields=fields)
            return file

        return self.retrying(call)

    def trash(self, file_id: str) -> None:
        """Put a file into Drive's bin. Raises `ArchiveError`."""
        self.retrying(lambda: self._drive.CreateFile({"id": file_id}).Trash())

    def about(self) -> Mapping[str, Any]:
        """The account: name, and bytes of storage used and owned. Raises `ArchiveError`."""
        about: Mapping[str, Any] = self.retrying(self._drive.GetAbout)
        return about

    def close(self) -> None:
        """End pauses, and close the connections."""
        self._closing.set()
        for transport in self._transports:
            transport.close()

    def _transport(self) -> DriveTransport:
        transport = DriveTransport(timeout=self._timeout, token=self._token)
        self._transports.append(transport)
        return transport


def quoted(text: str) -> str:
    """A text as a query's string (Drive API guide, "Search query terms")."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def has_property(key: str, value: str) -> str:
    """The query for a property of ours."""
    return f"properties has {{ key={quoted(key)} and value={quoted(value)} and visibility='PRIVATE' }}"


def make_property(key: str, value: str) -> dict[str, str]:
    """A property of ours, cut to the 124 bytes that Drive allows for key and value."""
    room = 124 - len(key.encode())
    return {"key": key, "value": value.encode()[:room].decode(errors="ignore"), "visibility": "PRIVATE"}


def properties(file: Mapping[str, Any]) -> dict[str, str]:
    """A file's properties by key."""
    return {one["key"]: one.get("value", "") for one in file.get("properties", ()) if "key" in one}
