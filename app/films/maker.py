"""Makes a film out of the album's pictures: part by part, so that what was encoded is not encoded again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import structlog
from PIL import Image

from app.films.recipe import Recipe
from app.films.selection import Chosen, Selection, Wanted
from app.jobs import Keep
from app.journal.entries import Entry
from app.media.film import Film, FilmSettings, FilmUnwritable, FilmWriter, best_encoder, has_bars, letterboxed, opened
from app.media.film_file import join
from app.media.picture import BadPicture, describe
from app.media.stamp import Look, Stamp, brightened, brightness, draw_progress
from pylib.errors import Permanent
from pylib.files import durable

log = structlog.get_logger(__name__)

CODES = {
    "no_pictures": ("There is no picture for the film.", "choose another span or filter"),
    "no_place": (
        "The film wants pictures between sunrise and sunset, and the service does not know where it is.",
        "set `home.latitude` and `home.longitude`",
    ),
}
"""Code -> what happened, and what to do about it."""

PART = 120
"""Frames of a part: as many are encoded again after a crash."""
LARGEST = (1920, 1080)
"""A film's pixels where no width is asked for."""
PARTS = ".parts"
"""Ends the name of the folder in which a film's parts lie, `.<name>.parts`."""
GAP_S = 0.5
"""How long the grey picture of a gap is seen."""


class NoPictures(Permanent):
    """There is nothing to make a film of; `code` is `no_pictures`."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A day in a film."""

    day: str
    """`2026-11-21`"""
    start_s: float


@dataclass(frozen=True, slots=True)
class MadeFilm:
    """A film, and what is to be said of it."""

    film: Film
    first: datetime
    last: datetime
    """When its first and its last picture were taken."""
    chapters: tuple[Chapter, ...]
    pictures: int
    evicted: int
    """Pictures that are not in it because they had left the cache."""
    broken: int
    """Pictures that are not in it because they cannot be read."""

    def notes(self) -> list[str]:
        """What is not as one might expect, a sentence each."""
        found = {
            "{} had left the cache and {} missing.": self.evicted,
            "{} could not be read and {} missing.": self.broken,
        }
        said = [
            text.format(f"{count} picture{'s' if count > 1 else ''}", "are" if count > 1 else "is")
            for text, count in found.items()
            if count
        ]
        if self.film.letterboxed:
            said.append(f"{self.film.letterboxed} of another shape have bars.")
        if self.film.encoder not in ("libx264", "h264"):
            said.append(f"PyAV has no libx264 here: the film is encoded by {self.film.encoder}.")
        return said


@dataclass(slots=True)
class _State:
    """How far a film is; survives a restart as a map."""

    total: int
    width: int = 0
    height: int = 0
    encoder: str = ""
    parts: list[int] = field(default_factory=list)
    """Frames of each finished part."""
    pictures: int = 0
    broken: int = 0
    bars: int = 0
    first: float = 0.0
    previous: float = 0.0
    """When the first and the last picture were taken (Unix seconds)."""
    levels: list[float] = field(default_factory=list)
    """Brightness of the last pictures."""
    chapters: list[tuple[str, int]] = field(default_factory=list)
    """Day, and its first frame."""

    @property
    def frames(self) -> int:
        return sum(self.parts)


class FilmMaker:
    """Makes films; one at a time in each folder."""

    def __init__(self, selection: Selection, *, zone: tzinfo, max_pixels: int, part: int = PART) -> None:
        """`zone`: of the dates; `part`: frames that are encoded before what is done is kept."""
        self._selection = selection
        self._zone = zone
        self._max_pixels = max_pixels
        self._part = part

    def make(
        self, wanted: Wanted, path: Path, *, kept: Any = None, keep: Keep = lambda _kept, _progress: None
    ) -> MadeFilm:
        """The film at `path`, all of it or what is left to do after `kept`; parts lie in a folder beside it meanwhile.

        Raises `NoPictures`, `app.films.selection.SelectionError`, `app.media.film.FilmError`, `FilmUnwritable`,
        `app.media.stamp.StampError`, `pylib.sqlite.DatabaseUnavailable`.
        """
        folder = _parts_of(path)
        state, chosen = self._resumed(kept, folder) or (_State(self._count(wanted)), Chosen())
        if not state.total:
            raise NoPictures("no_pictures", _nothing(wanted, self._evicted(wanted)))
        _make_folder(folder)
        entries = self._selection.pictures(wanted, chosen)
        while self._add_part(wanted.recipe, entries, state, folder):
            keep({"state": asdict(state), "chosen": chosen.as_map()}, min(0.99, state.pictures / state.total))
        if not state.frames:
            raise NoPictures("no_pictures", _nothing(wanted, chosen.evicted))
        film = join([_part(folder, number) for number in range(len(state.parts))], path, fps=wanted.recipe.fps)
        made = Film(
            film.path, film.frames, film.width, film.height, film.duration_s, film.size, state.encoder, state.bars
        )
        chapters = tuple(Chapter(day, frame / wanted.recipe.fps) for day, frame in state.chapters)
        first, last = (datetime.fromtimestamp(moment, UTC) for moment in (state.first, state.previous))
        return MadeFilm(made, first, last, chapters, state.pictures, chosen.evicted, state.broken)

    def _resumed(self, kept: Any, folder: Path) -> tuple[_State, Chosen] | None:
        """None where there is nothing to go on with."""
        if not kept:
            return None
        state = _State(**kept["state"])
        there = all(_part(folder, number).is_file() for number in range(len(state.parts)))
        # A newer image may have another encoder, whose parts cannot be joined to these.
        return (state, Chosen.of(kept["chosen"])) if there and best_encoder() == state.encoder else None

    def _count(self, wanted: Wanted) -> int:
        return sum(1 for _ in self._selection.pictures(wanted, Chosen()))

    def _evicted(self, wanted: Wanted) -> int:
        chosen = Chosen()
        for _ in self._selection.pictures(wanted, chosen):
            pass
        return chosen.evicted

    def _add_part(self, recipe: Recipe, entries: Iterator[Entry], state: _State, folder: Path) -> bool:
        """Encode the next pictures; False when there are none left."""
        frames = _Frames(recipe, state, zone=self._zone, max_pixels=self._max_pixels)
        writer: FilmWriter | None = None
        try:
            for entry in entries:
                picture = frames.opened(entry)
                if picture is None:
                    continue
                if writer is None:
                    writer = FilmWriter(_part(folder, len(state.parts)), frames.settings)
                    state.encoder = writer.encoder
                frames.add(picture, entry, writer)
                if writer.frames >= self._part:
                    break
            if writer is None:
                return False
            part = writer.close()
        except BaseException:
            if writer is not None:
                writer.discard()
            raise
        state.parts.append(part.frames)
        return True


