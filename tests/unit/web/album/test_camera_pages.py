"""The cameras' pages: what each says of a camera that works, fails, or was never tried, and what follows the stream."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest

from app.messages import Detection
from app.web.application import application
from app.web.context import CameraInfo, CameraReach, FtpReach, WebContext
from pylib.runtime.circuit_breaker import State
from tests.fakes.web import FRONT, KITCHEN, NOW, Client, close, parts_for, serving, shown
from tests.unit.web.album.pages import PAGE, look, read

PART = {**PAGE, "HX-Request": "true"}
REFUSED = "login_refused: the camera refused the login"


def failing(context: WebContext, tmp_path: Path) -> None:
    """The front camera has a good picture, and then refuses the login three times."""
    context.outcomes.expect("camera", FRONT, title="Front", kind="still")
    shown(context, tmp_path, "good")
    context.outcomes.report("camera", FRONT, "ok")
    for number in range(3):
        taken_at = NOW + timedelta(minutes=number + 1)
        shown(context, tmp_path, f"bad{number}", taken_at=taken_at, problem=REFUSED, path="", detection=Detection())
        context.outcomes.report("camera", FRONT, REFUSED)


def test_a_camera_that_was_never_asked_is_not_said_to_work(context: WebContext, client: Client) -> None:
    context.outcomes.expect("camera", FRONT, title="Front", kind="still")
    page = look(client, "/cameras")
    assert page.text.count("not tried yet") == 2
    assert not page.all("p", "lamp-closed")


def test_one_that_answered_works(context: WebContext, client: Client) -> None:
    context.outcomes.expect("camera", FRONT, title="Front", kind="still")
    context.outcomes.report("camera", FRONT, "ok")
    assert len(look(client, "/cameras").all("p", "lamp-closed")) == 1


def test_a_failing_camera_shows_its_last_good_picture_and_why(
    tmp_path: Path, context: WebContext, client: Client
) -> None:
    context.outcomes._now = lambda: NOW.timestamp() + 60  # the first failure
    failing(context, tmp_path)
    tiles = look(client, "/cameras")
    assert [tile["id"] for tile in tiles.all("li", "is-offline")] == ["tile-front-door-camera"]
    assert [image["src"] for image in tiles.all("img")] == ["/api/snapshots/good/thumbnail"]
    assert ", 05:07: login refused" in tiles.text
    page = look(client, "/cameras/front-door")
    assert page.all("a", "hero")[0]["href"] == "/snapshots/good"
    assert "Last good picture" in page.text
    assert "The camera refused the login." in page.text
    assert "Test it now" in page.text


def test_one_that_failed_today_says_the_time_only(tmp_path: Path, context: WebContext, client: Client) -> None:
    failing(context, tmp_path)
    assert "Offline since" in look(client, "/cameras").text
    assert "Today" not in look(client, "/cameras").text.partition("Offline since")[2][:30]


def test_its_page_says_how_it_is_reached_without_a_password(tmp_path: Path) -> None:
    reach = CameraReach(
        "still", "192.0.2.9:88", FtpReach("", 2121, "cams", "/uploads/snapshots/front"), "front@home", 2525
    )
    face = CameraInfo("Front", lambda: State.CLOSED, lambda: 0.0, reach=lambda: reach)
    context = parts_for(tmp_path, cameras={FRONT: face})
    with serving(application(context)) as client:
        page = look(client, "/cameras/front-door")
        for said in ("192.0.2.9:88", "to 127.0.0.1, port 2121, as user cams", "/uploads/snapshots/front", "front@home"):
            assert said in page.text
        assert page.all("details", "reach")[0]["open"] == ""  # nothing ever came
        shown(context, tmp_path, "s1")
        assert "open" not in look(client, "/cameras/front-door").all("details", "reach")[0]
    close(context)


def test_a_camera_that_was_removed_keeps_its_name(tmp_path: Path) -> None:
    context = parts_for(tmp_path)
    shown(context, tmp_path, "s1", camera=KITCHEN)
    fewer = parts_for(tmp_path, cameras={FRONT: CameraInfo("Front", lambda: State.CLOSED, lambda: 0.0)})
    with serving(application(fewer)) as client:
        page = look(client, "/cameras/k%C3%BCche-camera")
        assert "no longer configured" in page.text
        assert "Take a picture" not in page.text
        for path in ("/", "/?camera=K%C3%BCche+Camera"):
            assert "Küche" in look(client, path).text
            assert KITCHEN not in look(client, path).text
    close(fewer)
    close(context)


def test_somebody_who_asks_ends_the_pause(tmp_path: Path) -> None:
    asked: list[str] = []
    face = CameraInfo("Front", lambda: State.OPEN, lambda: 60.0, try_now=lambda: asked.append("front"))
    context = parts_for(tmp_path, cameras={FRONT: face})
    with serving(application(context)) as client:
        part = client.post("/cameras/front-door/trigger", headers=PART)
        assert asked == ["front"]
        assert "Taking a picture" in part.text
    close(context)


def test_what_was_asked_for_is_waited_for_and_shown_where_it_was_asked(
    context: WebContext, client: Client, tmp_path: Path
) -> None:
    waits = read(client.post("/cameras/front-door/trigger", headers=PART).text)
    address = waits.all("p", "taking")[0]["hx-get"]
    event_id = address.split("/")[2]
    answers: list[str] = []
    waiting = Thread(target=lambda: answers.append(client.get(address, headers=PART).text))
    waiting.start()
    inspection = shown(context, tmp_path, event_id)
    while waiting.is_alive():
        context.live.handle(inspection)
        waiting.join(0.02)
    assert f"/api/snapshots/{event_id}/thumbnail" in answers[0]


def test_a_failure_is_shown_where_it_was_asked_with_what_to_do(
    context: WebContext, client: Client, tmp_path: Path
) -> None:
    shown(context, tmp_path, "s1", problem=REFUSED, path="", detection=Detection())
    part = read(client.get("/snapshots/s1/taken", headers=PART).text)
    assert "No picture." in part.text
    assert "the camera refused the login" in part.text
    assert not part.all("p", "taking")


def test_without_javascript_the_camera_s_page_waits(context: WebContext, client: Client, tmp_path: Path) -> None:
    waits = client.get("/cameras/front-door?asked=s1", headers=PAGE)
    assert waits.headers["Refresh"] == "3"
    assert "On its way" in waits.text
    shown(context, tmp_path, "s1")
    there = client.get("/cameras/front-door?asked=s1", headers=PAGE)
    assert (there.status_code, there.headers["location"]) == (303, "/snapshots/s1")


@pytest.mark.parametrize(
    ("address", "parts"),
    [("/live/tiles", ['id="tile-front-door-camera"']), ("/live/cameras", ['id="camera-state"', 'id="camera-hero"'])],
)
def test_open_pages_get_what_an_event_changes(
    context: WebContext, client: Client, tmp_path: Path, address: str, parts: list[str]
) -> None:
    first = shown(context, tmp_path, "first")
    shown(context, tmp_path, "s1", taken_at=NOW + timedelta(minutes=1))
    answer = client.get(f"{address}?camera=front-door&last_event_id={first.id}", stream=True)
    lines = answer.iter_lines(decode_unicode=True)
    sent = ""
    while "</article>" not in sent if "cameras" in address else "</li>" not in sent:
        sent += next(lines) + "\n"
    answer.close()
    assert "event: camera" in sent
    assert all(part in sent for part in parts)
    assert "/api/snapshots/s1/" in sent


def test_there_is_no_other_stream(client: Client) -> None:
    assert client.get("/live/secrets").status_code == 404


def test_where_no_camera_is_configured_the_page_says_what_to_write(tmp_path: Path) -> None:
    context = parts_for(tmp_path, cameras={})
    with serving(application(context)) as client:
        for path in ("/", "/cameras"):
            page = look(client, path)
            assert "kind: onvif" in page.text
            assert "show up here" not in page.text
    close(context)
