"""Tools for the archives: show their state, retry, compare them with the journal, and import old pictures."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path, PurePath

import click

from app.archives import Archive, RemoteObject
from app.journal import ArchivedPicture, ArchiveStats, Journal
from app.media.adjustments import AS_IT_CAME, Adjustments
from app.media.picture import BadPicture
from app.messages import IMPORTED, Inspection, Snapshot
from app.pipeline.decide import sum_up
from app.pipeline.ingest import Duplicate, Ingest, PushedPicture
from app.storage.cache import Cache
from app.uploads.capture_time import CaptureTime
from app.uploads.ignored import LITTER, IgnoredNames

BATCH = 200
"""Pictures in one query to the journal."""


@dataclass
class Comparison:
    """The result of comparing an archive with the journal."""

    matching: int = 0
    missing: list[str] = field(default_factory=list)
    """Events whose picture the archive confirmed and no longer has."""
    differing: list[str] = field(default_factory=list)
    """Events whose picture is a different one there."""
    unknown: list[str] = field(default_factory=list)
    """Names of files that we did not put there."""
    forgotten: int = 0
    """Pictures of ours whose event is not (or no longer) in the journal."""
    sent_again: int = 0
    """Missing and differing ones that are sent again."""

    @property
    def well(self) -> bool:
        return not self.missing and not self.differing


@dataclass
class ImportResult:
    """The result of an import."""

    taken: int = 0
    known: int = 0
    """Pictures that were imported before, by their contents."""
    refused: list[str] = field(default_factory=list)
    """Files that are no pictures, each with the reason."""


def status_row(target: str, stats: ArchiveStats) -> tuple[object, ...]:
    """An archive's state: its name, what it has, what waits and for how long, what it gave up, and its problem."""
    oldest = "" if stats.since is None else _duration(time.time() - stats.since)
    return target, stats.done, stats.pending, oldest, stats.given_up, stats.without, stats.problem


def retry_line(target: str, *, waiting: int, taken_up: int) -> str:
    """The result of an archive's retry, in one line."""
    return f"{target}: {waiting} waiting, {taken_up} of them queued anew"


def verify(journal: Journal, archive: Archive, *, again: bool = False) -> Comparison:
    """List what the archive holds and compare it with what it confirmed.

    Sizes are always compared, MD5s where the remote side has them. With `again`, missing and differing ones are sent
    again, as far as it is in the cache. Raises `app.archives.ArchiveError`, `pylib.sqlite.DatabaseUnavailable`.
    """
    began = datetime.now(UTC)  # what is archived meanwhile may be listed or not
    archive.open()
    compared = Comparison()
    present: set[str] = set()
    with progress(f"listing {archive.name}", journal.archive_stats(archive.name).done) as advance:
        for entries in _batched(archive.entries(), BATCH):
            _compare(journal, archive.name, entries, compared, present)
            advance(len(entries))
    after = 0
    while archived_pictures := journal.archived_pictures(archive.name, before=began, after=after, limit=BATCH):
        after = archived_pictures[-1].seq
        compared.missing += [one.id for one in archived_pictures if one.id not in present]
    if again:
        compared.sent_again = journal.enqueue_again(archive.name, [*compared.missing, *compared.differing])
    return compared


class Import:
    """Imports pictures of another tool: into the cache, and from there into the archives.

    They become no events: they are not detected and not published. The files stay where they are.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        cache: Cache,
        capture_time: CaptureTime,
        archives: Sequence[str],
        max_pixels: int,
        adjustments: Callable[[str], Adjustments] = lambda _camera: AS_IT_CAME,
    ) -> None:
        """`archives`: names of those that are to have them; `adjustments`: what is done to a camera's pictures."""
        self._journal = journal
        self._archives = tuple(archives)
        self._ingest = Ingest(
            cache,
            capture_time=capture_time,
            max_pixels=max_pixels,
            adjustments=adjustments,
            earlier=lambda pushed, _content: journal.find(pushed.event_id),
        )

    def import_folder(self, folder: Path, *, camera: str, label: str) -> ImportResult:
        """Import all pictures below a folder as this camera's; doing it twice imports none of them twice.

        Raises OSError, `app.storage.cache.CacheUnavailable`, `pylib.sqlite.DatabaseUnavailable`.
        """
        imported = ImportResult()
        litter = IgnoredNames(LITTER)
        files = sorted(
            path
            for path in folder.rglob("*")
            if path.is_file() and not path.name.startswith(".") and not litter.holds(path.relative_to(folder))
        )
        with progress("importing", len(files)) as advance:
            for path in files:
                self._take(path, PurePath(path.relative_to(folder)), camera, label, imported)
                advance(1)
        return imported

    def _take(self, path: Path, name: PurePath, camera: str, label: str, imported: ImportResult) -> None:
        data = path.read_bytes()
        pushed = PushedPicture(
            # The id is the contents', so that an interrupted import resumes where it was.
            event_id=hashlib.sha256(f"{camera}\0".encode() + data).hexdigest()[:32],
            camera=camera,
            label=label,
            origin=IMPORTED,
            data=data,
            name=name,
            written=datetime.fromtimestamp(path.stat().st_mtime, UTC),
        )
        try:
            taken = self._ingest.take(pushed, record=self._record)
        except BadPicture as bad:
            imported.refused.append(f"{path}: {bad.detail}")
            return
        if isinstance(taken, Duplicate):
            imported.known += 1
        else:
            imported.taken += 1

    def _record(self, snapshot: Snapshot, *, content: bytes) -> None:  # noqa: ARG002 - known again by its id
        self._journal.import_picture(Inspection(snapshot, decision=sum_up(None)), self._archives)


@contextmanager
def progress(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal, nothing elsewhere; yields what to call with the number of steps done."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(range(max(length, 1)), label=label, show_pos=True, file=sys.stderr) as bar:
        yield bar.update


def _compare(
    journal: Journal, target: str, entries: Sequence[RemoteObject], compared: Comparison, present: set[str]
) -> None:
    ids = [entry.event_id for entry in entries if entry.event_id]
    archived_pictures = {one.id: one for one in journal.archived_among(target, ids)}
    known = journal.known(ids)
    for entry in entries:
        if not entry.event_id:
            compared.unknown.append(entry.name)
        elif entry.event_id in archived_pictures:
            present.add(entry.event_id)
            if _same(entry, archived_pictures[entry.event_id]):
                compared.matching += 1
            else:
                compared.differing.append(entry.event_id)
        elif entry.event_id not in known:
            compared.forgotten += 1


def _same(entry: RemoteObject, archived_pictures: ArchivedPicture) -> bool:
    if entry.size != archived_pictures.size:
        return False
    return not entry.md5 or not archived_pictures.md5 or entry.md5 == archived_pictures.md5


def _batched(entries: Iterable[RemoteObject], size: int) -> Iterator[list[RemoteObject]]:
    remaining = iter(entries)
    while batch := list(islice(remaining, size)):
        yield batch


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=max(0, round(seconds))))
