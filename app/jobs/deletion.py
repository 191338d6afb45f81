"""Deletes pictures for good: those that were hidden a while ago, and all of a camera or of a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

import structlog

from app.archives import Removing
from app.jobs import Keep
from app.journal import Job, Journal
from app.journal.deletion import JOB, Doomed
from app.journal.entries import Entry
from app.messages import Inspection, Snapshot
from app.pipeline.archive import as_event
from app.storage.erasure import Erasure

log = structlog.get_logger(__name__)

BATCH = 20
"""Pictures between two notes of how far it is."""


class CarryOut:
    """Deletes what was hidden, when nobody took it back."""

    kind: ClassVar[str] = JOB
    title: ClassVar[str] = "Deleting"

    def __init__(self, erase: Erasure, *, journal: Journal, archives: Sequence[str]) -> None:
        """`archives`: names of all of them."""
        self._erase = erase
        self._journal = journal
        self._archives = archives

    def run(self, job: Job, keep: Keep) -> None:
        del keep  # begun anew: what is gone is passed over
        for snapshot_id in job.arguments["ids"]:
            gone = self._journal.carry_out(snapshot_id, archives=self._archives)
            if gone is not None:
                self._erase(snapshot_id, gone.path, gone.video)
        self._journal.drop_job(job.kind, job.key)  # nobody looks for it


@dataclass(frozen=True, slots=True)
class Deletion:
    """Pictures that are to be deleted, here and in archives."""

    doomed: Doomed
    count: int
    """How many they were when somebody wanted that."""
    archives: tuple[str, ...] = ()
    """Those that are to delete their copies, by name."""

    @property
    def key(self) -> str:
        """Names the job: `Front Door Camera 2026-11-20 08:00:00 to 2026-11-21 08:00:00 (1204)`."""
        since, until, last = self.doomed.since, self.doomed.until, self.doomed.last
        times = (f"from {since:%Y-%m-%d %H:%M:%S}" if since else "", f"to {until:%Y-%m-%d %H:%M:%S}" if until else "")
        return " ".join(filter(None, (self.doomed.camera or "All cameras", *times, f"({self.count}, {last})")))

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The same, for the job."""
        since, until = (moment.timestamp() if moment else None for moment in (self.doomed.since, self.doomed.until))
        span = {"since": since, "until": until, "camera": self.doomed.camera, "last": self.doomed.last}
        return {**span, "count": self.count, "archives": list(self.archives)}

    @classmethod
    def of(cls, job: Job) -> Deletion:
        given = job.arguments
        since, until = (
            datetime.fromtimestamp(given[name], UTC) if given[name] is not None else None for name in ("since", "until")
        )
        doomed = Doomed(since, until, given["camera"], given["last"])
        return cls(doomed, given["count"], tuple(given["archives"]))


class DeletePictures:
    """One such job. A picture's copies go first, for its record says where they are."""

    kind: ClassVar[str] = "delete_pictures"
    title: ClassVar[str] = "Deleting pictures"

    def __init__(
        self,
        erase: Erasure,
        *,
        journal: Journal,
        archives: Mapping[str, object],
        name: Callable[[Snapshot], str],
    ) -> None:
        """`archives`: all of them, by name; `name`: the path that a snapshot's picture has or had in the cache."""
        self._erase = erase
        self._journal = journal
        self._archives = archives
        self._name = name

    def run(self, job: Job, keep: Keep) -> None:
        """Delete all, or what is left of it. Raises `app.archives.ArchiveError` where an archive does not do it."""
        wanted, journal = Deletion.of(job), self._journal
        removing = {name: self._archives.get(name) for name in wanted.archives}
        last, done = job.kept or (0, 0)
        while entries := journal.doomed(wanted.doomed, after=last, limit=BATCH):
            for entry in entries:
                removed = self._remove_copies(entry, removing)
                gone = journal.delete(entry.id, archives=tuple(self._archives), removed=removed)
                if gone is not None:
                    self._erase(entry.id, gone.path, gone.video)
            last, done = entries[-1].seq, done + len(entries)
            keep((last, done), min(1.0, done / max(wanted.count, 1)))
        log.info("pictures deleted", key=job.key, pictures=done)

    def _remove_copies(self, entry: Entry, removing: Mapping[str, object]) -> list[str]:
        """The archives that have none any more."""
        removed = []
        for name in entry.archived_in:
            archive = removing.get(name)
            if isinstance(archive, Removing):
                for inspection in self._stored(entry.inspection):
                    archive.remove(inspection)
                removed.append(name)
        return removed

    def _stored(self, inspection: Inspection) -> list[Inspection]:
        """What archives may have of an event: its picture, its frames and its animations."""
        snapshot = inspection.snapshot
        own = replace(inspection, snapshot=replace(snapshot, path=snapshot.path or self._name(snapshot)))
        media = self._journal.media_of(inspection.id) if snapshot.frames > 1 else []
        return [own, *(as_event(medium, own, medium.id) for medium in media)]
