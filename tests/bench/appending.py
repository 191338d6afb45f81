"""Running films: what a day costs however long the film is, and ten years of pictures in one go."""

from __future__ import annotations

import hashlib
import io
import resource
import time
from collections.abc import Iterator
from datetime import UTC, date, timedelta
from pathlib import Path
from statistics import median

from PIL import Image

from app.films.day_parts import Plan
from app.films.pictures import FolderPictures
from app.films.running import RunningFilm
from app.journal import Journal
from tests.bench.report import Row, ms
from tests.bench.rows import Bench
from tests.fakes.journal import opened

SIZE = (1280, 720)
DAYS = (2, 10, 100, 1_000)
TEN_YEARS = 3_650
SMALL = (64, 48)
EACH = 9
"""Days that are appended one by one at each length."""
BEGIN = date(2016, 1, 1)


def appended(bench: Bench) -> Iterator[Row]:
    """A picture of 1280x720 a day."""
    home = bench.home / "running"
    (home / "in").mkdir(parents=True)
    picture = _picture(SIZE)
    costs: dict[int, tuple[float, float]] = {}
    with opened(home / "journal.db") as journal:
        film = _film(home, journal)
        put = 0
        for day in DAYS:
            while put < day - 1:
                _put(home, put, picture)
                put += 1
            _bring_up(film)
            taken, worked = [], []
            for _ in range(bench.some(EACH)):
                _put(home, put, picture)
                put += 1
                film.take_in()
                began = time.perf_counter(), time.process_time()
                film.bring_up()
                taken.append(time.perf_counter() - began[0])
                worked.append(time.process_time() - began[1])
            costs[day] = median(taken), median(worked)
    for day, (took, work) in costs.items():
        # Of the processor's time: the disk of a busy machine takes now this, now that.
        ratio = work / costs[DAYS[0]][1]
        what = f"{ms(took)}, processor {ms(work)}"
        yield Row(f"append day {day:,}", what, ratio=f"{ratio:.2f}", aim="at most 1.2", reached=ratio <= 1.2)


def imported(bench: Bench) -> Iterator[Row]:
    """Ten years of tiny pictures, a day each."""
    home = bench.home / "import"
    (home / "in").mkdir(parents=True)
    days = bench.some(TEN_YEARS)
    for number in range(days):
        _put(home, number, _picture(SMALL))
    with opened(home / "journal.db") as journal:
        film = _film(home, journal)
        before, began = _peak(), time.perf_counter()
        standing = _bring_up(film)
        took = time.perf_counter() - began
    grown = (_peak() - before) / 1e6
    yield Row(f"import of {days:,} days", f"{standing / took:.0f} pictures/s", alone=f"{took:.0f} s in all")
    yield Row("memory that the import takes", f"{grown:.0f} MB", aim="at most 100 MB", reached=grown <= 100)


def _film(home: Path, journal: Journal) -> RunningFilm:
    source = FolderPictures(home / "in", known=journal.known_versions, zone=UTC)
    return RunningFilm(Plan("diary", home / "diary.mp4", home / "parts", UTC), source, journal=journal)


def _bring_up(film: RunningFilm) -> int:
    film.take_in()
    return film.bring_up().shown


def _put(home: Path, number: int, picture: bytes) -> None:
    name = f"{BEGIN + timedelta(days=number)}.jpg"
    # Each with bytes of its own, behind the picture's end: the same picture is shown once.
    (home / "in" / name).write_bytes(picture + hashlib.sha256(name.encode()).digest())


def _picture(size: tuple[int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise(size, 20).convert("RGB").resize(size).save(buffer, "JPEG")
    return buffer.getvalue()


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


ROWS = {"append": appended, "film-import": imported}
