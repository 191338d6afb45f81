"""Folders in Drive, which allows two of one name: found or made once, under one lock; the oldest is used."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from app.archives.google_drive.errors import NotThere
from app.archives.google_drive.session import FOLDER, DriveSession, quoted
from pylib.files import durable

log = structlog.get_logger(__name__)

ROOT = "root"
"""Drive's name for the account's top."""


@dataclass(frozen=True, slots=True)
class Top:
    """The folder that contains everything."""

    name: str
    id: str
    url: str
    """Its link for people."""


class Folders:
    """Folders by name below one top folder. Thread-safe."""

    def __init__(self, session: DriveSession, name: str, *, memory: Path) -> None:
        """`memory`: file in which the top folder's id and link outlast the process."""
        self._session = session
        self._name = name
        self._memory = memory
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], str] = {}
        self._top: Top | None = None
        self._recalled = self._recall()

    @property
    def url(self) -> str:
        """The top folder's link as last seen; empty when it was never seen."""
        known = self._top or self._recalled
        return known.url if known else ""

    def top(self) -> Top:
        """The top folder, found again wherever a person moved it, or else made. Raises `ArchiveError`."""
        with self._lock:
            if self._top is None:
                self._top = self._recognise() or self._find_top() or Top(self._name, *self._make(self._name, ROOT))
                self._remember(self._top)
            return self._top

    def look(self) -> Top | None:
        """The top folder if it exists; none is made. Raises `ArchiveError`."""
        with self._lock:
            return self._top or self._recognise() or self._find_top()

    def below_top(self, *names: str) -> str:
        """The id of a folder below the top one, made as far as it is missing. Raises `ArchiveError`."""
        parent = self.top().id
        with self._lock:
            for name in names:
                key = parent, name
                if key not in self._known:
                    self._known[key] = self._find(name, parent) or self._make(name, parent)[0]
                parent = self._known[key]
        return parent

    def forget(self) -> None:
        """Look everything up again: a folder turned out to be gone, or in the bin."""
        with self._lock:
            self._known.clear()
            self._top = None

    def _recognise(self) -> Top | None:
        """The folder of last time, unless it is gone or in the bin."""
        if self._recalled is None:
            return None
        try:
            found = self._session.get(self._recalled.id, fields="id,alternateLink,labels/trashed")
        except NotThere:
            return None
        if found.get("labels", {}).get("trashed"):
            return None
        return Top(self._name, found["id"], found.get("alternateLink", self._recalled.url))

    def _find_top(self) -> Top | None:
        found = self._find(self._name, ROOT)
        return Top(self._name, found, self._link(found)) if found else None

    def _link(self, folder: str) -> str:
        return str(self._session.get(folder, fields="id,alternateLink").get("alternateLink", ""))

    def _find(self, name: str, parent: str) -> str:
        query = f"title = {quoted(name)} and mimeType = '{FOLDER}' and {quoted(parent)} in parents and trashed = false"
        for page in self._session.list_files(query, fields="id,createdDate", order="createdDate"):
            if page:
                # Equally old ones in an order that does not change.
                return str(min(page, key=lambda folder: (folder["createdDate"], folder["id"]))["id"])
        return ""

    def _make(self, name: str, parent: str) -> tuple[str, str]:
        def call() -> tuple[str, str]:
            # Also before a second attempt: the first may have succeeded, with its answer lost.
            found = self._find(name, parent) if tried else ""
            tried.append(True)
            if found:
                return found, self._link(found)
            metadata = {"title": name, "mimeType": FOLDER, "parents": [{"id": parent}]}
            made = self._session.insert(metadata, fields="id,alternateLink")
            log.info("drive folder made", folder=name)
            return made["id"], made.get("alternateLink", "")

        tried: list[bool] = []
        return self._session.retrying(call)

    def _recall(self) -> Top | None:
        try:
            top = Top(**json.loads(self._memory.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return top if top.name == self._name else None

    def _remember(self, top: Top) -> None:
        if top == self._recalled:
            return
        self._recalled = top
        try:
            durable.write_private(self._memory, json.dumps(asdict(top)).encode())
        except OSError as error:
            log.warning("drive folder not remembered", reason=error.strerror)
