"""The pages of configured cameras: what is asked of each make, what comes of the form, and what is never shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from app.web.album.camera_form import CameraForm
from app.web.album.camera_makes import make_of, makes
from app.web.application import application
from app.web.camera_config import CameraList, ConfiguredCamera, TriedCamera, Unwritable
from app.web.context import WebContext
from app.web.errors import Conflict, Unprocessable
from tests.fakes.camera_config import CAMERAS, FakeCameraConfig
from tests.fakes.web import FRONT, Client, serving
from tests.unit.web.album.pages import PAGE, look, read

HERE = "/settings/cameras"
KINDS = ("foscam", "still", "onvif", "rtsp", "v4l2", "file", "demo")


@pytest.fixture
def config() -> FakeCameraConfig:
    return FakeCameraConfig()


@pytest.fixture
def client(context: WebContext, config: FakeCameraConfig) -> Iterator[Client]:
    with serving(application(replace(context, camera_config=config))) as client:
        yield client


def form(make: str, camera: ConfiguredCamera | None = None) -> CameraForm:
    return CameraForm(next(each for each in makes(KINDS) if each.id == make), camera)


def asked(make: str) -> list[str]:
    return [field.name for field in form(make).fields()[0]]


def test_a_make_asks_for_what_it_needs_and_the_rest_stands_behind() -> None:
    assert asked("still:hikvision") == ["location", "label", "address", "https", "channel", "username", "password"]
    assert asked("still:frigate")[4] == "stream"
    assert asked("still") == asked("rtsp") == ["location", "label", "url", "username", "password"]
    assert asked("file") == ["location", "label", "path"]
    assert asked("push") == ["location", "label"]
    assert "timeout" in [field.name for field in form("foscam").fields()[1]]
    assert form("push").fields()[1] == []


@pytest.mark.parametrize("make", makes(KINDS), ids=lambda make: make.id)
def test_a_form_that_is_only_sent_back_says_nothing_but_the_make(make: Any) -> None:
    fields = [field for part in CameraForm(make, None).fields() for field in part]
    given = {field.name: [str(field.value)] for field in fields if field.input != "check" or field.value}
    values = CameraForm(make, None).values(given)
    assert values.keys() <= {"kind", "preset"}


def test_numbers_and_choices_come_as_what_they_are_and_nonsense_as_it_was_written() -> None:
    given = {"location": ["Yard"], "timeout": ["2,5"], "rotate": ["90"], "max_bytes": ["lots"], "verify": ["1"]}
    assert form("foscam").values({**given, "keep_metadata": ["1"], "password": [" p "]}) == {
        "kind": "foscam",
        "location": "Yard",
        "timeout": 2.5,
        "rotate": 90,
        "max_bytes": "lots",
        "password": " p ",
    }


def test_what_the_form_has_no_field_for_stays_and_another_make_drops_what_is_not_its_own() -> None:
    front = CAMERAS[0]
    values = form("still:axis", front).values({"address": ["cam"], "keep_metadata": ["1"], "verify": ["1"]})
    assert values == {"kind": "still", "preset": "axis", "address": "cam", "ring": {"seconds": 3}}
    hidden = ConfiguredCamera(FRONT, "still", {"kind": "still"}, frozenset({"url"}))
    other = form("still:axis", hidden).values({"address": ["cam"], "keep_metadata": ["1"], "verify": ["1"]})
    assert other["url"] is None
    assert make_of(KINDS, "still", "axis").title == "Axis"


def test_a_camera_is_added_with_what_the_form_says(client: Client, config: FakeCameraConfig) -> None:
    assert {"value": "still:axis"} in look(client, f"{HERE}/new").all("option")
    page = look(client, f"{HERE}/new?make=still:axis")
    assert {"type": "hidden", "name": "version", "value": "v1"} in page.all("input")
    data = {"make": "still:axis", "version": "v1", "location": "Yard", "address": "cam", "password": "pw"}
    answer = client.post(f"{HERE}/new", headers=PAGE, data={**data, "verify": "1", "keep_metadata": "1"})
    assert answer.status_code == 200
    assert "starts anew" in answer.text
    assert "pw" not in read(answer.text).text
    (wish,) = config.wishes
    expected = {"kind": "still", "preset": "axis", "location": "Yard", "address": "cam", "password": "pw"}
    assert (wish.values, wish.name, wish.version) == (expected, "", "v1")


def test_a_camera_that_sends_by_itself_shows_its_login_once(client: Client, config: FakeCameraConfig) -> None:
    answer = client.post(f"{HERE}/new", headers=PAGE, data={"make": "push", "location": "Yard"})
    for word in ("shown-once", "2121", "/uploads/snapshots/yard", "yard@home"):
        assert word in answer.text
    assert config.wishes[0].login
    assert "shown-once" not in client.get(HERE, headers=PAGE).text


def test_a_form_has_no_secret_and_names_what_comes_from_elsewhere(client: Client) -> None:
    page = look(client, f"{HERE}/front-door-camera")
    (password,) = [field for field in page.all("input") if field.get("name") == "password"]
    assert "value" not in password
    assert password["placeholder"] == "Unchanged"
    (timeout,) = [field for field in page.all("input") if field.get("name") == "timeout"]
    assert "disabled" in timeout
    assert "OUTPUT_1_TIMEOUT" in page.text
    assert "left as it is: ring" in page.text
    fixed = look(client, f"{HERE}/kuche-camera").text
    assert "it runs a program" in fixed
    assert "Save" not in fixed


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (
            Conflict("config_changed", "config.yml was changed by somebody else"),
            "config.yml was changed by somebody else.",
        ),
        (Unprocessable("bad_config", "address: expected host"), "Address: expected host."),
        (Unwritable("config.yml cannot be written", text="cameras:\n  - location: Yard\n"), "  - location: Yard"),
    ],
)
def test_what_is_refused_is_said_beside_what_was_written(
    client: Client, config: FakeCameraConfig, refusal: Any, words: str
) -> None:
    config.refusal = refusal
    data = {"make": "still:axis", "version": "v0", "location": "Yard", "address": "cam2", "password": "hush"}
    answer = client.post(f"{HERE}/new", headers=PAGE, data=data)
    assert answer.status_code == refusal.status
    page = read(answer.text)
    assert words in page.text
    values = {field.get("name"): field.get("value") for field in page.all("input")}
    assert (values["location"], values["address"], values["version"]) == ("Yard", "cam2", "v1")
    assert "hush" not in answer.text


def test_what_somebody_else_changed_meanwhile_is_taken_over_or_said(client: Client, config: FakeCameraConfig) -> None:
    page = look(client, f"{HERE}/front-door-camera")
    sent = {field["name"]: field.get("value", "") for field in page.all("input") if field["name"] != "login"}
    theirs = replace(CAMERAS[0], values={**CAMERAS[0].values, "address": "cam3", "label": "Porch"})
    config.known = CameraList("config.yml", "v2", (theirs, *CAMERAS[1:]))
    config.refusal = Conflict("config_changed", "config.yml was changed by somebody else")
    answer = client.post(f"{HERE}/front-door-camera", headers=PAGE, data={**sent, "label": "Door"})
    again = read(answer.text)
    values = {field.get("name"): field.get("value") for field in again.all("input")}
    assert (values["version"], values["label"], values["address"]) == ("v2", "Door", "cam3")
    assert "meanwhile: it is now Porch." in again.text
    assert "meanwhile: it is now cam3." in again.text
    assert again.text.count("meanwhile: ") == 2
    settled = client.post(f"{HERE}/front-door-camera", headers=PAGE, data={**sent, **values, "label": "Door"})
    assert "meanwhile: " not in read(settled.text).text


def test_a_camera_is_tried_with_javascript_and_without(client: Client, config: FakeCameraConfig) -> None:
    data = {"make": "still:axis", "camera": FRONT, "address": "cam"}
    part = client.post(f"{HERE}/test", headers={**PAGE, "HX-Request": "true"}, data=data)
    assert "<html" not in part.text
    (picture,) = read(part.text).all("img")
    shown = client.get(picture["src"])
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.content.startswith(b"\xff\xd8")
    assert config.wishes[0].name == FRONT
    assert read(client.post(f"{HERE}/test", headers=PAGE, data=data).text).all("img", "")[0]["src"]
    config.refusal = Unprocessable("login_again", "password: give it again")
    refused = client.post(f"{HERE}/test", headers={**PAGE, "HX-Request": "true"}, data=data)
    assert refused.status_code == 200
    assert "Password: give it again." in refused.text


def test_what_helps_ends_as_it_should(
    client: Client, config: FakeCameraConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = {"make": "still:axis", "camera": FRONT, "address": "cam"}
    for remedy, said in (("is its web interface on?", "Is its web interface on?<"), ("wait", "Wait.<")):
        tried = TriedCamera(0, problem="timeout", remedy=remedy)
        monkeypatch.setattr(config, "try_out", lambda wish, tried=tried: tried)
        part = client.post(f"{HERE}/test", headers={**PAGE, "HX-Request": "true"}, data=data)
        assert f"What helps: {said}" in part.text


def test_a_camera_is_removed_and_the_log_says_so(client: Client, config: FakeCameraConfig, context: WebContext) -> None:
    answer = client.post(f"{HERE}/front-door-camera/delete", headers=PAGE, data={"version": "v1"})
    assert answer.status_code == 200
    assert config.removed == [(FRONT, "v1")]
    assert "stay in the album" in look(client, f"{HERE}/front-door-camera").text
    (entry,) = context.journal.audited(limit=1)
    assert (entry.action, entry.subject) == ("remove camera", FRONT)


def test_a_change_that_was_taken_back_says_why_until_somebody_has_read_it(
    client: Client, config: FakeCameraConfig
) -> None:
    config.known = CameraList("config.yml", "v1", CAMERAS, refusal="the port is taken")
    assert "the port is taken" in look(client, f"{HERE}?saved={FRONT}").text
    assert client.post(f"{HERE}/seen", headers=PAGE).status_code == 303
    assert "runs with the new settings" in look(client, f"{HERE}?saved={FRONT}").text


def test_a_service_that_cannot_change_its_cameras_offers_nothing(context: WebContext) -> None:
    with serving(application(context)) as client:
        assert "Add a camera" not in look(client, "/cameras").text
        look(client, HERE, status=404)
