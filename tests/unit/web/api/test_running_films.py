"""Running films over HTTP and in the album: how they are, announcing, and dates that people give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.films.running_films import Kept, RunningFilms
from app.journal import FilmPicture
from app.web.application import application
from tests.fakes.running_films import running_film
from tests.fakes.web import close, parts_for, serving
from tests.unit.web.album.pages import PAGE
from tests.unit.web.api.conftest import House


@pytest.fixture
def diary(tmp_path: Path) -> Iterator[House]:
    """With a running film that has a picture without a date, and a broken one."""
    context = parts_for(tmp_path)
    film = running_film(tmp_path, context.journal)
    films = RunningFilms({"diary": Kept(film)}, journal=context.journal)
    pictures = [
        FilmPicture("a <b>.jpg", "undated", problem="Nobody knows."),
        FilmPicture("c.jpg", "broken", problem="It is cut short."),
    ]
    context.journal.note_pictures("diary", pictures)
    context = replace(context, running_films=films)
    with serving(application(context)) as client:
        yield House(client, context, tmp_path)
    close(context)


def test_they_are_listed_with_what_they_leave_out(diary: House) -> None:
    (film,) = diary.client.get("/api/running-films").json()["films"]
    assert (film["name"], film["shown"], film["undated"], film["broken"]) == ("diary", 0, 1, 1)
    left_out = diary.client.get(f"/api/films/{film['id']}/left-out").json()
    assert left_out == {
        "undated": [{"picture": "a <b>.jpg", "problem": "Nobody knows."}],
        "broken": [{"picture": "c.jpg", "problem": "It is cut short."}],
    }
    assert diary.client.get("/api/films/other/left-out").status_code == 404


def test_pictures_are_announced_by_number_or_name(diary: House) -> None:
    assert diary.client.post("/api/films/diary/announce", json={"pictures": 3}).status_code == 204
    (job,) = diary.context.journal.jobs()
    assert (job.kind, job.arguments["film"], job.arguments["pictures"]) == ("append", "diary", 3)
    assert diary.client.post("/api/films/diary/announce", json={"pictures": -1}).status_code == 400
    assert diary.client.post("/api/films/other/announce", json={"pictures": 3}).status_code == 404


def test_a_date_is_given_once(diary: House) -> None:
    given = {"picture": "a <b>.jpg", "taken_at": "2026-02-03T04:05"}
    assert diary.client.post("/api/films/diary/dates", json={**given, "taken_at": "2126-02-03"}).status_code == 422
    assert diary.client.post("/api/films/diary/dates", json=given).status_code == 204
    (picture,) = diary.context.journal.film_pictures("diary", state="waiting")
    assert (picture.taken_at, picture.day) == (datetime(2026, 2, 3, 4, 5, tzinfo=UTC), "2026-02-03")
    assert diary.client.post("/api/films/diary/dates", json=given).status_code == 404


def test_the_page_asks_for_dates(diary: House) -> None:
    assert "diary: 1 without a date" in diary.client.get("/films", headers=PAGE).text
    address = f"/running-films/{diary.context.running_films.medium_id('diary')}"
    page = diary.client.get(address, headers=PAGE).text
    assert "a &lt;b&gt;.jpg" in page
    assert "It is cut short." in page
    form = {"picture": "a <b>.jpg", "taken_at": "yesterday"}
    assert diary.client.post(f"{address}/dates", data=form).status_code == 422
    answer = diary.client.post(f"{address}/dates", data={**form, "taken_at": "2026-02-03T04:05"})
    assert answer.status_code in (200, 303)
    assert diary.context.journal.film_counts("diary") == {"broken": 1, "waiting": 1}
