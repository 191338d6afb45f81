"""The parts of a running film: a day's pictures, chosen, prepared, encoded and recorded with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Literal

import structlog
from PIL import Image

from app.films.buckets import FilmBuckets
from app.films.growing import part_of, unwritable
from app.films.pictures import PictureSource
from app.journal import FilmPicture, FilmSegment, Journal
from app.media.film import FilmError, FilmSettings, FilmWriter, letterboxed, opened
from app.media.film_file import images_of
from app.media.picture import MAX_PIXELS, BadPicture
from app.media.stamp import Look, Stamp
from pylib.files import durable

log = structlog.get_logger(__name__)

Each = Literal["all", "day", "week"]
LARGEST = (1920, 1080)
"""A film's pixels where no width is asked for."""


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
    buckets: FilmBuckets | None = None
    """Where they and the film go as well."""
    max_pixels: int = MAX_PIXELS

    @property
    def id(self) -> str:
        """Of its row among the media."""
        return film_id(self.name)


class DayParts:
    """Makes the parts of one film; one thread at a time."""

    def __init__(self, plan: Plan, source: PictureSource, *, journal: Journal, now: Callable[[], datetime]) -> None:
        self._plan = plan
        self._name = plan.name
        self._source = source
        self._journal = journal
        self._now = now

    def make(self, day: str) -> None:
        """The part of this day, out of what it shows and what waits, and its record."""
        shown = self._journal.film_pictures(self._name, state="shown", day=day)
        waiting = self._journal.film_pictures(self._name, state="waiting", day=day)
        wanted = sorted([*shown, *self._chosen(day, waiting, shown)], key=_order)
        if len(wanted) == len(shown):
            return
        old = self._journal.film_segment(self._name, day)
        frames = _OldFrames(Path(old.path) if old else None, [one.name for one in shown])
        path = self._plan.folder / day[:4] / f"{day}-{_digest(wanted)}.mp4"
        seen = self._encode(wanted, path, frames)
        if not seen or {one.name for one in shown} == set(seen):  # all new ones are broken
            path.unlink(missing_ok=True)
            return
        self._journal.record_segment(self._name, FilmSegment(day, str(path), part_of(path).samples), shown=seen)
        if old is not None:
            Path(old.path).unlink(missing_ok=True)

    def is_over(self, day: str) -> bool:
        """Whether it is known which picture stands for the day or week."""
        today = self._now().astimezone(self._plan.zone).date().isoformat()
        return self._plan.each == "all" or _span(day, self._plan.each)[1] < today

    def _size(self) -> tuple[int, int] | None:
        """Of the film; None before its first picture."""
        record = self._journal.running_film(self._name)
        return (record.width, record.height) if record else None

    def _chosen(self, day: str, waiting: Sequence[FilmPicture], shown: Sequence[FilmPicture]) -> Sequence[FilmPicture]:
        """Which of those that wait are to be shown; the others are passed over."""
        if self._plan.each == "all":
            return waiting
        first, last = _span(day, self._plan.each)
        taken = bool(shown) or self._journal.days_shown(self._name, first=first, last=last)
        nearest = iter(() if taken else sorted(waiting, key=self._distance))
        best = next((one for one in nearest if self._prepared(one)), None)
        rest = [one.name for one in waiting if one is not best]
        problem = f"Another picture stands for its {self._plan.each}."
        self._journal.pass_over(self._name, rest, problem=problem)
        return [] if best is None else [best]

    def _distance(self, picture: FilmPicture) -> float:
        if picture.taken_at is None:
            return 24.0
        local = picture.taken_at.astimezone(self._plan.zone)
        return abs(local.hour + local.minute / 60 + local.second / 3600 - self._plan.at)

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
                    make_folder(path.parent)
                    writer = FilmWriter(path, self.settings(frame.size))
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
                    opened(data, self._size() or LARGEST, max_pixels=self._plan.max_pixels), picture, data
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
            size = _size_of(*image.size, wanted=self._plan.width)
            self._journal.begin_film(self._name, width=size[0], height=size[1])
        frame = letterboxed(image, size)
        if picture.taken_at is not None:
            local = picture.taken_at.astimezone(self._plan.zone)
            self._file_original(picture, data, local)
            if self._plan.look is not None:
                Stamp(self._plan.look, height=size[1]).draw(frame, local)
        return frame

    def _file_original(self, picture: FilmPicture, data: bytes, local: datetime) -> None:
        """Copy a picture to where the dated ones are."""
        stem = f"{local:%Y/%m/%Y-%m-%d_%H-%M-%S}-{hashlib.blake2b(data, digest_size=4).hexdigest()}"
        name = f"{stem}{Path(picture.name).suffix.lower() or '.jpg'}"
        if self._plan.buckets is not None:
            self._plan.buckets.keep_original(name, data)
        path = self._plan.originals / name if self._plan.originals else None
        if path is not None and not path.exists():
            make_folder(path.parent)
            with unwritable(path):
                durable.write(path, data)

    def settings(self, size: tuple[int, int]) -> FilmSettings:
        """How parts of this size are encoded."""
        return FilmSettings(*size, fps=self._plan.fps, crf=self._plan.crf)


class _OldFrames:
    """The frames of a day's last part, by the names of their pictures; asked for in their order."""

    def __init__(self, path: Path | None, names: Sequence[str]) -> None:
        self._places = {name: place for place, name in enumerate(names)} if path else {}
        self._frames = enumerate(images_of(path)) if path else iter(())

    def has(self, name: str) -> bool:
        return name in self._places

    def frame(self, name: str) -> Image.Image | None:
        """None where there is none, or it cannot be read."""
        wanted = self._places.get(name)
        if wanted is None:
            return None  # without a look at the others, which would be passed by then
        try:
            return next((frame for place, frame in self._frames if place == wanted), None)
        except FilmError:
            return None


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


def make_folder(folder: Path) -> None:
    """Raises `FilmUnwritable`."""
    with unwritable(folder):
        durable.make_folder(folder)
