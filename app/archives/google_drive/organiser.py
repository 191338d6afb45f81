"""Sorts the top folder: files older than a day move into `YYYY/MM/DD` folders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import structlog

from app.archives import ArchiveBlocked, ArchiveError, ArchiveRejected
from app.archives.google_drive.errors import NotThere, SecondParentRefused
from app.archives.google_drive.folders import Folders
from app.archives.google_drive.session import (
    SHORTCUT,
    DriveSession,
    has_property,
    make_property,
    properties,
    quoted,
)
from app.archives.google_drive.uploads import TAKEN_AT

log = structlog.get_logger(__name__)

AGE = timedelta(days=1)
"""How long a picture stays in the top folder."""

SORTED = "sorted"
"""Property of a starred file that was given its date folder; its value is that folder's path."""
POINTS_TO = "points_to"
"""Property of a shortcut in a date folder: the id of the starred file that stays elsewhere."""

FIELDS = "id,title,createdDate,labels/starred,parents/id,properties(key,value,visibility)"


@dataclass(frozen=True, slots=True)
class Sorted:
    """The result of one run."""

    moved: int = 0
    added: int = 0
    """Starred ones that got their date folder as well."""
    skipped: int = 0
    """Ones that Drive did not let us move."""


class Organiser:
    """Moves pictures and videos, ours and other tools' as far as we may see and move them.

    No state is kept between runs: the files in the top folder are the work to do, so that a run costs as many
    calls as there are files to sort, resumes an interrupted run, and finds nothing to do the second time.
    """

    def __init__(
        self,
        session: DriveSession,
        folders: Folders,
        *,
        zone: tzinfo,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._session = session
        self._folders = folders
        self._zone = zone
        self._now = now

    def organise(self, beat: Callable[[], object] = lambda: None) -> Sorted:
        """Sort files older than a day; `beat` is called at least once for each file.

        Raises `ArchiveError` where Drive is unreachable or blocked; a file that cannot be moved is skipped.
        """
        self._folders.forget()  # people move and bin folders, and a day's folder is looked up once a run
        moved = added = skipped = 0
        for file in self._due():
            beat()
            try:
                if not file.get("labels", {}).get("starred"):
                    self._move(file)
                    moved += 1
                elif SORTED not in properties(file):
                    self._add(file)
                    added += 1
            except (ArchiveRejected, NotThere, ArchiveBlocked) as error:
                self._skip(file, error)
                skipped += 1
        if moved or added or skipped:
            log.info("drive folder sorted", moved=moved, added=added, skipped=skipped)
        return Sorted(moved, added, skipped)

    def _due(self) -> list[Any]:
        """All files before the first is moved: moving what a listing has shown shifts the pages after it."""
        limit = self._now() - AGE
        return [file for file in self._listed(limit) if _taken_at(file) <= limit]

    def _listed(self, limit: datetime) -> Iterator[Any]:
        query = (
            f"{quoted(self._folders.top().id)} in parents and trashed = false"
            " and (mimeType contains 'image/' or mimeType contains 'video/')"
        )
        for page in self._session.list_files(query, fields=FIELDS, order="createdDate"):
            yield from page
            if page and _instant(page[-1]["createdDate"]) > limit:
                return  # the rest is younger still

    def _move(self, file: Mapping[str, Any]) -> None:
        top = self._folders.top().id
        self._session.patch(file["id"], {}, fields="id", addParents=self._folder(file), removeParents=top)
        if SORTED in properties(file):
            self._trash_shortcuts(file["id"])  # its star is gone, and with it the need for them

    def _add(self, file: Mapping[str, Any]) -> None:
        folder = self._folder(file)
        # With its current ones: whether Drive adds to the list or replaces it, none is lost.
        mark = {"properties": [*file.get("properties", ()), make_property(SORTED, self._day(file))]}
        try:
            self._session.patch(file["id"], mark, fields="id", addParents=folder)
        except SecondParentRefused:
            self._shortcut(file, folder)
            self._session.patch(file["id"], mark, fields="id")

    def _shortcut(self, file: Mapping[str, Any], folder: str) -> None:
        """Drive's replacement for a second parent; one of an interrupted run is kept."""

        def call() -> None:
            if not self._shortcuts(file["id"]):
                self._session.insert(shortcut, fields="id")

        shortcut = {
            "title": file.get("title", ""),
            "mimeType": SHORTCUT,
            "parents": [{"id": folder}],
            "shortcutDetails": {"targetId": file["id"]},
            "properties": [make_property(POINTS_TO, file["id"])],
        }
        self._session.retrying(call)

    def _shortcuts(self, target: str) -> list[str]:
        query = f"{has_property(POINTS_TO, target)} and trashed = false"
        return [one["id"] for page in self._session.list_files(query, fields="id") for one in page]

    def _trash_shortcuts(self, target: str) -> None:
        for shortcut in self._shortcuts(target):
            self._session.trash(shortcut)

    def _folder(self, file: Mapping[str, Any]) -> str:
        return self._folders.below_top(*self._day(file).split("/"))

    def _day(self, file: Mapping[str, Any]) -> str:
        return _taken_at(file).astimezone(self._zone).strftime("%Y/%m/%d")

    def _skip(self, file: Mapping[str, Any], error: ArchiveError) -> None:
        if isinstance(error, ArchiveBlocked) and error.code not in ("forbidden", "no_permission"):
            raise error
        log.warning("drive file not sorted", file=file["id"], reason=str(error))


def _taken_at(file: Mapping[str, Any]) -> datetime:
    """When the picture was taken: by the date that we wrote beside it, or else by Drive's."""
    return _instant(properties(file).get(TAKEN_AT) or file["createdDate"])


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
