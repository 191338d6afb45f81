"""Tiny pictures for films, whose shade says which one is which."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from app.films.day_parts import Plan
from app.films.pictures import FolderPictures
from app.films.running import RunningFilm, Standing
from app.journal import Journal
from app.media.film_file import images_of
from tests.fakes.pictures import encoded

SIZE = (32, 24)
STEP = 10
"""Levels of grey between two shades."""
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def shade(number: int, *, size: tuple[int, int] = SIZE) -> bytes:
    """A picture of this shade, 0..25."""
    return encoded(Image.new("L", size, number * STEP), quality=95)


def put(folder: Path, name: str, number: int, *, size: tuple[int, int] = SIZE) -> None:
    """Put a picture of this shade into a folder."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(shade(number, size=size))


def shades(film: Path) -> list[int]:
    """The shades of a film's frames."""
    return [round(frame.convert("L").getpixel((16, 12)) / STEP) for frame in images_of(film)]  # type: ignore[operator]


def running_film(home: Path, journal: Journal, **plan: object) -> RunningFilm:
    """A film of the pictures in `home/in`, at `home/diary.mp4`."""
    (home / "in").mkdir(exist_ok=True)
    source = FolderPictures(home / "in", known=journal.known_versions, zone=UTC, now=lambda: NOW)
    made = Plan("diary", home / "diary.mp4", home / "parts", UTC, **plan)  # type: ignore[arg-type]
    return RunningFilm(made, source, journal=journal, now=lambda: NOW)


def brought_up(film: RunningFilm) -> Standing:
    """Have the film show whatever there is."""
    film.take_in()
    return film.bring_up()


def parts_of(home: Path) -> Sequence[str]:
    """The names of the files below `home/parts`, but for the one that says how parts are encoded."""
    return sorted(name for _, _, names in os.walk(home / "parts") for name in names if name != "reference.mp4")
