"""A camera's newest picture: under one address, asked for again and again, by programs that know no ids."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.web.application import application
from app.web.settings import WebSettings
from pylib.settings.credentials import Secret
from tests.fakes.cameras import jpeg
from tests.fakes.pictures import decoded
from tests.fakes.web import FRONT, KITCHEN, NOW, close, parts_for, serving, shown
from tests.unit.web.api.conftest import House

ADDRESS = "/api/cameras/front-door/latest.jpg"


def test_the_newest_picture_is_there_whatever_failed_since(house: House) -> None:
    house.shown("old", picture=jpeg(320, 240), taken_at=NOW - timedelta(minutes=1))
    house.shown("new", picture=jpeg(640, 480))
    house.shown("failed", path="", size=0, problem="timeout: no answer", taken_at=NOW + timedelta(minutes=1))
    house.shown("other", camera=KITCHEN, taken_at=NOW + timedelta(minutes=2))
    answer = house.client.get(ADDRESS)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert decoded(answer.content).size == (640, 480)
    assert answer.headers["cache-control"] == "private, max-age=5"


def test_who_has_it_already_is_told_so_until_there_is_a_newer_one(house: House) -> None:
    house.shown("s1")
    first = house.client.get(ADDRESS)
    known = {"If-None-Match": first.headers["etag"]}
    again = house.client.get(ADDRESS, headers=known)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert house.client.get(f"{ADDRESS}?boxes=1", headers=known).status_code == 200
    house.shown("s2", taken_at=NOW + timedelta(seconds=1))
    assert house.client.get(ADDRESS, headers=known).status_code == 200


def test_it_comes_with_boxes_or_in_a_width(house: House) -> None:
    house.shown("s1", picture=jpeg(640, 480))
    plain, drawn = house.client.get(ADDRESS), house.client.get(f"{ADDRESS}?boxes=1")
    assert decoded(drawn.content).size == (640, 480)
    colours = [len(decoded(answer.content).getcolors(1 << 20) or []) for answer in (plain, drawn)]
    assert colours[1] > colours[0]
    assert house.client.get(f"{ADDRESS}?boxes=false").content == plain.content
    assert decoded(house.client.get(f"{ADDRESS}?width=160").content).size == (160, 120)


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        (
            "/api/cameras/front-door/latest.jpg",
            404,
            f"no_picture: there is no picture of {FRONT} yet, or none any more",
        ),
        ("/api/cameras/cellar/latest.jpg", 404, "unknown_camera: no camera 'cellar'; there are: "),
        ("/api/cameras/front-door/latest.jpg?width=161", 422, "unknown_width: thumbnails are "),
        ("/api/cameras/front-door/latest.jpg?width=160&boxes=1", 422, "no_width: boxes are drawn into the whole"),
        ("/api/cameras/front-door/latest.jpg?boxes=yes", 400, "bad_parameter: boxes"),
    ],
)
def test_what_cannot_be_had_is_one_sentence(house: House, path: str, status: int, sentence: str) -> None:
    answer = house.client.get(path)
    assert answer.status_code == status
    assert answer.json()["error"].startswith(sentence)


def test_a_picture_whose_file_was_taken_away_is_said_to_be_gone(house: House) -> None:
    Path(house.shown("s1").snapshot.path).unlink()
    answer = house.client.get(ADDRESS)
    assert (answer.status_code, answer.json()["error"].partition(":")[0]) == (404, "picture_gone")


def test_a_link_opens_the_newest_of_this_camera_only(tmp_path: Path) -> None:
    context = parts_for(tmp_path, settings=WebSettings(password=Secret("open sesame")))
    with serving(application(context)) as client:
        for camera, size in ((FRONT, (320, 240)), (KITCHEN, (64, 48))):
            shown(context, tmp_path, camera=camera, picture=jpeg(*size))
        known = {"auth": ("", "open sesame")}
        url = client.post("/api/cameras/Front%20Door/link", json={"seconds": 60}, **known).json()["url"]
        path, query = urlsplit(url).path, urlsplit(url).query
        assert decoded(client.get(f"{path}?{query}").content).size == (320, 240)
        assert client.get(f"{path}?{query}&boxes=1").status_code == 200
        assert client.get(f"{path.replace('front-door', 'küche')}?{query}").status_code == 403
        assert client.get(path).status_code == 401
    close(context)
