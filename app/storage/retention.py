"""How long pictures stay in the cache: by age, size and free disk; a picture with pending deliveries stays."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from app.journal import CachedPicture, Journal
from app.storage.event_media import EventMedia
from app.storage.settings import RetentionSettings
from app.storage.thumbnails import Thumbnails

log = structlog.get_logger(__name__)

DAY_S = 86_400.0
MONTH_S = 31 * DAY_S
"""For which answers that were paid for are kept at least: a month's calls are counted by them."""
GB = 1_000_000_000
BATCH = 200
"""Pictures in one query to the journal, which other threads wait for."""
ORPHAN_S = DAY_S
"""Age of a file from which on no event can still be about to be recorded for it."""
SWEEP_EVERY_S = DAY_S
"""Seconds until the cache is searched for orphans again; that reads every folder."""

_NAME = re.compile(r"\d{6}-([0-9a-f]{32})\.[a-z]+")


@dataclass
class Cleaned:
    """The result of one cleaning, or with `dry_run` what it would have been."""

    pictures: int = 0
    size: int = 0
    """Bytes of them."""
    forced: int = 0
    """Those among them that were starred or not archived."""
    orphans: int = 0
    """Files without an event, left by a crash."""
    forgotten: int = 0
    """Events that were deleted from the journal."""
    gone: list[str] = field(default_factory=list)
    """Paths of the first few hundred, for people."""


