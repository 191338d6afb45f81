"""The running film: one that grows for years, a part a day, without encoding the rest of it again.

The journal is the truth: a part is on the disk before it is recorded with its pictures, and the film shows the parts
that are recorded. What is cut off by a crash is done again, with the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from PIL import Image

from app.films.day_parts import DayParts, Plan, make_folder
from app.films.growing import IndexFull, Part, grow, part_of, way_of, write
from app.films.pictures import PictureSource
from app.films.shelf import write_description
from app.journal import FilmPicture, FilmRecord, FilmSegment, Journal, Medium
from app.media.film import FilmError, FilmWriter
from app.media.film_file import images_of

log = structlog.get_logger(__name__)

NOTED = 100
"""Pictures that are recorded in one go."""
WASTE, LEAST_WASTE = 0.5, 1_000_000
"""A film of more bytes than that is written anew when more than this part of it is no longer shown."""
REFERENCE = "reference.mp4"
"""A film of one frame, which says how parts are encoded now."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a running film is."""

    shown: int = 0
    """Pictures, which are its frames."""
    waiting: int = 0
    undated: int = 0
    broken: int = 0
    passed: int = 0


class RunningFilm:
    """One of them; one thread at a time works on it."""

    def __init__(
        self,
        plan: Plan,
        source: PictureSource,
        *,
        journal: Journal,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.plan = plan
        self._name = plan.name
        self._source = source
        self._journal = journal
        self._parts = DayParts(plan, source, journal=journal, now=now)

    def take_in(self) -> int:
        """Record the pictures that are new; returns their number. Raises `Transient`."""
        count = 0
        batch: list[FilmPicture] = []
        for one in self._source.new(self._name):
            count += 1
            batch.append(one)
            if len(batch) == NOTED:
                self._journal.note_pictures(self._name, batch)
                batch = []
        self._journal.note_pictures(self._name, batch)
        return count

    def bring_up(self, progress: Callable[[float], None] = lambda _part: None) -> Standing:
        """Make the parts of the days that have new pictures, and have the film show them.

        `progress` hears how much of it is done (0..1). Raises `FilmError`, `FilmUnwritable`, `StampError`,
        and what a source or a bucket raises that is away.
        """
        days = [day for day in self._journal.film_days(self._name) if self._parts.is_over(day)]
        for number, day in enumerate(days):
            self._parts.make(day)
            progress(number / len(days))
        self._show()
        if self.plan.buckets is not None and self.plan.path.exists():
            self.plan.buckets.keep_film(self.plan.path)
        return self.standing()

    def standing(self) -> Standing:
        """How it is now."""
        return Standing(**self._journal.film_counts(self._name))

    def _show(self) -> None:
        """Have the film show the recorded parts: by adding to it, or written anew."""
        record, segments = self._journal.running_film(self._name), self._journal.film_segments(self._name)
        if record is None or not segments:
            return
        parts = [Part(segment.path, segment.samples, segment.start) for segment in segments]
        anew = self._why_anew(record, parts)
        if not anew and all(segment.start for segment in segments):
            return
        self._journal.change_film(self._name)
        placed: list[Part] = []
        if not anew:
            try:
                placed = grow(self.plan.path, parts)
            except (IndexFull, FilmError) as error:
                anew = str(error)
        if anew:
            log.info("running film is written anew", film=self._name, reason=anew)
            placed = self._write_anew(record)
        self._record(record, placed)

    def _why_anew(self, record: FilmRecord, parts: Sequence[Part]) -> str:
        """Why the film cannot be added to; empty when it can."""
        if not record.size:
            return "it is new"
        if record.changing:
            return "work on it was interrupted"
        try:
            found = self.plan.path.stat()
        except OSError:
            return "its file is gone"
        if (found.st_size, found.st_mtime_ns) != (record.size, record.modified):
            log.warning("somebody else changed a running film", film=self._name, path=str(self.plan.path))
            return "somebody else changed it"
        if found.st_size > LEAST_WASTE and sum(part.size for part in parts) < found.st_size * (1 - WASTE):
            return "much of it is no longer shown"
        try:
            way = way_of(Path(parts[0].path))
            same = all(way_of(Path(part.path)) == way for part in parts if not part.offset)
        except FilmError as error:
            return error.detail
        return "" if same else "its parts were encoded in different ways"

    def _write_anew(self, record: FilmRecord) -> list[Part]:
        """Write the film out of its parts, after those that are gone or of another encoder were made again."""
        make_folder(self.plan.folder)
        make_folder(self.plan.path.parent)
        reference = self.plan.folder / REFERENCE
        with FilmWriter(reference, self._parts.settings((record.width, record.height))) as writer:
            writer.add(Image.new("RGB", (record.width, record.height)))
            writer.close()
        way = way_of(reference)
        for segment in self._journal.film_segments(self._name):
            self._mend(segment, way, record)
        segments = self._journal.film_segments(self._name)
        return write(self.plan.path, [Part(segment.path, segment.samples) for segment in segments])

    def _mend(self, segment: FilmSegment, way: object, record: FilmRecord) -> None:
        path = Path(segment.path)
        try:
            if way_of(path) == way:
                return
            anew = path.with_name(f"{path.stem}-again.mp4")
            with FilmWriter(anew, self._parts.settings((record.width, record.height))) as writer:
                for frame in images_of(path):
                    writer.add(frame)
                writer.close()
            self._journal.record_segment(self._name, FilmSegment(segment.day, str(anew), part_of(anew).samples))
            path.unlink(missing_ok=True)
        except FilmError as error:
            log.warning("part of a running film is made again", film=self._name, day=segment.day, reason=error.detail)
            self._journal.lose_segment(self._name, segment.day)
            self._parts.make(segment.day)

    def _record(self, record: FilmRecord, placed: Sequence[Part]) -> None:
        """Record the film as it is on the disk."""
        found = self.plan.path.stat()
        segments, frames = self._journal.film_segments(self._name), sum(part.frames for part in placed)
        first = self._journal.film_pictures(self._name, state="shown", limit=1)[0].taken_at
        film = Medium(
            self.plan.id,
            "film",
            "mp4",
            "",
            str(self.plan.path),
            found.st_size,
            record.width,
            record.height,
            first or datetime.now(UTC),
            name=self._name,
            frames=frames,
            duration_s=frames / self.plan.fps,
        )
        moved = ((one, part.offset) for one, part in zip(segments, placed, strict=True) if one.start != part.offset)
        starts = {segment.day: start for segment, start in moved}
        self._describe([(segment.day, part.frames) for segment, part in zip(segments, placed, strict=True)])
        self._journal.film_changed(self._name, size=found.st_size, modified=found.st_mtime_ns, starts=starts)
        self._journal.record_media([film])

    def _describe(self, days: Sequence[tuple[str, int]]) -> None:
        """Write beside the film what `app.films.shelf` shows of it: a still, and each month as a chapter."""
        chapters: dict[str, float] = {}
        frames = 0
        for day, count in days:
            chapters.setdefault(day[:7], frames / self.plan.fps)
            frames += count
        last = self._journal.film_pictures(self._name, state="shown", day=days[-1][0])[-1].taken_at
        write_description(self.plan.path, list(chapters.items()), notes=self._notes(), until=last)

    def _notes(self) -> list[str]:
        standing = self.standing()
        said = {"without a known date": standing.undated, "that cannot be read": standing.broken}
        return [f"Pictures {what}: {count}." for what, count in said.items() if count]
