"""What people do in the album by plain forms."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest

from app.messages import Detection, Inspection, Snapshot
from app.web.context import WebContext
from tests.fakes.cameras import jpeg
from tests.fakes.web import FRONT, KITCHEN, NOW, Client, shown
from tests.unit.web.album.pages import PAGE, look, post, read


def test_a_star_leads_back_to_where_one_was(context: WebContext, client: Client, tmp_path: Path) -> None:
    shown(context, tmp_path, "s1")
    assert post(client, "/snapshots/s1/star", data={"starred": "1"}, came_from="/?person=true") == "/?person=true"
    assert look(client, "/?starred=true").cards == ["s1"]
    assert post(client, "/snapshots/s1/star", data={"starred": "0"}) == "/snapshots/s1"
    assert look(client, "/?starred=true").cards == []


@pytest.mark.parametrize(
    "path",
    [
        *(f"/snapshots/s1/{action}" for action in ("star", "review", "note", "labels", "look-again", "delete")),
        *("/cameras/Front%20Door%20Camera/trigger", "/archives/folder/retry", "/jobs/1/retry", "/jobs/1/forget"),
        "/bans/lift",
    ],
)
def test_whoever_follows_a_link_changes_nothing(context: WebContext, client: Client, tmp_path: Path, path: str) -> None:
    shown(context, tmp_path, "s1")
    assert client.get(path, headers=PAGE).status_code == 405


def test_a_form_never_leads_to_another_host(context: WebContext, client: Client, tmp_path: Path) -> None:
    shown(context, tmp_path, "s1")
    for path in ("//evil.example/x", "/\\evil.example"):
        assert post(client, "/snapshots/s1/star", data={"starred": "1"}, came_from=path) == path.replace(
            "//", "/"
        ).replace("/\\", "/")


def test_a_star_set_by_a_script_is_answered_with_the_button(
    context: WebContext, client: Client, tmp_path: Path
) -> None:
    shown(context, tmp_path, "s1")
    answer = client.post("/snapshots/s1/star", data={"starred": "1"}, headers={**PAGE, "HX-Request": "true"})
    part = read(answer.text)
    assert part.all("button")[0]["aria-pressed"] == "true"
    assert not part.all("html")


def test_a_note_is_kept_and_found(context: WebContext, client: Client, tmp_path: Path) -> None:
    shown(context, tmp_path, "s1")
    post(client, "/snapshots/s1/note", data={"note": "The parcel\r\nis behind the bench "})
    entry = context.journal.entry("s1")
    assert entry is not None
    assert entry.note == "The parcel\nis behind the bench"
    assert look(client, "/?q=bench").cards == ["s1"]


def test_a_note_that_is_too_long_is_refused(context: WebContext, client: Client, tmp_path: Path) -> None:
    shown(context, tmp_path, "s1")
    answer = client.post("/snapshots/s1/note", data={"note": "x" * 2001}, headers=PAGE)
    assert answer.status_code == 400
    assert "2000" in answer.text


@pytest.mark.parametrize("form", ["star", "note", "labels"])
@pytest.mark.parametrize("kind", ["data", "files"])
def test_no_form_but_the_upload_s_may_be_large(
    context: WebContext, client: Client, tmp_path: Path, form: str, kind: str
) -> None:
    shown(context, tmp_path, "s1")
    answer = client.post(f"/snapshots/s1/{form}", **{kind: {form: "x" * 300_000}}, headers=PAGE)
    assert answer.status_code == 413
    assert "65536 bytes" in answer.text


def test_a_form_has_no_file_where_none_belongs(context: WebContext, client: Client, tmp_path: Path) -> None:
    shown(context, tmp_path, "s1")
    assert client.post("/snapshots/s1/note", files={"note": "x"}, headers=PAGE).status_code == 400
    assert client.post("/snapshots/s1/note", files={"note": (None, "seen")}, headers=PAGE).status_code == 303
    assert look(client, "/?q=seen").cards == ["s1"]


def test_labels_are_corrected_and_the_correction_taken_back(
    context: WebContext, client: Client, tmp_path: Path
) -> None:
    shown(context, tmp_path, "s1")
    post(client, "/snapshots/s1/labels", data={"labels": " Dog, Fox,Dog, "})
    assert _corrected(context) == ("Dog", "Fox")
    post(client, "/snapshots/s1/labels", data={"labels": ""})
    assert _corrected(context) == ()
    post(client, "/snapshots/s1/labels", data={"labels": "Dog", "undo": "1"})
    assert _corrected(context) is None


def test_deleting_leads_to_the_next_one_of_those_that_were_looked_at_and_can_be_taken_back(
    context: WebContext, client: Client, tmp_path: Path
) -> None:
    for number, camera in enumerate((FRONT, KITCHEN, FRONT)):
        shown(context, tmp_path, f"s{number}", camera=camera, taken_at=NOW - timedelta(minutes=number))
    asked = post(client, "/snapshots/s0/delete?camera=front-door")
    assert asked.startswith("/snapshots/s2?camera=Front+Door+Camera&deleted=")
    page = look(client, asked)
    assert "Deleted." in page.text
    (undo,) = [form["action"] for form in page.all("form") if "/undo" in form["action"]]
    look(client, "/snapshots/s0", status=404)
    assert client.post("/snapshots/s0/delete", headers=PAGE).status_code == 404
    back = post(client, undo, came_from=asked)
    assert back == "/snapshots/s0?camera=Front+Door+Camera"
    assert "Deleted." not in look(client, asked).text
    assert client.post(undo, headers=PAGE).status_code == 409


def test_deleting_the_last_one_leads_to_the_grid(context: WebContext, client: Client, tmp_path: Path) -> None:
    shown(context, tmp_path, "s1")
    assert post(client, "/snapshots/s1/delete?person=true").startswith("/?person=true&deleted=")


def test_forms_for_pictures_that_are_not_there_say_so(client: Client) -> None:
    for action, data in (("star", {"starred": "1"}), ("note", {"note": "x"}), ("labels", {"labels": "x"})):
        assert client.post(f"/snapshots/never/{action}", data=data, headers=PAGE).status_code == 404


def test_a_picture_taken_now_is_shown(context: WebContext, client: Client, tmp_path: Path) -> None:
    def pipeline() -> None:
        trigger = next(iter(context.intake.poll(10)))
        taken = Snapshot(trigger.id, trigger.camera, trigger.label, trigger.timestamp, trigger.timestamp, 0.1, "http")
        inspection = Inspection(taken, "fake", Detection())
        context.journal.record(taken)
        context.journal.inspect(inspection)
        list(context.live.handle(inspection))

    worker = Thread(target=pipeline)
    worker.start()
    where = post(client, "/cameras/front-door-camera/trigger")
    worker.join(10)
    assert where.startswith("/snapshots/")
    look(client, where)


def test_an_unknown_camera_takes_no_picture(context: WebContext, client: Client) -> None:
    assert client.post("/cameras/cellar/trigger", headers=PAGE).status_code == 404
    assert list(context.intake.poll(0)) == []


def test_several_pictures_are_uploaded_by_one_form(context: WebContext, client: Client) -> None:
    files = [
        ("image", ("a.jpg", jpeg(320, 240), "image/jpeg")),
        ("image", ("<b>.txt", b"hello", "text/plain")),
    ]
    answer = client.post("/upload", data={"camera": "Front Door Camera", "note": "by hand"}, files=files, headers=PAGE)
    page = read(answer.text)
    assert answer.status_code == 422
    assert "It is in the album" in page.text
    assert "This is text, not a picture." in page.text
    assert "<b>.txt" in page.text
    assert not page.all("b", "txt")
    (snapshot,) = context.http_uploads.poll(1)
    assert snapshot.camera == "Front Door Camera"


def test_a_form_without_a_picture_says_what_is_missing(client: Client) -> None:
    files = [("image", ("", b"", "application/octet-stream"))]
    answer = client.post("/upload", data={"camera": "Front Door Camera"}, files=files, headers=PAGE)
    assert answer.status_code == 422
    assert "Choose at least one picture." in answer.text


def _corrected(context: WebContext) -> tuple[str, ...] | None:
    entry = context.journal.entry("s1")
    assert entry is not None
    return entry.corrected


def test_an_archive_is_tried_again_from_the_status_page(context: WebContext, client: Client, tmp_path: Path) -> None:
    lost = shown(context, tmp_path, targets=("folder",))
    context.journal.abandon(lost.id, "folder", problem="too_large: no")
    assert "Try again now" in look(client, "/status").text
    assert post(client, "/archives/folder/retry") == "/status"
    assert context.journal.backlog("folder").count == 1
    assert client.post("/archives/attic/retry", headers=PAGE).status_code == 404
