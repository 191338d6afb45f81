"""The grid: visits and pictures, what is counted and offered, and a house with ten thousand cameras."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from app.messages import Box, Detection, Label
from app.web.album.camera_names import MOST_LISTED, OFFERED, PILLS
from app.web.album.grid_pages import PAGE as CARDS
from app.web.application import application
from app.web.context import CameraInfo, WebContext
from pylib.runtime.circuit_breaker import State
from tests.fakes.detectors import PERSON
from tests.fakes.web import FRONT, KITCHEN, NOW, Client, close, parts_for, serving, shown
from tests.unit.web.album.pages import PAGE, look, post, read

DOG = Detection((Label("Dog", 0.8),))


def two_visits(context: WebContext, folder: Path) -> None:
    """Of three pictures of one camera, and one of another, which is in between."""
    for number, detection in enumerate((DOG, PERSON, DOG)):
        shown(context, folder, f"front {number}", taken_at=NOW + timedelta(seconds=30 * number), detection=detection)
    shown(context, folder, "kitchen", camera=KITCHEN, taken_at=NOW + timedelta(seconds=45), detection=DOG)


def test_a_visit_is_one_card_with_its_best_picture_and_a_link_to_all(
    context: WebContext, client: Client, tmp_path: Path
) -> None:
    two_visits(context, tmp_path)
    page = look(client, "/?q=front")
    assert page.cards == ["front 1"]
    (pile,) = page.all("a", "pile")
    assert pile["aria-label"] == "3 pictures of this visit"
    assert "3 pictures" in page.text
    assert look(client, pile["href"]).cards == ["front 2", "front 1", "front 0"]
    assert look(client, "/").cards == ["front 1", "kitchen"]
    leaves = read(client.get("/visits/1?label=dog", headers={**PAGE, "HX-Request": "true"}).text)
    assert leaves.cards == ["front 2", "front 0"]


def test_by_picture_is_remembered_until_one_wants_visits_again(
    context: WebContext, client: Client, tmp_path: Path
) -> None:
    two_visits(context, tmp_path)
    chosen = client.get("/?by=picture", headers=PAGE)
    assert chosen.headers["set-cookie"].startswith("album_by=picture; HttpOnly; Max-Age=31536000; Path=/; SameSite=lax")
    cookie = {**PAGE, "Cookie": "album_by=picture"}
    assert len(read(client.get("/", headers=cookie).text).cards) == 4
    assert len(read(client.get("/?by=visit", headers=cookie).text).cards) == 2
    assert "set-cookie" not in client.get("/", headers=cookie).headers


def test_a_visit_is_reviewed_on_its_card_and_a_picture_on_its_page(
    context: WebContext, client: Client, tmp_path: Path
) -> None:
    two_visits(context, tmp_path)
    assert post(client, "/visits/1/review", data={"reviewed": "1"}) == "/"
    assert look(client, "/?reviewed=false").cards == ["kitchen"]
    assert post(client, "/snapshots/kitchen/review", data={"reviewed": "1"}) == "/snapshots/kitchen"
    assert look(client, "/?reviewed=false").cards == []
    part = client.post("/visits/1/review", data={"reviewed": "0"}, headers={**PAGE, "HX-Request": "true"})
    assert read(part.text).all("button")[0]["aria-pressed"] == "false"
    assert look(client, "/?reviewed=false").cards == ["front 1"]
    for unknown in (0, 99):
        assert client.post(f"/visits/{unknown}/review", data={"reviewed": "1"}, headers=PAGE).status_code == 404


def test_a_word_for_a_day_in_the_search_sets_the_day(context: WebContext, client: Client, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    for number, name in enumerate(("today", "before")):
        shown(context, tmp_path, name, taken_at=now - timedelta(days=number))
        shown(context, tmp_path, f"kitchen {name}", camera=KITCHEN, taken_at=now - timedelta(days=number))
    page = look(client, "/?q=front+door+yesterday")
    assert page.cards == ["before"]
    fields = {field.get("name"): field.get("value") for field in page.all("input")}
    assert (fields["q"], fields["day"]) == ("front door", (now - timedelta(days=1)).date().isoformat())
    assert {pill["aria-label"] for pill in page.all("a", "is-set")} == {
        "Remove filter: “front door”",
        "Remove filter: Yesterday",
    }


def test_presets_keep_the_rest_and_put_one_time_in_place_of_another(client: Client) -> None:
    today = datetime.now(UTC).date()
    page = look(client, f"/?person=true&day={today}")
    queries = [parse_qs(urlsplit(pill["href"]).query) for pill in page.all("a", "pill")]
    assert {"person": ["true"], "day": [str(today - timedelta(days=1))]} in queries
    assert {"person": ["true"], "since": [f"{today - timedelta(days=6)}T00:00"]} in queries
    assert {"person": ["true"], "day": [str(today)], "hours": ["22-6"]} in queries
    assert "Last 7 days" in look(client, f"/?since={today - timedelta(days=6)}T00:00").text


def test_labels_are_offered_with_their_counts(context: WebContext, client: Client, tmp_path: Path) -> None:
    two_visits(context, tmp_path)
    offered = read(client.get("/names/labels?label=d", headers=PAGE).text)
    assert [option["value"] for option in offered.all("option")] == ["Dog"]
    assert "Dog, 3 pictures" in offered.text


MANY = 10_000
LARGEST = 100_000
"""Bytes of a page."""


def test_a_filled_page_is_small(context: WebContext, client: Client, tmp_path: Path) -> None:
    names = ("Person", "Fire Extinguisher", "Motorcycle Helmet", "Potted Plant")
    seen = Detection(tuple(Label(name, 0.91234, (Box(0.12345, 0.23456, 0.34567, 0.45678),) * 2) for name in names), 2)
    for number in range(CARDS + 1):
        shown(context, tmp_path, f"{number:032}", taken_at=NOW - timedelta(hours=number), detection=seen)
        moment = NOW - timedelta(hours=number, seconds=20)
        shown(context, tmp_path, f"{number:031}b", taken_at=moment, detection=seen)
    page = client.get("/", headers={**PAGE, "Accept-Language": "de"})
    assert len(read(page.text).cards) == CARDS
    assert len(page.content) < LARGEST


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> object:
    folder = tmp_path_factory.mktemp("many")
    cameras = {f"Hall {number:05} Camera": _info(f"Hall {number:05}") for number in range(MANY)}
    context = parts_for(folder, cameras={**cameras, FRONT: _info("Front")})
    for number in range(PILLS + 3):
        shown(context, folder, f"s{number}", camera=f"Hall {number:05} Camera", taken_at=NOW + timedelta(hours=number))
    with serving(application(context)) as client:
        yield client
    close(context)


def _info(label: str) -> CameraInfo:
    return CameraInfo(label, lambda: State.CLOSED, lambda: 0.0)


@pytest.mark.parametrize(
    "path", ["/", "/?camera=hall-00007", "/when", "/cameras", "/cameras/hall-00007", "/upload", "/rules", "/rules/new"]
)
def test_pages_are_small_however_many_cameras_there_are(many: Client, path: str) -> None:
    page = many.get(path, headers=PAGE)
    assert page.status_code == 200
    assert len(page.content) < LARGEST


def test_of_many_cameras_those_stand_above_the_grid_that_saw_something_lately(many: Client) -> None:
    page = look(many, "/")
    pills = [parse_qs(urlsplit(pill["href"]).query).get("camera") for pill in page.all("a", "pill")]
    assert [camera for camera in pills if camera] == [[f"Hall {number:05} Camera"] for number in range(10, 2, -1)]
    (field,) = [field for field in page.all("input") if field.get("name") == "camera" and "form" not in field][:1]
    assert field["list"] == "camera-names"


def test_many_cameras_are_found_by_what_is_typed(many: Client) -> None:
    offered = look(many, "/names/cameras?camera=hall+0999").all("option")
    assert [option["value"] for option in offered] == [f"Hall {number:05} Camera" for number in range(9990, 10_000)]
    assert len(look(many, "/names/cameras?cameras=hall").all("option")) == OFFERED
    assert look(many, "/?camera=front-door").cards == []
    assert "and 9" in look(many, "/?camera=nowhere", status=404).text


def test_many_cameras_are_paged_through_and_searched(many: Client) -> None:
    first = look(many, "/cameras")
    assert len(first.all("li", "tile")) == 48
    assert "Page 1 of 209" in first.text
    assert "Hall 00048" in look(many, "/cameras?page=2").text
    found = look(many, "/cameras?q=front")
    assert len(found.all("li", "tile")) == 1
    assert "No camera is called so" in look(many, "/cameras?q=cellar").text
    assert "Page 209 of 209" in look(many, "/cameras?page=99999").text


def test_few_cameras_stand_in_a_list(context: WebContext, client: Client) -> None:
    assert len(context.cameras) <= MOST_LISTED
    assert {"value": FRONT} in look(client, "/").all("option")
    assert not look(client, "/cameras").all("form", "tile-search")
