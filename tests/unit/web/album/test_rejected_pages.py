"""The page of rejected uploads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.web.application import application
from tests.fakes.cameras import jpeg
from tests.fakes.rejected import Rejecting
from tests.fakes.web import FRONT, Client, close, parts_for, serving
from tests.unit.web.album.pages import PAGE, look, post

NOBODY = "uploads/snapshots/somewhere/a.jpg"


@pytest.fixture
def rejecting(tmp_path: Path) -> Iterator[Rejecting]:
    journal = parts_for(tmp_path)
    yield Rejecting(tmp_path, journal.journal)
    close(journal)


@pytest.fixture
def client(rejecting: Rejecting, tmp_path: Path) -> Iterator[Client]:
    context = parts_for(tmp_path / "web", rejected=rejecting.uploads)
    with serving(application(context)) as client:
        yield client
    close(context)


def test_each_says_why_from_whom_and_what_may_have_been_meant(rejecting: Rejecting, client: Client) -> None:
    misspelled = rejecting.reject(jpeg(), "uploads/snapshots/frontdor/a.jpg")
    rejecting.reject(b"a text", "uploads/snapshots/frontdoor/b.txt")
    page = look(client, "/uploads/rejected")
    assert "No folder that the file was put in is a camera's." in page.text
    assert "By FTP, from 192.0.2.7" in page.text
    assert "Did you mean Front?" in page.text
    assert page.text.count("Try again") == 1
    assert [image["src"] for image in page.all("img")] == [f"/uploads/rejected/{misspelled}/picture"]
    assert "Rejected uploads (2)" in look(client, "/upload").text


def test_where_none_is_rejected_the_page_says_so(client: Client) -> None:
    assert "Every file that a camera sent became an event" in look(client, "/uploads/rejected").text
    assert "Rejected uploads" not in look(client, "/upload").text


def test_a_picture_of_no_known_camera_is_shown_and_nothing_else(rejecting: Rejecting, client: Client) -> None:
    shown, hidden = rejecting.reject(jpeg(640, 480), NOBODY), rejecting.reject(b"x", "frontdoor/a.jpg")
    answer = client.get(f"/uploads/rejected/{shown}/picture")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert client.get(f"/uploads/rejected/{hidden}/picture").status_code == 404
    assert client.get("/uploads/rejected/never/picture").status_code == 404


def test_taken_in_after_all_it_leads_to_its_page(rejecting: Rejecting, client: Client) -> None:
    leads = post(client, f"/uploads/rejected/{rejecting.reject(jpeg(), NOBODY)}/take-in", data={"camera": "front-door"})
    (snapshot,) = rejecting.handed_over
    assert (leads, snapshot.camera) == (f"/snapshots/{snapshot.id}", FRONT)
    again = rejecting.reject(jpeg(), NOBODY)
    answer = client.post(f"/uploads/rejected/{again}/take-in", data={"camera": FRONT}, headers=PAGE)
    assert "the album has already" in answer.text


def test_refused_again_it_says_why_and_stays(rejecting: Rejecting, client: Client) -> None:
    rejected_id = rejecting.reject(b"a text", NOBODY)
    answer = client.post(f"/uploads/rejected/{rejected_id}/take-in", data={"camera": FRONT}, headers=PAGE)
    assert answer.status_code == 422
    assert "It was refused again. This is text, not a picture." in answer.text
    assert NOBODY.rpartition("/")[2] in answer.text


@pytest.mark.parametrize(("camera", "said"), [("", "Name the camera"), ("Shed", "There is no camera “Shed”")])
def test_a_camera_has_to_be_one(rejecting: Rejecting, client: Client, camera: str, said: str) -> None:
    rejected_id = rejecting.reject(jpeg(), NOBODY)
    answer = client.post(f"/uploads/rejected/{rejected_id}/take-in", data={"camera": camera}, headers=PAGE)
    assert answer.status_code == 400
    assert said in answer.text
    assert rejecting.uploads.newest(0)[1] == 1


def test_what_somebody_else_dealt_with_is_said_to_be_gone(rejecting: Rejecting, client: Client) -> None:
    rejected_id = rejecting.reject(jpeg(), NOBODY)
    assert post(client, f"/uploads/rejected/{rejected_id}/delete") == "/uploads/rejected"
    answer = client.post(f"/uploads/rejected/{rejected_id}/take-in", data={"camera": FRONT}, headers=PAGE)
    assert answer.status_code == 404
    assert "no longer here" in answer.text


def test_another_site_can_have_nothing_taken_in(rejecting: Rejecting, client: Client) -> None:
    rejected_id = rejecting.reject(jpeg(), NOBODY)
    forged = {**PAGE, "Sec-Fetch-Site": "cross-site"}
    assert client.post(f"/uploads/rejected/{rejected_id}/delete", headers=forged).status_code == 403
    assert rejecting.uploads.newest(0)[1] == 1
