"""The command `film`: works on the data folder alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli.main import main
from app.media.film_file import frames_of
from tests.fakes.films import NOON, taken
from tests.fakes.journal import opened


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with three pictures of a camera: the last one an hour ago, the others on a day in 2026."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TIME_ZONE", "UTC")
    monkeypatch.chdir(tmp_path)
    with opened(tmp_path / "journal.db") as journal:
        ago = (datetime.now(UTC) - timedelta(hours=1) - NOON).total_seconds()
        for number, after in enumerate((0, 60, ago)):
            taken(journal, tmp_path, number, after=after)
    return tmp_path


def film(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["film", "--out", "film.mp4", *arguments])


@pytest.mark.parametrize(
    ("arguments", "frames"),
    [
        ((), 3),
        (("--since", "2h", "--camera", "front door"), 1),
        (("--since", "2026-03-04T12:01", "--until", "2026-03-05", "--stamp", "none"), 1),
        (("--every", "100", "--fps", "5", "--language", "en", "--progress-bar", "--deflicker", "3"), 2),
    ],
)
def test_a_film_of_the_data_folder(data: Path, arguments: tuple[str, ...], frames: int) -> None:
    result = film(*arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"film.mp4: {frames} frames, {frames / (5 if '5' in arguments else 12):.1f} s")
    assert "99% of the film" in result.stderr
    assert frames_of(data / "film.mp4") == frames
    assert not list(data.glob(".*"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--since", "1m"), "no_pictures: there is no picture for the film"),
        (("--camera", "Cellar"), "unknown_camera: no camera 'Cellar'"),
        (("--filter", "daylight"), "no_place: daylight needs home.latitude"),
        (("--font", "none.ttf"), "cannot open the font none.ttf"),
        (("--since", "soon"), "'soon' is no moment: a duration such as 12h or 7d"),
    ],
)
def test_what_makes_no_film_is_one_sentence(data: Path, arguments: tuple[str, ...], sentence: str) -> None:
    result = film(*arguments)
    assert result.exit_code != 0
    assert sentence in result.output
    assert "Traceback" not in result.output
    assert not (data / "film.mp4").exists()
