"""Files beside the one picture: found with their event, films by camera, wherever the data folder is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.journal import Journal, Medium
from tests.fakes.journal import opened

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def frame(folder: Path, number: int) -> Medium:
    path = str(folder / f"media/{number}.jpg")
    return Medium(f"f{number}", "frame", "jpeg", "Yard Camera", path, 10, 4, 3, NOW, snapshot="s1", position=number)


def test_frames_come_in_their_order_and_beside_what_was_made_of_them(tmp_path: Path) -> None:
    frames = [frame(tmp_path, number) for number in range(3)]
    film = replace(frames[0], id="gif", kind="animation", format="gif", position=0, frames=3, duration_s=0.9)
    with opened(tmp_path / "journal.db") as journal:
        journal.record_media([frames[2], frames[0], film, frames[1]])
        journal.record_media([frames[1]])
        assert journal.media_of("s1", kind="frame") == frames
        assert journal.media_of("s1") == [film, *frames]
        assert journal.medium("gif") == film
        assert journal.media_of("s2") == []
        journal.forget_media(["gif", "f0"])
        assert journal.media_of("s1") == frames[1:]
        assert journal.medium("gif") is None


def test_films_are_those_of_no_event_the_newest_first(journal: Journal, tmp_path: Path) -> None:
    film = replace(frame(tmp_path, 0), id="one", kind="film", format="mp4", snapshot="", name="A day", frames=90)
    later = replace(film, id="two", taken_at=NOW + timedelta(days=1), camera="Porch Camera")
    journal.record_media([film, later, frame(tmp_path, 1)])
    assert journal.films() == [later, film]
    assert journal.films(camera="Yard Camera") == [film]
    assert journal.films(limit=1) == [later]


def test_a_data_folder_that_was_moved_has_its_files(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with opened(tmp_path / "old/journal.db") as journal:
        journal.record_media([frame(tmp_path / "old", 1)])
    (tmp_path / "old").rename(tmp_path / "new")
    with opened(tmp_path / "new/journal.db") as journal:
        assert journal.media_of("s1") == [frame(tmp_path / "new", 1)]
