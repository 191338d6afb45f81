"""Many pictures of the grid at once, by a form that needs no JavaScript; and all of a camera or a time by two steps."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from app.films.selection import Wanted
from app.films.shelf import KIND
from app.jobs.deletion import DeletePictures, Deletion
from app.journal.entries import Filter
from app.messages import Detection, Label
from app.web.context import ArchiveInfo, WebContext
from tests.fakes.detectors import PERSON
from tests.fakes.web import FRONT, KITCHEN, NOW, Client, album, shown
from tests.unit.web.album.pages import PAGE, look, post

DOG = Detection((Label("Dog", 0.8),))


@pytest.fixture
def ids(context: WebContext, tmp_path: Path) -> list[str]:
    return [one.id for one in album(context, tmp_path, 3)]


def chosen(ids: list[str]) -> list[tuple[str, str]]:
    return [("id", one) for one in ids]


def test_the_grid_has_a_box_for_each_picture_and_a_form_around_them(client: Client, ids: list[str]) -> None:
    page = look(client, "/?select=1")
    boxes = [box for box in page.all("input") if box.get("type") == "checkbox" and box.get("form") == "selection"]
    assert [box["value"] for box in boxes] == ids
    (form,) = [form for form in page.all("form") if form.get("id") == "selection"]
    assert "hidden" not in form
    assert [button["data-wish"] for button in page.all("button", "select-do")] == [
        *("star", "reviewed", "zip", "film", "delete")
    ]
    (form,) = [form for form in look(client, "/").all("form") if form.get("id") == "selection"]
    assert "hidden" in form


def test_those_that_are_chosen_are_starred(context: WebContext, client: Client, ids: list[str]) -> None:
    asked = post(client, "/selection/star", data=chosen(ids[:2]), came_from="/?select=1&camera=front")
    assert asked == "/?camera=front"
    assert [one.id for one in context.journal.page(Filter(starred=True))] == ids[:2]
    post(client, "/selection/reviewed", data=chosen(ids[1:]))
    assert [one.id for one in context.journal.page(Filter(reviewed=True))] == ids[1:]


def test_those_that_are_chosen_are_deleted_and_can_be_taken_back(client: Client, ids: list[str]) -> None:
    asked = post(client, "/selection/delete", data=chosen(ids[1:]), came_from="/?select=1")
    page = look(client, asked)
    assert page.cards == ids[:1]
    (undo,) = [form["action"] for form in page.all("form") if "/undo" in form["action"]]
    assert post(client, undo, came_from=asked) == "/"
    assert look(client, "/?by=picture").cards == ids


def test_those_that_are_chosen_are_downloaded_or_become_a_film(
    context: WebContext, client: Client, ids: list[str]
) -> None:
    answer = client.post("/selection/zip", data=chosen(ids[:2]))
    assert len(zipfile.ZipFile(io.BytesIO(answer.content)).namelist()) == 3
    assert post(client, "/selection/film", data=chosen(ids[:2])) == "/films"
    (job,) = context.journal.jobs_of(KIND)
    assert Wanted.of(job.arguments).filter.ids == tuple(ids[:2])


def test_a_visit_s_card_chooses_all_of_its_pictures_that_match(
    context: WebContext, client: Client, tmp_path: Path
) -> None:
    for number, seen in enumerate((DOG, PERSON, DOG)):
        shown(context, tmp_path, f"front {number}", taken_at=NOW + timedelta(seconds=number), detection=seen)
    shown(context, tmp_path, "kitchen", camera=KITCHEN, detection=DOG)
    page = look(client, "/?label=dog")
    boxes = [(box["name"], box["value"]) for box in page.all("input") if box.get("form") == "selection"]
    assert boxes == [("query", "?label=dog"), ("visit", "1"), ("visit", "4")]
    ids = client.post("/selection/ids", data=[boxes[0], boxes[1]], headers={"Accept": "application/json"}).json()["ids"]
    assert ids == ["front 2", "front 0"]
    post(client, "/selection/star", data=[boxes[0], boxes[1]])
    assert [one.id for one in context.journal.page(Filter(starred=True))] == ids
    post(client, "/selection/reviewed", data=[("visit", "1")])
    assert [one.id for one in context.journal.page(Filter(reviewed=True))] == ["front 2", "front 1", "front 0"]
    for wrong in ("", "x", "9" * 19, "77"):
        assert client.post("/selection/star", data=[("visit", wrong)], headers=PAGE).status_code == 400, wrong


def test_more_pictures_than_one_choice_takes_are_refused_whole(
    context: WebContext, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.web.album.selecting.MOST", 2)
    for number in range(3):
        shown(context, tmp_path, f"front {number}", taken_at=NOW + timedelta(seconds=number))
    answer = client.post("/selection/star", data=[("visit", "1")], headers=PAGE)
    assert (answer.status_code, "Choose at most 2 pictures at once." in answer.text) == (400, True)
    assert context.journal.page(Filter(starred=True)) == []


def test_nothing_chosen_or_too_much_is_one_sentence(client: Client, ids: list[str]) -> None:
    answer = client.post("/selection/star", headers=PAGE)
    assert answer.status_code == 400
    assert "Choose at least one picture" in answer.text
    assert client.post("/selection/star", data=chosen([f"{n:032}" for n in range(1001)])).status_code == 400
    assert client.post("/selection/star", data=chosen([f"{n:032}" for n in range(1000)])).status_code == 303


def test_the_page_says_how_many_before_a_download(client: Client, ids: list[str]) -> None:
    page = look(client, "/export?camera=front-door")
    assert "Download 3 pictures" in page.text
    (link,) = [a["href"] for a in page.all("a", "button-main")]
    assert link == "/api/export.zip?camera=Front+Door+Camera"
    assert client.get(link).status_code == 200
    assert "No picture matches." in look(client, "/export?q=unicorn").text


def test_all_of_a_camera_is_deleted_in_two_steps(
    context: WebContext, client: Client, ids: list[str], tmp_path: Path
) -> None:
    archives = [ArchiveInfo(name, lambda: "", removes=name == "nas") for name in ("nas", "tape", "usb")]
    object.__setattr__(context, "archives", tuple(archives))
    for archive in ("nas", "tape"):
        kept = shown(context, tmp_path, targets=(archive,), taken_at=NOW - timedelta(days=1))
        context.journal.delivered(kept.id, archive, md5="d4")
    shown(context, tmp_path, camera=KITCHEN)
    context.journal.change(ids[0], starred=True)
    assert "Count them" in look(client, "/delete").text
    page = look(client, "/delete?camera=front-door&last=2026-03-04")
    for words in (
        "5 pictures",
        "1 of them has a star",
        "Also 1 copy in nas",
        "tape keeps 1 copy: it cannot delete them",
    ):
        assert words in page.text, words
    assert "usb" not in page.text, "it has none of them"
    fields = {"camera": "front-door", "last": "2026-03-04", "count": "4", "archive": "nas"}
    changed = client.post("/delete", data=fields, headers=PAGE)
    assert changed.status_code == 409
    assert "There are 5 pictures now, not 4; nothing was deleted: look again." in changed.text
    assert context.journal.jobs_of(DeletePictures.kind) == []
    assert post(client, "/delete", data={**fields, "count": "5"}) == "/delete"
    (job,) = context.journal.jobs_of(DeletePictures.kind)
    deletion = Deletion.of(job)
    assert (deletion.doomed.camera, deletion.doomed.since, deletion.archives) == (FRONT, None, ("nas",))
    assert "Front: 5 pictures" in look(client, "/delete").text
