"""Snoozes: by a camera's page, and by the link in a message, which changes nothing by being opened."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.web.application import application
from app.web.context import WebContext
from app.web.settings import WebSettings
from pylib.settings.credentials import Secret
from tests.fakes.web import FRONT, Client, close, parts_for, serving, shown
from tests.unit.web.album.pages import PAGE, look, post


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[WebContext]:
    context = parts_for(tmp_path, settings=WebSettings(password=Secret("right")))
    yield context
    close(context)


@pytest.fixture
def stranger(guarded: WebContext) -> Iterator[Client]:
    """Somebody without the password."""
    with serving(application(guarded)) as client:
        yield client


def test_a_link_opens_a_page_whose_button_snoozes_and_takes_it_back(guarded: WebContext, stranger: Client) -> None:
    link = f"/snooze/front-door?{guarded.links.sign('front-door', 'snooze', seconds=60)}"
    page = look(stranger, link)
    assert "Messages come as usual" in page.text
    assert not guarded.telling.snoozes  # opened, by a person or by what reads mails
    (form,) = page.all("form")
    assert form["action"] == link
    assert post(stranger, link) == link
    (snooze,) = guarded.telling.snoozes
    assert snooze.until is not None
    assert (snooze.camera, 3590 < snooze.until - time.time() <= 3600) == (FRONT, True)
    assert "No messages of Front until" in look(stranger, link).text
    assert post(stranger, link, data={"end": "1"}) == link
    assert not guarded.telling.snoozes


def test_a_link_is_for_its_camera_only_and_nobody_snoozes_without_one(guarded: WebContext, stranger: Client) -> None:
    query = guarded.links.sign("front-door", "snooze", seconds=60)
    assert stranger.post(f"/snooze/all?{query}", headers=PAGE).headers["location"].startswith("/login")
    assert stranger.post("/snooze/front-door", headers=PAGE).headers["location"].startswith("/login")
    assert stranger.get("/snooze/front-door?expires=1&signature=x", headers=PAGE).status_code == 403
    assert stranger.post(f"/snoozes/front-door?{query}", headers=PAGE).headers["location"].startswith("/login")
    forged = {**PAGE, "Sec-Fetch-Site": "cross-site"}
    assert stranger.post(f"/snooze/front-door?{query}", headers=forged).status_code == 403
    assert not guarded.telling.snoozes


def test_all_cameras_are_snoozed_by_a_link_too(guarded: WebContext, stranger: Client) -> None:
    link = f"/snooze/all?{guarded.links.sign('all', 'snooze', seconds=60)}"
    post(stranger, link)
    assert "No messages of any camera until" in look(stranger, link).text
    of_door = f"/snooze/front-door?{guarded.links.sign('front-door', 'snooze', seconds=60)}"
    assert look(stranger, of_door).all("form") == []  # it could not end that of all


@pytest.mark.parametrize(
    ("choice", "words"), [("hour", "until"), ("tomorrow", "until tomorrow, 07:00"), ("ever", "switch them on again")]
)
def test_a_camera_is_snoozed_on_its_page_and_says_so(
    context: WebContext, client: Client, tmp_path: Path, choice: str, words: str
) -> None:
    shown(context, tmp_path)
    assert post(client, "/snoozes/front-door", data={"for": choice}) == "/cameras/front-door-camera"
    page = look(client, "/cameras/front-door")
    assert "No messages of Front" in page.text
    assert words in page.text
    assert "No messages of Front" in look(client, "/rules").text
    post(client, "/snoozes/front-door", data={"end": "1"})
    assert "No messages of Front" not in look(client, "/cameras/front-door").text


def test_a_snooze_is_one_of_those_that_there_are(context: WebContext, client: Client) -> None:
    assert client.post("/snoozes/front-door", data={"for": "a while"}, headers=PAGE).status_code == 400
    assert client.post("/snoozes/attic", data={"for": "hour"}, headers=PAGE).status_code == 404
    assert not context.telling.snoozes
