"""What we write, read by other programs: they find no error, and as many frames as the journal says."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC
from pathlib import Path

import pytest

from app.films.job import FilmJobs
from app.films.selection import Selection
from app.films.shelf import KIND, Films
from app.journal import Journal, Medium
from app.storage.animations import Animations, AnimationSettings
from app.storage.cache import Cache
from app.storage.event_media import EventMedia
from tests import packages
from tests.fakes.bursts import taken as burst_taken
from tests.fakes.bursts import walker
from tests.fakes.films import maker, picture, taken, wanted
from tests.fakes.running_films import brought_up, put, running_film


@pytest.fixture(scope="module", autouse=True)
def readers() -> None:
    packages.require(ffprobe="ffmpeg", gifsicle="gifsicle")


def read_by_ffprobe(medium: Medium) -> tuple[int, int, int]:
    """Frames, width and height of a film; fails when it finds anything wrong."""
    asked = "stream=nb_read_frames,width,height,pix_fmt,codec_name"
    command = ["ffprobe", "-v", "warning", "-count_frames", "-select_streams", "v", "-show_entries", asked]
    done = subprocess.run([*command, "-of", "json", medium.path], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    (stream,) = json.loads(done.stdout)["streams"]
    assert (stream["codec_name"], stream["pix_fmt"]) == ("h264", "yuv420p")
    return int(stream["nb_read_frames"]), stream["width"], stream["height"]


def test_a_film_of_many_parts(journal: Journal, tmp_path: Path) -> None:
    for number in range(30):
        taken(journal, tmp_path, number, after=number * 60, colour=f"#{number * 8:02x}4488", size=(64 + number % 2, 48))
    taken(journal, tmp_path, 30, after=1800, content=picture("red")[:40])
    films = Films(tmp_path, journal=journal, selection=Selection(journal.oldest, zone=UTC))
    film_id = films.order("All", wanted(progress_bar=True))
    (job,) = journal.jobs_due([KIND])
    FilmJobs(films, maker(journal)).run(job, lambda _kept, _progress: None)
    film = films.film(film_id)
    assert film is not None
    assert read_by_ffprobe(film) == (film.frames, film.width, film.height) == (30, 64, 48)


def test_a_running_film_that_grew_day_by_day_and_got_a_late_picture(journal: Journal, tmp_path: Path) -> None:
    film = running_film(tmp_path, journal)
    for day in (1, 2, 4, 5, 3):
        for hour in (8, 12):
            put(tmp_path / "in", f"2026-11-{day:02d}_{hour:02d}-00-00.jpg", 2 * day + hour // 12)
        brought_up(film)
    (medium,) = journal.films()
    assert read_by_ffprobe(medium) == (medium.frames, medium.width, medium.height) == (10, 32, 24)


def test_the_animations_of_a_burst(journal: Journal, cache: Cache) -> None:
    media = EventMedia(cache.root.parent / "media")
    snapshot = burst_taken(journal, cache, media, *(walker(step) for step in range(5)))
    animations = Animations(AnimationSettings(boomerang=True), journal=journal, media=media)
    clip = animations.make(snapshot.id, "mp4")
    assert read_by_ffprobe(clip) == (clip.frames, clip.width, clip.height) == (64, 320, 180)
    gif = animations.make(snapshot.id, "gif")
    told = subprocess.run(["gifsicle", "--info", gif.path], capture_output=True, text=True, check=True)
    assert told.stderr == ""
    assert f"logical screen {gif.width}x{gif.height}" in told.stdout
    assert "loop forever" in told.stdout
    assert len(re.findall(r"\+ image #\d+", told.stdout)) == gif.frames == 8
