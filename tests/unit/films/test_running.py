"""The running film: every picture once and in its place, whatever comes late, is broken, changed or killed."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from app.films import growing, running
from app.films.day_parts import Each
from app.films.running import Standing
from app.journal import Journal
from app.media.film import FilmSettings, FilmUnwritable, FilmWriter
from app.media.film_file import images_of
from app.media.stamp import Look
from tests.fakes.running_films import NOW, brought_up, parts_of, put, running_film, shade, shades


def test_each_day_is_a_part_and_the_film_shows_them_in_their_order(tmp_path: Path, journal: Journal) -> None:
    film = running_film(tmp_path, journal)
    assert brought_up(film) == Standing()
    assert not (tmp_path / "diary.mp4").exists()
    put(tmp_path / "in", "2026-03-02 10.00.00.jpg", 3)
    put(tmp_path / "in", "2026-03-01 11.00.00.jpg", 2)
    put(tmp_path / "in", "2026-03-01 10.00.00.jpg", 1)
    assert brought_up(film) == Standing(shown=3)
    assert shades(tmp_path / "diary.mp4") == [1, 2, 3]
    put(tmp_path / "in", "2026-03-03 10.00.00.jpg", 4)
    assert brought_up(running_film(tmp_path, journal)) == Standing(shown=4)
    assert shades(tmp_path / "diary.mp4") == [1, 2, 3, 4]
    assert [name[:10] for name in parts_of(tmp_path)] == ["2026-03-01", "2026-03-02", "2026-03-03"]
    (medium,) = journal.films()
    assert (medium.name, medium.frames, medium.size) == ("diary", 4, (tmp_path / "diary.mp4").stat().st_size)


def test_what_was_encoded_is_not_encoded_again(tmp_path: Path, journal: Journal) -> None:
    for day in (1, 2, 3):
        put(tmp_path / "in", f"2026-03-0{day}.jpg", day)
    film = running_film(tmp_path, journal)
    brought_up(film)
    before = {name: (tmp_path / "parts/2026" / name).stat().st_mtime_ns for name in parts_of(tmp_path)}
    file = (tmp_path / "diary.mp4").stat().st_ino
    put(tmp_path / "in", "2026-03-02 18.00.00.jpg", 9)
    put(tmp_path / "in", "2026-03-04.jpg", 4)
    brought_up(film)
    assert shades(tmp_path / "diary.mp4") == [1, 2, 9, 3, 4]
    assert (tmp_path / "diary.mp4").stat().st_ino == file
    kept = [name for name in parts_of(tmp_path) if name in before]
    assert [name[:10] for name in kept] == ["2026-03-01", "2026-03-03"]
    assert {name: (tmp_path / "parts/2026" / name).stat().st_mtime_ns for name in kept}.items() <= before.items()


def test_a_late_picture_joins_those_whose_files_are_gone(tmp_path: Path, journal: Journal) -> None:
    for hour in (10, 12, 14):
        put(tmp_path / "in", f"2026-03-01 {hour}.00.00.jpg", hour)
    film = running_film(tmp_path, journal)
    brought_up(film)
    for path in (tmp_path / "in").iterdir():
        path.unlink()
    put(tmp_path / "in", "2026-03-01 13.00.00.jpg", 13)
    assert brought_up(film) == Standing(shown=4)
    assert shades(tmp_path / "diary.mp4") == [10, 12, 13, 14]


def test_a_broken_picture_takes_none_with_it_whose_files_are_gone(tmp_path: Path, journal: Journal) -> None:
    for hour in (10, 12, 14):
        put(tmp_path / "in", f"2026-03-01 {hour}.00.00.jpg", hour)
    film = running_film(tmp_path, journal)
    brought_up(film)
    for path in (tmp_path / "in").iterdir():
        path.unlink()
    (tmp_path / "in/2026-03-01 11.00.00.jpg").write_bytes(shade(11)[:-90])
    put(tmp_path / "in", "2026-03-01 13.00.00.jpg", 13)
    assert brought_up(film) == Standing(shown=4, broken=1)
    assert shades(tmp_path / "diary.mp4") == [10, 12, 13, 14]


def test_pictures_are_offered_twice_and_shown_once(tmp_path: Path, journal: Journal) -> None:
    put(tmp_path / "in", "2026-03-01 10.00.00.jpg", 1)
    put(tmp_path / "in", "copy/2026-03-02 10.00.00.jpg", 1)
    film = running_film(tmp_path, journal)
    assert brought_up(film) == Standing(shown=1, passed=1)
    (tmp_path / "in/2026-03-01 10.00.00.jpg").touch()
    assert brought_up(film) == Standing(shown=1, passed=1)
    assert shades(tmp_path / "diary.mp4") == [1]
    (double,) = journal.film_pictures("diary", state="passed")
    assert double.problem == "It is the same as 2026-03-01 10.00.00.jpg."


def test_bad_pictures_are_named_and_the_next_ones_go_on(tmp_path: Path, journal: Journal) -> None:
    put(tmp_path / "in", "2026-03-01 10.00.00.jpg", 1)
    put(tmp_path / "in", "2026-03-01 12.00.00.jpg", 2, size=(20, 60))
    put(tmp_path / "in", "2031-03-01 10.00.00.jpg", 3)
    put(tmp_path / "in", "holiday.jpg", 4)
    (tmp_path / "in/2026-03-01 11.00.00.jpg").write_bytes(shade(5)[:-90])
    (tmp_path / "in/2026-03-02 11.00.00.png").write_bytes(b"no picture")
    (tmp_path / "in/notes.txt").write_text("2026-03-01 10.00.00")
    film = running_film(tmp_path, journal)
    assert brought_up(film) == Standing(shown=2, undated=2, broken=2)
    assert shades(tmp_path / "diary.mp4") == [1, 2]
    said = {one.name: one.problem for one in journal.film_pictures("diary") if one.problem}
    assert said["2031-03-01 10.00.00.jpg"] == "Its date, 2031-03-01, lies in the future."
    assert said["holiday.jpg"] == "Neither its EXIF nor its name says when it was taken."
    assert "cut short" in said["2026-03-01 11.00.00.jpg"]
    put(tmp_path / "in", "2026-03-01 11.00.00.jpg", 5)
    assert journal.date_picture("diary", "holiday.jpg", datetime(2026, 2, 1, tzinfo=UTC), day="2026-02-01")
    assert not journal.date_picture("diary", "holiday.jpg", NOW, day="2026-11-30")
    assert brought_up(film) == Standing(shown=4, undated=1, broken=1)
    assert shades(tmp_path / "diary.mp4") == [4, 1, 5, 2]


@pytest.mark.parametrize(("each", "expected"), [("day", [2, 4, 6]), ("week", [2, 6])])
def test_one_picture_stands_for_a_day_or_a_week(
    tmp_path: Path, journal: Journal, each: Each, expected: list[int]
) -> None:
    # 2026-03-02 is a Monday.
    for number, name in enumerate(("02 08", "02 11", "03 06", "03 13", "09 02", "09 18"), 1):
        put(tmp_path / "in", f"2026-03-{name}.00.00.jpg", number)
    (tmp_path / "in/2026-03-02 12.00.00.jpg").write_bytes(b"broken")
    film = running_film(tmp_path, journal, each=each)
    standing = brought_up(film)
    assert (standing.shown, standing.broken) == (len(expected), 1)
    assert shades(tmp_path / "diary.mp4") == expected
    put(tmp_path / "in", "2026-03-02 12.00.01.jpg", 9)
    brought_up(film)
    assert shades(tmp_path / "diary.mp4") == expected


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 5)


@pytest.mark.parametrize("harm", [truncate, Path.unlink, lambda path: path.write_bytes(b"another film")])
def test_a_film_that_somebody_else_changed_is_made_of_its_parts_again(
    tmp_path: Path, journal: Journal, harm: Callable[[Path], object]
) -> None:
    for day in (1, 2):
        put(tmp_path / "in", f"2026-03-0{day}.jpg", day)
    film = running_film(tmp_path, journal)
    brought_up(film)
    harm(tmp_path / "diary.mp4")
    brought_up(film)
    assert shades(tmp_path / "diary.mp4") == [1, 2]


def test_a_part_that_is_gone_or_of_another_encoder_is_made_again(tmp_path: Path, journal: Journal) -> None:
    for day in (1, 2, 3):
        put(tmp_path / "in", f"2026-03-0{day}.jpg", day)
    film = running_film(tmp_path, journal)
    brought_up(film)
    first, second, _ = (tmp_path / "parts/2026" / name for name in parts_of(tmp_path))
    first.unlink()
    with FilmWriter(second, FilmSettings(32, 24, encoder="mpeg4")) as writer:
        writer.add(Image.new("RGB", (32, 24), (20, 20, 20)))
        writer.close()
    (tmp_path / "diary.mp4").unlink()
    put(tmp_path / "in", "2026-03-04.jpg", 4)
    brought_up(film)
    assert shades(tmp_path / "diary.mp4") == [1, 2, 3, 4]


def test_another_pace_is_that_of_the_whole_film(tmp_path: Path, journal: Journal) -> None:
    put(tmp_path / "in", "2026-03-01.jpg", 1)
    brought_up(running_film(tmp_path, journal))
    put(tmp_path / "in", "2026-03-02.jpg", 2)
    brought_up(running_film(tmp_path, journal, fps=4))
    assert shades(tmp_path / "diary.mp4") == [1, 2]
    assert journal.films()[0].duration_s == 0.5


def test_the_index_gets_more_room(tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing.write, "__kwdefaults__", {"room": 800})
    film = running_film(tmp_path, journal)
    for last in (1, 2, 3, 20, 25):
        for number in range(1, last + 1):
            put(tmp_path / "in", f"2026-03-{number:02}.jpg", number)
        brought_up(film)
    assert shades(tmp_path / "diary.mp4") == list(range(1, 26))


def test_what_is_no_longer_shown_goes(tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "LEAST_WASTE", 0)
    film = running_film(tmp_path, journal)
    files = []
    for hour in (10, 11, 12):
        put(tmp_path / "in", f"2026-03-01 {hour}.00.00.jpg", hour)
        brought_up(film)
        files.append((tmp_path / "diary.mp4").stat().st_ino)
    assert shades(tmp_path / "diary.mp4") == [10, 11, 12]
    assert len(set(files)) > 1


def test_dates_are_stamped_and_originals_filed_under_theirs(tmp_path: Path, journal: Journal) -> None:
    put(tmp_path / "in", "2026-03-01 10.11.12.jpg", 1, size=(320, 240))
    brought_up(running_film(tmp_path, journal, look=Look(), originals=tmp_path / "dated"))
    (frame,) = images_of(tmp_path / "diary.mp4")
    assert max(frame.convert("L").crop((160, 180, 320, 240)).tobytes()) > 200
    (original,) = (tmp_path / "dated/2026/03").iterdir()
    assert original.name.startswith("2026-03-01_10-11-12-")
    assert original.read_bytes() == shade(1, size=(320, 240))


def test_a_full_disk_loses_nothing(tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "in", "2026-03-01.jpg", 1)
    film = running_film(tmp_path, journal)
    brought_up(film)
    put(tmp_path / "in", "2026-03-02.jpg", 2)
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", refuse)
        with pytest.raises(FilmUnwritable, match="No space left"):
            brought_up(film)
    assert shades(tmp_path / "diary.mp4") == [1]
    assert brought_up(film) == Standing(shown=2)
    assert shades(tmp_path / "diary.mp4") == [1, 2]


def refuse(_file: int) -> None:
    raise OSError(28, "No space left on device")
