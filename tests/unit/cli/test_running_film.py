"""Years of pictures into a running film, as a person types it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from app.cli.running_film import running_film
from pylib.files.lock import FolderLock
from tests.fakes.running_films import put, shades


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name != "PATH":
            monkeypatch.delenv(name)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yml"
    film = {"name": "Our Garden", "folder": str(tmp_path / "sync"), "stamp": {"position": "none"}}
    settings = {"data_dir": str(tmp_path / "data"), "time_zone": "UTC", "running_films": [film]}
    path.write_text(yaml.safe_dump(settings))
    return path


def imported(config: Path, film: str = "Our Garden") -> Result:
    arguments = ["import", str(config.parent / "old"), "--film", film]
    result = CliRunner().invoke(running_film, arguments, obj=config)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_pictures_are_imported_once_and_what_is_left_out_is_named(config: Path) -> None:
    put(config.parent / "old", "2015/2015-06-07.jpg", 1)
    put(config.parent / "old", "2016/2016-06-07.jpg", 2)
    put(config.parent / "old", "party.jpg", 3)
    result = imported(config)
    assert "party.jpg: Neither its EXIF nor its name says when it was taken." in result.output
    assert "3 new, 2 in the film, 1 left out: " in result.output
    (film,) = (config.parent / "data/films/running").glob("our-garden-*.mp4")
    assert shades(film) == [1, 2]
    assert "0 new, 2 in the film, 1 left out: " in imported(config).output
    assert shades(film) == [1, 2]


def test_it_needs_a_film_and_a_stopped_service(config: Path) -> None:
    (config.parent / "old").mkdir()
    refused = imported(config, "Yard")
    assert (refused.exit_code, "there is no running film 'Yard'; configured: 'Our Garden'" in refused.output) == (
        2,
        True,
    )
    lock = FolderLock(config.parent / "data")
    lock.acquire()
    try:
        assert "stop the service first" in imported(config).output
    finally:
        lock.release()
