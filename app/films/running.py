"""The running film: one that grows for years, a part a day, without encoding the rest of it again.

The journal is the truth: a part is on the disk before it is recorded with its pictures, and the film shows the parts
that are recorded. What is cut off by a crash is done again, with the same result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Literal

import structlog
from PIL import Image

from app.films.growing import IndexFull, Part, grow, part_of, unwritable, way_of, write
from app.films.pictures import PictureSource
from app.films.shelf import write_description
from app.journal import FilmPicture, FilmRecord, FilmSegment, Journal, Medium
from app.media.film import FilmError, FilmSettings, FilmWriter, letterboxed, opened
from app.media.film_file import images_of
from app.media.picture import MAX_PIXELS, BadPicture
from app.media.stamp import Look, Stamp
from pylib.files import durable

log = structlog.get_logger(__name__)

Each = Literal["all", "day", "week"]
LARGEST = (1920, 1080)
"""A film's pixels where no width is asked for."""
NOTED = 100
"""Pictures that are recorded in one go."""
WASTE, LEAST_WASTE = 0.5, 1_000_000
"""A film of more bytes than that is written anew when more than this part of it is no longer shown."""
REFERENCE = "reference.mp4"
"""A film of one frame, which says how parts are encoded now."""


def film_id(name: str) -> str:
    """The id that the running film of this name has among all films."""
    return hashlib.blake2b(f"running film {name}".encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a running film is to be."""

    name: str
    path: Path
    """The film."""
    folder: Path
    """Of its parts."""
    zone: tzinfo
    """Of its days and dates."""
    each: Each = "all"
    """How many pictures stand for a day or week: all of them, or the one that was taken nearest to `at`."""
    at: float = 12.0
    """Hour of the day, 0..24."""
    width: int = 0
    """Pixels of a film that begins; 0 for those of its first picture, `LARGEST` at most."""
    fps: int = 12
    crf: int = 23
    look: Look | None = None
    """Of the date on each frame; None for none."""
    originals: Path | None = None
    """Where the pictures that are shown are copied to, under their dates."""
    max_pixels: int = MAX_PIXELS

    @property
    def id(self) -> str:
        """Of its row among the media."""
        return film_id(self.name)


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
        self._now = now

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

        `progress` hears how much of it is done (0..1). Raises `FilmError`, `FilmUnwritable`, `StampError`.
        """
        days = [day for day in self._journal.film_days(self._name) if self._is_over(day)]
        for number, day in enumerate(days):
            self._make_part(day)
            progress(number / len(days))
        self._show()
        return self.standing()

    def standing(self) -> Standing:
        """How it is now."""
        return Standing(**self._journal.film_counts(self._name))

    def _make_part(self, day: str) -> None:
        """The part of this day, out of what it shows and what waits, and its record."""
        shown = self._journal.film_pictures(self._name, state="shown", day=day)
        waiting = self._journal.film_pictures(self._name, state="waiting", day=day)
        wanted = sorted([*shown, *self._chosen(day, waiting, shown)], key=_order)
        if len(wanted) == len(shown):
            return
        old = self._journal.film_segment(self._name, day)
        frames = _OldFrames(Path(old.path) if old else None, [one.name for one in shown])
        path = self.plan.folder / day[:4] / f"{day}-{_digest(wanted)}.mp4"
        seen = self._encode(wanted, path, frames)
        if not seen or {one.name for one in shown} == set(seen):  # all new ones are broken
            path.unlink(missing_ok=True)
            return
        self._journal.record_segment(self._name, FilmSegment(day, str(path), part_of(path).samples), shown=seen)
        if old is not None:
            Path(old.path).unlink(missing_ok=True)

    def _is_over(self, day: str) -> bool:
        """Whether it is known which picture stands for the day or week."""
        today = self._now().astimezone(self.plan.zone).date().isoformat()
        return self.plan.each == "all" or _span(day, self.plan.each)[1] < today

    def _size(self) -> tuple[int, int] | None:
        """Of the film; None before its first picture."""
        record = self._journal.running_film(self._name)
        return (record.width, record.height) if record else None

    def _chosen(self, day: str, waiting: Sequence[FilmPicture], shown: Sequence[FilmPicture]) -> Sequence[FilmPicture]:
        """Which of those that wait are to be shown; the others are passed over."""
        if self.plan.each == "all":
            return waiting
        first, last = _span(day, self.plan.each)
        taken = bool(shown) or self._journal.days_shown(self._name, first=first, last=last)
        nearest = iter(() if taken else sorted(waiting, key=self._distance))
        best = next((one for one in nearest if self._prepared(one)), None)
        rest = [one.name for one in waiting if one is not best]
        problem = f"Another picture stands for its {self.plan.each}."
        self._journal.pass_over(self._name, rest, problem=problem)
        return [] if best is None else [best]

    def _distance(self, picture: FilmPicture) -> float:
        if picture.taken_at is None:
            return 24.0
        local = picture.taken_at.astimezone(self.plan.zone)
        return abs(local.hour + local.minute / 60 + local.second / 3600 - self.plan.at)

    def _encode(self, wanted: Sequence[FilmPicture], path: Path, old: _OldFrames) -> list[str]:
        """Write a part; returns the names of the pictures that are in it."""
        seen: list[str] = []
        writer: FilmWriter | None = None
        try:
            for one in wanted:
                # What was evicted meanwhile, or has become unreadable, is in the day's last part.
                frame = self._prepared(one, broken=not old.has(one.name)) or old.frame(one.name)
                if frame is None:
                    continue
                if writer is None:
                    _make_folder(path.parent)
                    writer = FilmWriter(path, self._settings(frame.size))
                writer.add(frame)
                seen.append(one.name)
            if writer is not None:
                writer.close()
        except BaseException:
            if writer is not None:
                writer.discard()
            raise
        return seen

    def _prepared(self, picture: FilmPicture, *, broken: bool = True) -> Image.Image | None:
        """A picture as a frame: upright, scaled, stamped; None where there is none, which is recorded if `broken`."""
        data, problem = self._source.read(picture.name), "Its file is gone."
        if data is not None:
            try:
                return self._frame(
                    opened(data, self._size() or LARGEST, max_pixels=self.plan.max_pixels), picture, data
                )
            except BadPicture as error:
                problem = error.detail
        if broken:
            log.warning("picture not in the running film", film=self._name, picture=picture.name, reason=problem)
            self._journal.judge_picture(self._name, picture.name, problem=problem)
        return None

    def _frame(self, image: Image.Image, picture: FilmPicture, data: bytes) -> Image.Image:
        size = self._size()
        if size is None:
            size = _size_of(*image.size, wanted=self.plan.width)
            self._journal.begin_film(self._name, width=size[0], height=size[1])
        frame = letterboxed(image, size)
        if picture.taken_at is not None:
            local = picture.taken_at.astimezone(self.plan.zone)
            self._file_original(picture, data, local)
            if self.plan.look is not None:
                Stamp(self.plan.look, height=size[1]).draw(frame, local)
        return frame

    def _file_original(self, picture: FilmPicture, data: bytes, local: datetime) -> None:
        """Copy a picture to where the dated ones are."""
        if self.plan.originals is None:
            return
        name = f"{local:%Y-%m-%d_%H-%M-%S}-{hashlib.blake2b(data, digest_size=4).hexdigest()}"
        path = self.plan.originals / f"{local:%Y/%m}" / f"{name}{Path(picture.name).suffix.lower() or '.jpg'}"
        if not path.exists():
            _make_folder(path.parent)
            with unwritable(path):
                durable.write(path, data)

    def _settings(self, size: tuple[int, int]) -> FilmSettings:
        return FilmSettings(*size, fps=self.plan.fps, crf=self.plan.crf)

    def _show(self) -> None:
        """Have the film show the recorded parts: by adding to it, or written anew."""
        record, segments = self._journal.running_film(self._name), self._journal.film_segments(self._name)
        if record is None or not segments:
            return
        anew = self._why_anew(record, segments)
        if not anew and all(segment.start for segment in segments):
            return
        self._journal.change_film(self._name)
        placed: list[Part] = []
        if not anew:
            try:
                placed = grow(self.plan.path, [_part(segment) for segment in segments])
            except (IndexFull, FilmError) as error:
                anew = str(error)
        if anew:
            log.info("running film is written anew", film=self._name, reason=anew)
            placed = self._write_anew(record)
        self._record(record, placed)

    def _why_anew(self, record: FilmRecord, segments: Sequence[FilmSegment]) -> str:
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
        if found.st_size > LEAST_WASTE and sum(_part(one).size for one in segments) < found.st_size * (1 - WASTE):
            return "much of it is no longer shown"
        try:
            way = way_of(Path(segments[0].path))
            same = all(way_of(Path(one.path)) == way for one in segments if not one.start)
        except FilmError as error:
            return error.detail
        return "" if same else "its parts were encoded in different ways"

    def _write_anew(self, record: FilmRecord) -> list[Part]:
        """Write the film out of its parts, after those that are gone or of another encoder were made again."""
        _make_folder(self.plan.folder)
        _make_folder(self.plan.path.parent)
        reference = self.plan.folder / REFERENCE
        with FilmWriter(reference, self._settings((record.width, record.height))) as writer:
            writer.add(Image.new("RGB", (record.width, record.height)))
            writer.close()
        way = way_of(reference)
        for segment in self._journal.film_segments(self._name):
            self._mend(segment, way, record)
        segments = self._journal.film_segments(self._name)
        return write(self.plan.path, [replace(_part(segment), offset=0) for segment in segments])

    def _mend(self, segment: FilmSegment, way: object, record: FilmRecord) -> None:
        path = Path(segment.path)
        try:
            if way_of(path) == way:
                return
            anew = path.with_name(f"{path.stem}-again.mp4")
            with FilmWriter(anew, self._settings((record.width, record.height))) as writer:
                for frame in images_of(path):
                    writer.add(frame)
                writer.close()
            self._journal.record_segment(self._name, FilmSegment(segment.day, str(anew), part_of(anew).samples))
            path.unlink(missing_ok=True)
        except FilmError as error:
            log.warning("part of a running film is made again", film=self._name, day=segment.day, reason=error.detail)
            self._journal.lose_segment(self._name, segment.day)
            self._make_part(segment.day)

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
        starts = {segment.day: part.offset for segment, part in zip(segments, placed, strict=True)}
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


class _OldFrames:
    """The frames of a day's last part, by the names of their pictures; asked for in their order."""

    def __init__(self, path: Path | None, names: Sequence[str]) -> None:
        self._places = {name: place for place, name in enumerate(names)} if path else {}
        self._frames = enumerate(images_of(path)) if path else iter(())

    def has(self, name: str) -> bool:
        return name in self._places

    def frame(self, name: str) -> Image.Image | None:
        """None where there is none, or it cannot be read."""
        wanted = self._places.get(name, -1)
        try:
            return next((frame for place, frame in self._frames if place == wanted), None)
        except FilmError:
            return None


def _part(segment: FilmSegment) -> Part:
    return Part(Path(segment.path), segment.samples, segment.start)


def _order(picture: FilmPicture) -> tuple[float, str]:
    return picture.taken_at.timestamp() if picture.taken_at else 0.0, picture.name


def _digest(pictures: Sequence[FilmPicture]) -> str:
    """Differs with the pictures, so that a part never takes the name of the one before it."""
    text = "\0".join(f"{one.name}\0{one.version}" for one in pictures)
    return hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=6).hexdigest()


def _span(day: str, each: Each) -> tuple[str, str]:
    """The first and the last day for which a picture of this day stands."""
    date_ = date.fromisoformat(day)
    monday = date_ - timedelta(days=date_.weekday())
    return (day, day) if each == "day" else (monday.isoformat(), (monday + timedelta(days=6)).isoformat())


def _size_of(width: int, height: int, *, wanted: int) -> tuple[int, int]:
    scale = wanted / width if wanted else min(1.0, LARGEST[0] / width, LARGEST[1] / height)
    return FilmSettings(round(width * scale), round(height * scale)).size


def _make_folder(folder: Path) -> None:
    with unwritable(folder):
        durable.make_folder(folder)
