"""A picture out of a video: from its middle, and from no other file than the video itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from app.media import poster_process
from app.media.film import FilmSettings, FilmWriter
from app.media.poster import CODES, NoPoster, poster
from tests.fakes.pictures import decoded


def video(path: Path) -> Path:
    """Red, and green from its middle on."""
    with FilmWriter(path, FilmSettings(64, 48, fps=4)) as film:
        for colour in ("red",) * 8 + ("lime",) * 12:
            film.add(Image.new("RGB", (64, 48), colour))
        film.close()
    return path


def test_it_shows_the_middle_of_the_video(tmp_path: Path) -> None:
    shown = decoded(poster(video(tmp_path / "a.mp4")))
    red, green, _ = shown.convert("RGB").getpixel((32, 24))  # type: ignore[misc]
    assert shown.size == (64, 48)
    assert green > 200 > 60 > red


@pytest.mark.parametrize("what", ["playlist", "noise"])
def test_what_is_no_video_has_none_and_no_other_file_is_read_for_it(tmp_path: Path, what: str) -> None:
    other = video(tmp_path / "other.mp4")
    hostile = tmp_path / "a.mp4"
    listed = f"ffconcat version 1.0\nfile {other.name}\n"
    hostile.write_bytes(listed.encode() if what == "playlist" else bytes(range(256)) * 40)
    with pytest.raises(NoPoster) as refused:
        poster(hostile)
    assert refused.value.code in CODES


def test_one_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = tmp_path / "endless.py"
    endless.write_text("while True: pass")
    monkeypatch.setattr("app.media.poster.LONGEST_S", 0.05)
    monkeypatch.setattr(poster_process, "__file__", str(endless))
    with pytest.raises(NoPoster, match=r"longer than 0\.05 s"):
        poster(tmp_path / "a.mp4")
