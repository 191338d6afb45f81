"""A film of the album's pictures: each once, whatever happens in between."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from app.films.maker import Chapter, NoPictures
from app.journal import Journal
from app.media.film import FilmUnwritable
from tests.fakes.films import greys, maker, movie, picture, taken, wanted
from tests.unit.media.test_film import full_disk

DAY = 86_400.0
COLOURS = [f"#{level:02x}{level:02x}{level:02x}" for level in range(10, 240, 20)]


class Killed(BaseException):
    """As a process is that is killed: nobody catches it."""


def pictures(journal: Journal, folder: Path, count: int = 10) -> None:
    for number in range(count):
        taken(journal, folder, number, after=number * 60, colour=COLOURS[number])


def is_shown(path: Path) -> list[int]:
    """Which of the colours each frame has."""
    return [round((grey - 10) / 20) for grey in greys(path)]


def test_each_picture_is_a_frame_and_each_day_a_chapter(journal: Journal, tmp_path: Path) -> None:
    for number in range(6):
        taken(journal, tmp_path, number, after=number * DAY / 3, colour=COLOURS[number])
    made = maker(journal).make(wanted(), tmp_path / "a.mp4")
    assert is_shown(tmp_path / "a.mp4") == [0, 1, 2, 3, 4, 5]
    assert (made.film.frames, made.pictures, made.film.duration_s) == (6, 6, 0.6)
    assert (made.film.width, made.film.height) == (64, 48)
    assert made.chapters == (Chapter("2026-03-04", 0.0), Chapter("2026-03-05", 0.2), Chapter("2026-03-06", 0.5))
    assert (made.last - made.first).total_seconds() == 5 * DAY / 3
    assert made.notes() == []


@pytest.mark.parametrize("after", [1, 2, 3])
def test_killed_in_the_middle_it_goes_on_and_has_each_picture_once(
    journal: Journal, tmp_path: Path, after: int
) -> None:
    pictures(journal, tmp_path)
    kept: list[Any] = []

    def keep(state: Any, _: float) -> None:
        kept.append(state)
        if len(kept) == after:
            raise Killed

    path = tmp_path / "a.mp4"
    with pytest.raises(Killed):
        maker(journal).make(wanted(), path, keep=keep)
    before = {part.name: part.read_bytes() for part in (tmp_path / ".a.parts").iterdir()}
    assert len(before) == after
    progress: list[float] = []
    maker(journal).make(wanted(), path, kept=kept[-1], keep=lambda _, done: progress.append(done))
    assert is_shown(path) == list(range(10))
    assert len(progress) == 3 - after
    assert {name: (tmp_path / ".a.parts" / name).read_bytes() for name in before} == before


def test_killed_while_a_part_is_written_or_without_its_parts_it_is_whole_all_the_same(
    journal: Journal, tmp_path: Path
) -> None:
    pictures(journal, tmp_path)
    path, kept = tmp_path / "a.mp4", []
    maker(journal).make(wanted(), path, keep=lambda state, _: kept.append(state))
    (tmp_path / ".a.parts" / "000001.mp4").write_bytes(b"half")
    maker(journal).make(wanted(), path, kept=kept[0])
    assert is_shown(path) == list(range(10))
    shutil.rmtree(tmp_path / ".a.parts")
    maker(journal).make(wanted(), path, kept=kept[1])
    assert is_shown(path) == list(range(10))


def test_what_is_broken_gone_or_of_another_shape_is_said_and_the_rest_goes_on(journal: Journal, tmp_path: Path) -> None:
    pictures(journal, tmp_path, 3)
    taken(journal, tmp_path, 3, after=200, content=picture("red")[:60])
    taken(journal, tmp_path, 4, after=210, size=(48, 64), colour=COLOURS[4])
    taken(journal, tmp_path, 5, after=220)
    gone = journal.pictures(targets=(), archives=(), limit=100)[-1:]
    journal.evict(gone, targets=(), archives=())
    made = maker(journal).make(wanted(), tmp_path / "a.mp4")
    assert is_shown(tmp_path / "a.mp4") == [0, 1, 2, 4]
    assert made.notes() == [
        "1 picture had left the cache and is missing.",
        "1 picture could not be read and is missing.",
        "1 of another shape have bars.",
    ]


def test_a_picture_of_which_the_journal_knows_no_size_may_be_the_first(journal: Journal, tmp_path: Path) -> None:
    taken(journal, tmp_path, 0, content=picture("red")[:60], size=(0, 0))
    taken(journal, tmp_path, 1, after=10, content=picture(COLOURS[1]), size=(0, 0))
    taken(journal, tmp_path, 2, after=20, colour=COLOURS[2])
    made = maker(journal).make(wanted(), tmp_path / "a.mp4")
    assert ((made.film.width, made.film.height), made.broken) == ((64, 48), 1)
    assert is_shown(tmp_path / "a.mp4") == [1, 2]


def test_without_a_picture_there_is_no_film_and_it_says_why(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(NoPictures, match=r"no_pictures: there is no picture of Garden Camera for the film$"):
        maker(journal).make(wanted(cameras=["Garden Camera"]), tmp_path / "a.mp4")
    taken(journal, tmp_path, 1)
    journal.evict(journal.pictures(targets=(), archives=(), limit=9), targets=(), archives=())
    with pytest.raises(NoPictures, match=r"film: 1 that would have been chosen had left the cache$"):
        maker(journal).make(wanted(), tmp_path / "a.mp4")
    assert not list(tmp_path.glob("*.mp4"))


def test_a_gap_is_marked_for_half_a_second_or_skipped(journal: Journal, tmp_path: Path) -> None:
    for number, after in enumerate((0, 60, 4 * 3600)):
        taken(journal, tmp_path, number, after=after, colour="white")
    marked = maker(journal).make(wanted(gaps="mark"), tmp_path / "a.mp4")
    assert [level > 200 for level in greys(tmp_path / "a.mp4")] == [True, True, *[False] * 5, True]
    assert (marked.film.frames, marked.pictures) == (8, 3)
    assert maker(journal).make(wanted(gaps="mark", gap_hours=5), tmp_path / "b.mp4").film.frames == 3
    assert maker(journal).make(wanted(), tmp_path / "c.mp4").film.frames == 3


def test_deflicker_evens_brightness(journal: Journal, tmp_path: Path) -> None:
    for number in range(8):
        taken(journal, tmp_path, number, after=number * 60, colour="#8c8c8c" if number % 2 else "#646464")
    maker(journal).make(wanted(), tmp_path / "a.mp4")
    maker(journal).make(wanted(deflicker=4), tmp_path / "b.mp4")
    as_is, evened = greys(tmp_path / "a.mp4")[3:], greys(tmp_path / "b.mp4")[3:]
    assert max(as_is) - min(as_is) > 35
    assert max(evened) - min(evened) < 6


def test_date_and_bar_are_drawn(journal: Journal, tmp_path: Path) -> None:
    for number in range(2):
        taken(journal, tmp_path, number, after=number, size=(320, 180), colour="#808080")
    recipe = wanted(stamp={"position": "top-left"}, progress_bar=True)
    maker(journal).make(recipe, tmp_path / "a.mp4")
    with movie(str(tmp_path / "a.mp4")) as source:
        first, second = (frame.to_image().convert("L") for frame in source.decode(video=0))
    assert max(first.crop((0, 0, 160, 30)).getextrema()) > 200
    assert first.crop((160, 0, 320, 90)).getextrema()[1] < 140
    assert first.getpixel((40, 179)) > 200 > 60 > first.getpixel((280, 179))
    assert second.getpixel((280, 179)) > 200


@pytest.mark.parametrize(("asked", "size"), [(0, (1920, 1080)), (320, (320, 180))])
def test_its_size_is_that_of_the_first_picture_or_as_asked(
    journal: Journal, tmp_path: Path, asked: int, size: tuple[int, int]
) -> None:
    taken(journal, tmp_path, 0, size=(2560, 1440))
    film = maker(journal, max_pixels=5_000_000).make(wanted(width=asked), tmp_path / "a.mp4").film
    assert (film.width, film.height) == size


def test_a_full_disk_is_one_clear_failure_and_it_goes_on_later(journal: Journal, tmp_path: Path) -> None:
    pictures(journal, tmp_path)
    path, kept = tmp_path / "a.mp4", []
    with full_disk(1_000), pytest.raises(FilmUnwritable, match="film_unwritable"):
        maker(journal).make(wanted(), path, keep=lambda state, _: kept.append(state))
    assert not path.exists()
    assert not list(tmp_path.rglob("*.part"))
    maker(journal).make(wanted(), path, kept=kept[-1] if kept else None)
    assert is_shown(path) == list(range(10))
