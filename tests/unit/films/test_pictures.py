"""Where pictures of running films come from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.films.day_parts import Plan
from app.films.pictures import CameraPictures, FolderMissing, FolderPictures
from app.films.running import RunningFilm
from app.journal import Journal
from tests.fakes.running_films import NOW, brought_up, put, shade, shades
from tests.fakes.web import FRONT, close, parts_for, shown


def test_a_camera_s_pictures_are_shown_once_their_day_is_over(tmp_path: Path) -> None:
    context = parts_for(tmp_path)
    try:
        for number, hours in enumerate((50, 26, 2), 1):
            shown(context, tmp_path, f"{number:032x}", picture=shade(number), taken_at=NOW - timedelta(hours=hours))
        source = CameraPictures([FRONT], journal=context.journal, zone=UTC, now=lambda: NOW)
        film = RunningFilm(
            Plan("yard", tmp_path / "yard.mp4", tmp_path / "parts", UTC), source, journal=context.journal
        )
        brought_up(film)
        assert shades(tmp_path / "yard.mp4") == [1, 2]
        assert brought_up(film).shown == 2
    finally:
        close(context)


def test_a_folder_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    source = FolderPictures(tmp_path / "away", known=lambda _film: {}, zone=UTC)
    with pytest.raises(FolderMissing, match="away is no folder"):
        list(source.new("diary"))
    assert source.read("a.jpg") is None


def test_files_that_are_known_are_not_read_again(tmp_path: Path, journal: Journal) -> None:
    put(tmp_path, "2026-03-01.jpg", 1)
    put(tmp_path, ".hidden/2026-03-02.jpg", 2)
    (tmp_path / "2026-03-03.jpg").symlink_to(tmp_path / "2026-03-01.jpg")
    source = FolderPictures(tmp_path, known=journal.known_versions, zone=UTC, now=lambda: NOW)
    (found,) = source.new("diary")
    assert (found.name, found.taken_at, found.day) == (
        "2026-03-01.jpg",
        datetime(2026, 3, 1, 12, tzinfo=UTC),
        "2026-03-01",
    )
    journal.note_pictures("diary", [found])
    assert list(source.new("diary")) == []