class Retention:
    """Cleans the cache. Called by one thread at a time."""

    def __init__(
        self,
        settings: RetentionSettings,
        *,
        journal: Journal,
        root: Path,
        targets: Sequence[str],
        archives: Sequence[str],
        thumbnails: Thumbnails,
        media: EventMedia,
        clock: Callable[[], float] = time.time,
        free: Callable[[Path], int] = lambda root: shutil.disk_usage(root).free,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        """`root`: the cache's folder; `targets`: every target of events; `archives`: those of them that store pictures;
        `thumbnails`, `media`: what belongs to pictures; `free`: bytes free on a folder's disk; `beat`: called between
        two batches."""
        self._settings = settings
        self._journal = journal
        self._root = root
        self._targets = tuple(targets)
        self._archives = tuple(archives)
        self._thumbnails = thumbnails
        self._media = media
        self._clock = clock
        self._free = free
        self._beat = beat
        self._days = {own.camera: (own.days, own.person_days) for own in settings.cameras}
        self._next_sweep = 0.0

    def clean(self, *, dry_run: bool = False, sweep: bool = False) -> Cleaned:
        """Evict pictures that are too old or too many; with `sweep`, or once a day, delete orphans, too.

        With `dry_run` nothing is deleted, only reported. Raises `pylib.sqlite.DatabaseUnavailable`.
        """
        cleaned = Cleaned()
        self._remove_unneeded(cleaned, dry_run=dry_run)
        self._relieve(cleaned, dry_run=dry_run)
        self._forget(cleaned, dry_run=dry_run)
        if sweep or self._clock() >= self._next_sweep:
            self._remove_orphans(cleaned, dry_run=dry_run)
            if not dry_run:
                self._thumbnails.sweep(self._journal.with_picture, beat=self._beat)
                self._media.sweep(self._journal.with_picture, beat=self._beat)
                self._journal.forget_orphans(before=self._clock() - ORPHAN_S)
            self._next_sweep = self._clock() + SWEEP_EVERY_S
        if not dry_run and (cleaned.pictures or cleaned.orphans):
            log.info("cache cleaned", pictures=cleaned.pictures, bytes=cleaned.size, orphans=cleaned.orphans)
        return cleaned

    # -- by age, size and free disk -----------------------------------------------------------------

    def _remove_unneeded(self, cleaned: Cleaned, *, dry_run: bool) -> None:
        excess = self._excess()
        for batch in self._batches():
            chosen, planned = [], 0
            for picture in batch:
                unneeded = not (picture.starred or picture.needed)
                if unneeded and (self._too_old(picture) or cleaned.size + planned < excess):
                    chosen.append(picture)
                    planned += picture.size
            self._remove(chosen, cleaned, dry_run=dry_run)
            if cleaned.size >= excess and not self._may_be_old(batch[-1]):
                return

    def _excess(self) -> int:
        """Bytes to evict for the cache's size limit and the disk's free space."""
        settings = self._settings
        excess = 0
        if settings.max_gb:
            excess = self._journal.pictures_size() - int(settings.max_gb * GB)
        return max(0, excess, self._lacking(max(settings.min_free_gb, settings.hard_free_gb)))

    def _lacking(self, least_free_gb: float) -> int:
        """Bytes that the disk lacks, if evicting pictures can free them; 0 where all of them would not be enough.

        Then something else fills the disk, and evicting every picture would only add to the damage.
        """
        lacking = int(least_free_gb * GB) - self._free(self._root)
        if lacking > 0 and lacking > self._journal.pictures_size():
            log.error("disk filled by something else, pictures stay", folder=str(self._root), lacking=lacking)
            return 0
        return max(0, lacking)

    def _too_old(self, picture: CachedPicture) -> bool:
        days, person_days = self._days.get(picture.camera, (self._settings.days, self._settings.person_days))
        most = person_days if picture.person else days
        return most > 0 and self._clock() - picture.taken_at > most * DAY_S

    def _may_be_old(self, picture: CachedPicture) -> bool:
        """Whether pictures that came after this one can be too old for any camera."""
        settings = self._settings
        days = [settings.days, settings.person_days, *(d for pair in self._days.values() for d in pair)]
        least = min((d for d in days if d), default=0)
        return bool(least) and self._clock() - picture.taken_at > least * DAY_S

    # -- at the hard limit --------------------------------------------------------------------------

    def _relieve(self, cleaned: Cleaned, *, dry_run: bool) -> None:
        """On a disk that is nearly full, evict the oldest pictures, whatever they are; the starred ones last."""
        lacking = self._lacking(self._settings.hard_free_gb)
        if dry_run:
            lacking -= cleaned.size
        for starred in (False, True):
            for batch in self._batches():
                if lacking <= 0:
                    return
                chosen = []
                for picture in batch:
                    if lacking > 0 and picture.starred == starred and (starred or picture.needed):
                        chosen.append(picture)
                        lacking -= picture.size
                self._force(chosen, cleaned, dry_run=dry_run)
        if lacking > 0:
            log.error("disk nearly full, and no picture left to give up", folder=str(self._root), lacking=lacking)

    def _force(self, chosen: Sequence[CachedPicture], cleaned: Cleaned, *, dry_run: bool) -> None:
        if not chosen:
            return
        if not dry_run:
            log.error(
                "disk nearly full, pictures given up that were starred or not archived",
                pictures=len(chosen),
                oldest=chosen[0].path,
            )
        cleaned.forced += len(chosen)
        problem = "disk_full: the picture had to leave the cache before it was archived"
        self._remove(chosen, cleaned, dry_run=dry_run, problem=problem)

    # -- how ----------------------------------------------------------------------------------------

    def _batches(self) -> Iterator[list[CachedPicture]]:
        last: CachedPicture | None = None
        while batch := self._journal.pictures(last, targets=self._targets, archives=self._archives, limit=BATCH):
            last = batch[-1]
            yield batch
            self._beat()

    def _remove(self, chosen: Sequence[CachedPicture], cleaned: Cleaned, *, dry_run: bool, problem: str = "") -> None:
        """The journal first: a file that a crash leaves is found as an orphan, a row without its file is not."""
        gone: Sequence[CachedPicture] = chosen
        if chosen and not dry_run:
            gone = self._journal.evict(chosen, targets=self._targets, archives=self._archives, problem=problem)
            for picture in gone:
                _delete(Path(picture.path), self._root)
                self._thumbnails.drop(picture.id)
                self._media.drop(picture.id)
        cleaned.pictures += len(gone)
        cleaned.size += sum(picture.size for picture in gone)
        cleaned.gone += [picture.path for picture in gone][: max(0, 500 - len(cleaned.gone))]

    def _forget(self, cleaned: Cleaned, *, dry_run: bool) -> None:
        age = self._settings.forget_days * DAY_S
        if dry_run:
            cleaned.forgotten = self._journal.forgettable(older_than=age, targets=self._targets)
            return
        self._journal.forget_answers(older_than=max(age, MONTH_S))
        while count := self._journal.purge(older_than=age, targets=self._targets, limit=BATCH):
            cleaned.forgotten += count
            self._beat()

    # -- orphans ------------------------------------------------------------------------------------

    def _remove_orphans(self, cleaned: Cleaned, *, dry_run: bool) -> None:
        began = self._journal.began()
        if began is None:
            return  # a new journal does not know the files here
        before = self._clock() - ORPHAN_S
        for folder, _, names in os.walk(self._root):
            self._beat()
            ids = {found[1]: Path(folder, name) for name in names if (found := _NAME.fullmatch(name))}
            old = {event_id: path for event_id, path in ids.items() if _is_between(path, began, before)}
            for orphan in self._without_event(old):
                cleaned.orphans += 1
                if not dry_run:
                    log.warning("picture without an event removed", path=str(orphan))
                    _delete(orphan, self._root)

    def _without_event(self, files: dict[str, Path]) -> Iterator[Path]:
        ids = list(files)
        for start in range(0, len(ids), BATCH):
            some = ids[start : start + BATCH]
            known = self._journal.with_picture(some)
            yield from (files[event_id] for event_id in some if event_id not in known)


def _is_between(path: Path, began: float, before: float) -> bool:
    """Whether a file is older than `before`, under this name too, and not older than the journal.

    A journal that was lost must not take all pictures with it.
    """
    try:
        status = path.stat()
    except OSError:
        return False  # gone meanwhile
    return began <= status.st_mtime and max(status.st_mtime, status.st_ctime) < before


def _delete(path: Path, root: Path) -> None:
    """Delete a file and the folders that are empty then; one that cannot be deleted is found again as an orphan."""
    if not path.is_relative_to(root):
        log.error("not deleted: it is not in this cache", path=str(path), root=str(root))
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("cannot delete", path=str(path), reason=error.strerror)
        return
    with suppress(OSError):  # not empty
        for folder in path.relative_to(root).parents[:-1]:
            root.joinpath(folder).rmdir()
