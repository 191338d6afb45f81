"""Films over HTTP and in the album: ordered, played in parts, described, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from app.films.job import FilmJobs
from app.films.maker import FilmMaker
from app.films.selection import Selection
from app.jobs import Work
from app.web.application import application
from tests.fakes.web import FRONT, KITCHEN, NOW, close, parts_for, serving, shown
from tests.unit.web.album.pages import PAGE
from tests.unit.web.api.conftest import House


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    """With three pictures of two days at the front, and one of the kitchen."""
    context = parts_for(tmp_path)
    for days in range(3):
        shown(context, tmp_path, taken_at=NOW - timedelta(days=min(days, 1), minutes=days))
    shown(context, tmp_path, camera=KITCHEN)
    (tmp_path / "films").mkdir()
    with serving(application(context)) as client:
        yield House(client, context, tmp_path)
    close(context)


def work_off(home: House) -> None:
    journal = home.context.journal
    maker = FilmMaker(Selection(journal.oldest, zone=UTC), zone=UTC, max_pixels=1_000_000)
    work = Work([FilmJobs(home.context.films, maker)], journal=journal)
    for job in work.pending():
        list(work.handle(job))


def test_a_film_is_ordered_made_and_fetched_in_parts(home: House) -> None:
    body = {"cameras": ["front-door"], "since": "2026-03-01", "fps": 5, "stamp": {"position": "top-left"}}
    answer = home.client.post("/api/films", json=body)
    assert answer.status_code == 202
    url = answer.json()["url"]
    waiting = home.client.get(url)
    assert (waiting.status_code, waiting.json()["state"], waiting.json()["progress"]) == (202, "waiting", 0)
    assert waiting.json()["name"].startswith("Front, 2026-03-01 to 20")
    assert [each["id"] for each in home.client.get("/api/films").json()["ordered"]] == [answer.json()["id"]]
    work_off(home)
    film = home.client.get(url).json()
    assert home.client.get("/api/films").json() == {"films": [film], "ordered": []}
    assert (film["frames"], film["duration_s"], film["camera"]) == (3, 0.6, FRONT)
    assert [chapter["day"] for chapter in film["chapters"]] == ["2026-03-03", "2026-03-04"]
    video = home.client.get(film["video_url"])
    assert (video.headers["content-type"], len(video.content)) == ("video/mp4", film["size"])
    part = home.client.get(film["video_url"], headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert home.client.get(film["still_url"]).content.startswith(b"\xff\xd8")
    assert "00:00:00.400 --> 00:00:00.600\n2026-03-04" in home.client.get(film["chapters_url"]).text
    assert home.client.delete(url).status_code == 204
    assert [home.client.ask(method, url).status_code for method in ("GET", "DELETE")] == [404, 404]


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ({"cameras": ["Cellar"]}, 404, "unknown_camera: no camera 'Cellar'"),
        ({"filter": "daylight"}, 422, "no_place: daylight needs home.latitude"),
        ({"stamp": {"font": "/etc/passwd"}}, 400, "bad_field: stamp: must be ''"),
        ({"fps": 0}, 400, "bad_field: fps: "),
        ({"speed": 2}, 400, "bad_field: speed is unknown"),
    ],
)
def test_what_makes_no_film_is_refused_with_a_sentence(
    home: House, body: dict[str, object], status: int, sentence: str
) -> None:
    answer = home.client.post("/api/films", json=body)
    assert (answer.status_code, answer.json()["error"][: len(sentence)]) == (status, sentence)
    assert home.context.films.ordered() == []


def test_the_album_makes_a_film_of_what_it_shows_and_plays_it(home: House) -> None:
    grid = home.client.get("/?camera=front-door", headers=PAGE).text
    assert f'action="/films"> <input type="hidden" name="camera" value="{FRONT}">' in " ".join(grid.split())
    assert "No films yet" in home.client.get("/films", headers=PAGE).text
    answer = home.client.post("/films", data={"camera": FRONT, "label": "person"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/films")
    page = home.client.get("/films", headers=PAGE)
    assert "Is being made." in page.text
    assert page.headers["refresh"] == "5"
    work_off(home)
    page = home.client.get("/films", headers=PAGE)
    (film,) = home.context.films.films()
    assert film.frames == 3
    assert f'<a href="/films/{film.id}">{film.name}</a>' in page.text
    assert "refresh" not in page.headers
    player = home.client.get(f"/films/{film.id}?t=0.167", headers=PAGE).text
    assert f'<source src="/api/films/{film.id}/video#t=0.167" type="video/mp4">' in player
    assert f'<track kind="chapters" srclang="en" label="Days" src="/api/films/{film.id}/chapters" default>' in player
    assert f'href="/films/{film.id}?t=0.167"><span>2026-03-04</span>' in player
    assert "#t=" not in home.client.get(f"/films/{film.id}?t=<script>", headers=PAGE).text
    assert home.client.post(f"/films/{film.id}/delete").status_code == 303
    assert home.client.get(f"/films/{film.id}", headers=PAGE).status_code == 404


def test_a_film_that_failed_says_why(home: House) -> None:
    home.client.post("/films", data={"camera": FRONT, "label": "unicorn"})
    work_off(home)
    page = home.client.get("/films", headers=PAGE)
    assert "there is no picture for the film" in page.text
    assert "refresh" not in page.headers