class _Frames:
    """Turns pictures into frames of one part."""

    def __init__(self, recipe: Recipe, state: _State, *, zone: tzinfo, max_pixels: int) -> None:
        self._recipe = recipe
        self._state = state
        self._zone = zone
        self._max_pixels = max_pixels
        self._look = recipe.stamp.look
        self._stamp: Stamp | None = None

    @property
    def settings(self) -> FilmSettings:
        state, recipe = self._state, self._recipe
        return FilmSettings(state.width, state.height, fps=recipe.fps, crf=recipe.quality)

    def opened(self, entry: Entry) -> Image.Image | None:
        """The picture; None where it is gone or broken. The first one decides about the film's size."""
        snapshot, state = entry.inspection.snapshot, self._state
        try:
            data = durable.read(snapshot.path)
            if not state.width:
                found = describe(data, max_pixels=self._max_pixels)
                size = _size_of(found.width, found.height, self._recipe.width)
                state.width, state.height = FilmSettings(*size).size
            return opened(data, (state.width, state.height), max_pixels=self._max_pixels)
        except (BadPicture, OSError) as error:
            log.warning("picture not in the film", event_id=snapshot.id, reason=str(error))
            state.broken += 1
            return None

    def add(self, picture: Image.Image, entry: Entry, writer: FilmWriter) -> None:
        state, recipe = self._state, self._recipe
        moment = entry.inspection.snapshot.taken_at
        if self._stamp is None:
            self._stamp = Stamp(self._look or Look(), height=state.height)
        self._mark_gap(moment, writer)
        frame = letterboxed(picture, (state.width, state.height))
        state.bars += has_bars(picture.size, frame.size)
        if recipe.deflicker:
            frame = self._evened(frame)
        frame = frame.copy() if frame is picture else frame
        local = moment.astimezone(self._zone)
        if self._look is not None:
            self._stamp.draw(frame, local)
        state.pictures += 1
        if recipe.progress_bar:
            draw_progress(frame, state.pictures / state.total)
        day = local.date().isoformat()
        if not state.chapters or state.chapters[-1][0] != day:
            state.chapters.append((day, state.frames + writer.frames))
        state.first = state.first or moment.timestamp()
        state.previous = moment.timestamp()
        writer.add(frame)

    def _mark_gap(self, moment: datetime, writer: FilmWriter) -> None:
        state, recipe = self._state, self._recipe
        if recipe.gaps == "skip" or not state.previous or self._stamp is None:
            return
        since = datetime.fromtimestamp(state.previous, self._zone)
        if moment - since >= timedelta(hours=recipe.gap_hours):
            grey = self._stamp.gap((state.width, state.height), since, moment.astimezone(self._zone))
            writer.add(grey, times=max(1, round(recipe.fps * GAP_S)))

    def _evened(self, frame: Image.Image) -> Image.Image:
        levels = self._state.levels
        own = brightness(frame)
        levels.append(own)
        del levels[: -self._recipe.deflicker]
        return brightened(frame, sum(levels) / len(levels) / own) if own > 1 else frame


def forget_parts(path: Path) -> None:
    """Delete what lies beside a film while it is made."""
    shutil.rmtree(_parts_of(path), ignore_errors=True)


def _size_of(width: int, height: int, asked: int) -> tuple[int, int]:
    if asked:
        return asked, round(asked * height / width)
    scale = min(1.0, LARGEST[0] / width, LARGEST[1] / height)
    return round(width * scale), round(height * scale)


def _nothing(wanted: Wanted, evicted: int) -> str:
    gone = f": {evicted} that would have been chosen had left the cache" if evicted else ""
    whose = f" of {', '.join(wanted.recipe.cameras)}" if wanted.recipe.cameras else ""
    return f"there is no picture{whose} for the film{gone}"


def _parts_of(path: Path) -> Path:
    return path.with_name(f".{path.stem}{PARTS}")


def _part(folder: Path, number: int) -> Path:
    return folder / f"{number:06}.mp4"


def _make_folder(folder: Path) -> None:
    try:
        durable.make_folder(folder)
    except OSError as error:
        raise FilmUnwritable("film_unwritable", f"cannot write {folder}: {error.strerror}") from error
