"""MP4 files that grow: what a player saw before stays whole until the switch."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from app.films.growing import IndexFull, Part, grow, part_of, write
from app.media.film import FilmError, FilmSettings, FilmWriter
from tests.fakes.durability import disk
from tests.fakes.running_films import SIZE, STEP, shades

SWITCH = slice(32, 36)
"""The bytes that say which index counts."""


def part(folder: Path, *numbers: int) -> Part:
    with FilmWriter(folder / f"{numbers}.mp4", FilmSettings(*SIZE)) as writer:
        for number in numbers:
            writer.add(Image.new("RGB", SIZE, (number * STEP,) * 3))
        return part_of(writer.close().path)


def test_the_index_before_stays_whole_until_the_switch(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    parts = write(film, [part(tmp_path, 1, 2)])
    for number in (3, 4, 5):
        before = film.read_bytes()[SWITCH]
        shown = shades(film)
        parts = grow(film, [*parts, part(tmp_path, number)])
        assert shades(film) == [*shown, number]
        grown = film.read_bytes()
        (tmp_path / "before.mp4").write_bytes(grown[: SWITCH.start] + before + grown[SWITCH.stop :])
        assert shades(tmp_path / "before.mp4") == shown


def test_a_power_cut_leaves_the_film_before_or_after(tmp_path: Path) -> None:
    film, one, other = tmp_path / "film.mp4", part(tmp_path, 1), part(tmp_path, 2)
    with disk(tmp_path) as watched:
        parts = write(film, [one])
        assert (watched.torn, watched.left()["film.mp4"]) == ([], film.read_bytes())
        watched.steps.clear()
        grow(film, [*parts, other])
        assert watched.steps == ["sync film.mp4"] * 2, "what the switch tells of, then the switch"
        assert watched.left()["film.mp4"] == film.read_bytes()


def test_each_part_begins_with_a_keyframe_that_the_index_names(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    grow(film, [*write(film, [part(tmp_path, 1, 2, 3)]), part(tmp_path, 4, 5)])
    with av.open(str(film)) as source:
        packets = [packet for packet in source.demux(video=0) if packet.size]
        source.seek(packets[4].pts or 0, stream=source.streams.video[0])
        assert next(source.demux(video=0)).pts == packets[3].pts
    assert [packet.is_keyframe for packet in packets] == [True, False, False, True, False]
    assert [packet.pts for packet in packets] == [packet.dts for packet in packets]


class FullDisk(io.FileIO):
    """A file on a disk that has room for a few more bytes each time: each write takes some, and says how many."""

    def write(self, data: Any) -> int:
        return super().write(bytes(data)[:200])


def test_a_disk_that_takes_a_part_of_the_index_is_given_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = tmp_path / "film.mp4"
    parts = write(film, [part(tmp_path, 1)])
    more = part(tmp_path, 2, 3)
    open_ = Path.open
    monkeypatch.setattr(
        Path,
        "open",
        lambda path, *a, **o: FullDisk(path, "r+b") if path == film and "r+b" in a else open_(path, *a, **o),
    )
    grow(film, [*parts, more])
    assert shades(film) == [1, 2, 3]


def test_an_index_without_room_leaves_the_film_as_it_was(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    parts = write(film, [part(tmp_path, 1)], room=1_000)
    before = film.read_bytes()
    (many,) = [Part(parts[0].path, parts[0].samples * 2_000)]
    with pytest.raises(IndexFull):
        grow(film, [*parts, many])
    assert film.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"no film at all, but long enough to look into", bytes(100)])
def test_what_is_no_film_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "film.mp4").write_bytes(content)
    with pytest.raises(FilmError, match=r"film\.mp4 has no moov"):
        part_of(tmp_path / "film.mp4")
    with pytest.raises(FilmError, match="not a film that can grow"):
        grow(tmp_path / "film.mp4", [part(tmp_path, 1)])


def test_a_part_that_broke_off_is_refused_and_nothing_of_it_stays(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    parts = write(film, [part(tmp_path, 1)])
    before = film.read_bytes()
    broken = part(tmp_path, 2)
    path = Path(broken.path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(FilmError, match="broke off"):
        grow(film, [*parts, broken])
    assert film.read_bytes() == before
