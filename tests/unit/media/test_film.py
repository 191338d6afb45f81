"""Films: their frames, their sizes, joining them, and a disk that is full."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from app.media import film as films
from app.media.film import (
    Film,
    FilmError,
    FilmSettings,
    FilmUnwritable,
    FilmWriter,
    best_encoder,
    encoder_hint,
    letterboxed,
)
from app.media.film_file import extradata_of, frames_of, join, still
from tests.fakes.durability import disk
from tests.fakes.films import movie

SMALL = FilmSettings(64, 48, fps=10)


def made(path: Path, *colours: str, settings: FilmSettings = SMALL) -> Film:
    with FilmWriter(path, settings) as writer:
        for colour in colours:
            writer.add(Image.new("RGB", settings.size, colour))
        return writer.close()


def times(path: Path) -> list[tuple[Fraction, bool]]:
    with movie(str(path)) as source:
        stream = source.streams.video[0]
        return [(packet.pts * packet.time_base, packet.is_keyframe) for packet in source.demux(stream) if packet.size]


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file may grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_every_picture_is_a_frame_at_its_exact_time(tmp_path: Path) -> None:
    film = made(tmp_path / "a.mp4", *["red"] * 25)
    assert (film.frames, film.duration_s, film.encoder) == (25, 2.5, "libx264")
    assert film.size == film.path.stat().st_size
    assert [time for time, _ in times(film.path)] == [Fraction(number, 10) for number in range(25)]
    assert [number for number, (_, key) in enumerate(times(film.path)) if key] == [0, 20]
    with movie(str(film.path)) as source:
        codec = source.streams.video[0].codec_context
        assert (codec.name, codec.pix_fmt, codec.has_b_frames) == ("h264", "yuv420p", False)
    content = film.path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")  # it plays before all of it has come
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_a_film_that_has_its_name_is_on_the_disk(tmp_path: Path) -> None:
    with disk(tmp_path) as watched:
        film = made(tmp_path / "a.mp4", "red")
    assert (watched.torn, watched.left()) == ([], {"a.mp4": film.path.read_bytes()})


def test_odd_sizes_are_made_even_and_colours_stay(tmp_path: Path) -> None:
    settings = FilmSettings(65, 49)
    film = made(tmp_path / "a.mp4", "#c83c28", settings=settings)
    assert (film.width, film.height) == (64, 48)
    assert still(film.path).getpixel((32, 24)) == pytest.approx((0xC8, 0x3C, 0x28), abs=8)


def test_a_picture_of_another_shape_stands_whole_in_the_middle_and_is_counted(tmp_path: Path) -> None:
    frame = letterboxed(Image.new("RGB", (100, 100), "white"), (64, 48))
    assert frame.getbbox() == (8, 0, 56, 48)
    with FilmWriter(tmp_path / "a.mp4", SMALL) as writer:
        for size in ((64, 48), (640, 480), (639, 480), (100, 100), (48, 64)):
            writer.add(Image.new("RGB", size))
        assert writer.close().letterboxed == 2


def test_parts_are_joined_without_encoding_again(tmp_path: Path) -> None:
    parts = [made(tmp_path / f"{name}.mp4", *[name] * count).path for name, count in (("red", 3), ("blue", 1))]
    film = join(parts, tmp_path / "all.mp4", fps=10)
    assert (film.frames, film.duration_s, film.width, film.height) == (4, 0.4, 64, 48)
    assert times(film.path) == [(Fraction(number, 10), number in (0, 3)) for number in range(4)]
    assert frames_of(film.path) == 4
    with movie(str(film.path)) as source:
        shown = [frame.to_image().getpixel((9, 9)) for frame in source.decode(video=0)]
    assert [max(range(3), key=colour.__getitem__) for colour in shown] == [0, 0, 0, 2]


def test_parts_that_were_encoded_in_another_way_are_not_joined(tmp_path: Path) -> None:
    one, other = made(tmp_path / "a.mp4", "red"), made(tmp_path / "b.mp4", "red", settings=FilmSettings(48, 64, fps=10))
    with pytest.raises(FilmError, match=r"film_mismatch: b\.mp4 was encoded in another way"):
        join([one.path, other.path], tmp_path / "all.mp4", fps=10)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]
    assert extradata_of(made(tmp_path / "c.mp4", "blue").path) == extradata_of(one.path) != extradata_of(other.path)


@pytest.mark.parametrize("content", [b"", b"no film at all" * 100])
def test_a_file_that_is_no_film_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.mp4").write_bytes(content)
    with pytest.raises(FilmError, match="film_unreadable: cannot read"):
        join([tmp_path / "bad.mp4"], tmp_path / "all.mp4", fps=10)


def test_a_full_disk_leaves_nothing_and_the_film_before_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    before = made(path, "red").path.read_bytes()
    noise = Image.effect_noise((64, 48), 90).convert("RGB")

    def too_much() -> None:
        with FilmWriter(path, FilmSettings(64, 48, crf=1)) as writer:
            writer.add(noise, times=200)
            writer.close()

    with full_disk(20_000), pytest.raises(FilmUnwritable, match=r"film_unwritable: cannot write .*too large"):
        too_much()
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["a.mp4"]


def test_an_error_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Coordinate"), FilmWriter(tmp_path / "a.mp4", SMALL) as writer:
        writer.add(Image.new("RGB", (64, 48)).crop((0, 0, -1, 5)))
    with pytest.raises(FilmError, match="without a frame"), FilmWriter(tmp_path / "b.mp4", SMALL) as empty:
        empty.close()
    assert list(tmp_path.iterdir()) == []


def test_where_libx264_is_missing_another_encoder_is_taken_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert encoder_hint() == ""
    there = {"mpeg4", "libvpx-vp9"}
    monkeypatch.setattr(films, "_has_encoder", lambda name: name in there)
    assert best_encoder() == "libvpx-vp9"
    assert made(tmp_path / "a.mp4", "red", "blue").encoder == "libvpx-vp9"
    there.remove("libvpx-vp9")
    assert encoder_hint() == "PyAV has no libx264 here: films are mpeg4, which browsers do not play"
    assert made(tmp_path / "b.mp4", "red", "blue").encoder == "mpeg4"
    there.clear()
    with pytest.raises(FilmError, match="no_film_encoder"):
        best_encoder()
