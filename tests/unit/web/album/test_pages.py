"""What people see in the album, read as a browser without JavaScript reads it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from app.journal.entries import Correction
from app.messages import Box, Detection, Label
from app.web.album.grid_pages import PAGE as PAGE_CARDS
from app.web.application import application
from app.web.context import CameraInfo, WebContext
from app.web.settings import WebSettings
from pylib.observability.health import Status
from pylib.runtime.circuit_breaker import State
from tests.fakes.camera_config import FakeCameraConfig
from tests.fakes.detectors import PERSON
from tests.fakes.web import FRONT, KITCHEN, NOW, Client, album, close, parts_for, serving, shown
from tests.unit.web.album.pages import PAGE, Read, look, read

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
DOG = Detection((Label("Dog", 0.8),))


def test_the_grid_shows_the_newest_first_under_its_day(context: WebContext, client: Client, tmp_path: Path) -> None:
    shown(context, tmp_path, "old", taken_at=NOW - timedelta(days=1))
    shown(context, tmp_path, "new", taken_at=NOW)
    page = look(client, "/")
    assert page.cards == ["new", "old"]
    assert [day["data-day"] for day in page.all("h2", "day")] == ["2026-03-04", "2026-03-03"]


def test_a_card_says_what_was_seen_where_and_when(context: WebContext, client: Client, tmp_path: Path) -> None:
    shown(context, tmp_path, "s1")
    page = look(client, "/")
    (picture,) = page.all("img")
    assert picture["alt"].startswith("Front, ")
    assert picture["alt"].endswith(" 05:06: 1 person")
    assert picture["src"] == "/api/snapshots/s1/thumbnail"
    assert (picture["width"], picture["height"], picture["loading"]) == ("320", "240", "lazy")
    assert page.all("time")[0]["datetime"] == "2026-03-04T05:06:07+00:00"


def test_times_are_the_home_s(tmp_path: Path) -> None:
    context = parts_for(tmp_path, zone=ZoneInfo("Asia/Tokyo"))
    shown(context, tmp_path, "s1", taken_at=NOW.replace(hour=20))
    with serving(application(context)) as client:
        page = look(client, "/")
    assert page.all("h2", "day")[0]["data-day"] == "2026-03-05"
    assert "05:06:07" in page.text
    close(context)


def test_older_pages_go_on_where_the_first_one_ends(context: WebContext, client: Client, tmp_path: Path) -> None:
    events = album(context, tmp_path, PAGE_CARDS + 10)
    first = look(client, "/?by=picture")
    older = next(link["href"] for link in first.all("a") if link.get("rel") == "next")
    second = look(client, older)
    assert first.cards + second.cards == [event.id for event in events]
    assert "Back to the newest" in second.text
    assert not [link for link in second.all("a") if link.get("rel") == "next"]


def test_a_page_loaded_below_another_repeats_neither_heading_nor_frame(
    context: WebContext, client: Client, tmp_path: Path
) -> None:
    album(context, tmp_path, PAGE_CARDS + 1)
    older = next(link["href"] for link in look(client, "/?by=picture").all("a") if link.get("rel") == "next")
    part = read(client.get(older, headers={**PAGE, "HX-Request": "true"}).text)
    assert len(part.cards) == 1
    assert not part.all("h2")
    assert not part.all("html")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("person=true", ["person"]),
        ("label=dog", ["dog"]),
        ("camera=k%C3%BCche", ["dog"]),
        ("camera=K%C3%BCche+Camera", ["dog"]),
        ("confidence=0.85", ["person"]),
        ("problem=true", ["none"]),
        ("starred=true", ["dog"]),
        ("day=2026-03-03", ["none"]),
        ("q=parcel", ["person"]),
        ("since=2026-03-04T05:00", ["dog", "person"]),
        ("", ["dog", "person", "none"]),
    ],
)
def test_filters_choose(context: WebContext, client: Client, tmp_path: Path, query: str, expected: list[str]) -> None:
    shown(context, tmp_path, "person")
    shown(context, tmp_path, "dog", camera=KITCHEN, detection=DOG, taken_at=NOW + timedelta(minutes=1))
    shown(
        context, tmp_path, "none", detection=Detection(), problem="timeout: no answer", taken_at=NOW - timedelta(days=1)
    )
    context.journal.change("dog", starred=True)
    context.journal.change("person", note="a parcel")
    assert look(client, f"/?{query}").cards == expected


def test_links_keep_the_filters_and_each_filter_can_be_taken_away(
    context: WebContext, client: Client, tmp_path: Path
) -> None:
    album(context, tmp_path, PAGE_CARDS + 1)
    page = look(client, "/?person=true&confidence=0.5&by=picture")
    kept = {"person": ["true"], "confidence": ["0.5"], "by": ["picture"]}
    chip = page.all("a", "chip")[0]["href"]
    card = page.all("a", "shot")[0]["href"]
    older = next(link["href"] for link in page.all("a") if link.get("rel") == "next")
    assert parse_qs(urlsplit(chip).query) == {**kept, "label": ["Person"]}
    assert parse_qs(urlsplit(card).query) == kept
    assert kept.items() <= parse_qs(urlsplit(older).query).items()
    without = {link["aria-label"]: parse_qs(urlsplit(link["href"]).query) for link in page.all("a", "is-set")}
    assert without == {
        "Remove filter: at least 50% sure": {"person": ["true"], "by": ["picture"]},
        "Remove filter: People": {"confidence": ["0.5"], "by": ["picture"]},
    }


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("day=tomorrow", "“Day” must be a day such as 2026-11-21."),
        ("confidence=2", "“How sure” must be at most 1."),
        ("person=maybe", "“People” must be yes or no."),
        ("before=x", "The place in the list must be the `next` of a page"),
        ("since=x", "The begin of the time must be a day and a time such as 2026-11-21T14:00."),
        ("q=" + "x" * 201, "The search must have at most 200 characters."),
        ("confidence=2&starred=x", "“How sure” must be at most 1. “Starred” must be yes or no."),
    ],
)
def test_what_makes_no_sense_gets_a_page_that_names_the_field_in_words(client: Client, query: str, said: str) -> None:
    page = look(client, f"/?{query}", status=400)
    assert "That was not understood" in page.text
    assert said in page.text


def test_parameters_of_others_are_passed_over(context: WebContext, client: Client, tmp_path: Path) -> None:
    shown(context, tmp_path, "s1")
    assert look(client, "/?utm_source=mail").cards == ["s1"]


def test_an_empty_album_offers_to_take_the_first_picture(client: Client) -> None:
    page = look(client, "/")
    assert "Nothing yet" in page.text
    assert [form["action"] for form in page.all("form", "shutter")] == [
        "/cameras/front-door-camera/trigger",
        "/cameras/k%C3%BCche-camera/trigger",
    ]


def test_filters_that_leave_nothing_say_so(context: WebContext, client: Client, tmp_path: Path) -> None:
    shown(context, tmp_path)
    page = look(client, "/?q=unheard")
    assert "Nothing matches" in page.text
    assert not page.all("form", "shutter")


def test_a_visit_that_is_gone_is_explained_by_what_this_house_has(context: WebContext, client: Client) -> None:
    gone = look(client, "/?visit=77").text
    assert ("There is no such visit, or its pictures were deleted." in gone) == (context.index is context.journal)
    assert ("the index of all machines was away" in gone) == (context.index is not context.journal)


def test_nothing_that_people_or_cameras_say_becomes_markup(tmp_path: Path) -> None:
    face = CameraInfo(HOSTILE, lambda: State.CLOSED, lambda: 0.0)
    context = parts_for(tmp_path, cameras={FRONT: face})
    seen = Detection((Label(HOSTILE, 0.9, (Box(0, 0, 1, 1),)),))
    shown(context, tmp_path, "s1", detection=seen, label=HOSTILE)
    shown(context, tmp_path, "s2", detection=Detection(), label=HOSTILE, problem=f"timeout: {HOSTILE}")
    context.journal.change("s1", note=HOSTILE, correction=Correction((HOSTILE,)))
    context.journal.describe("s1", HOSTILE)
    plain = len(look_all(context, "/status").all("script"))
    for path in ("/", "/?q=%3Cscript%3E&label=%22%3E%3Cscript%3E", "/snapshots/s1", "/snapshots/s2", "/cameras"):
        page = look_all(context, path)
        assert len(page.all("script")) == plain
        assert not [image for image in page.all("img") if "onerror" in image]
        assert not [attributes for _, attributes in page.tags if "style" in attributes]
    close(context)


def look_all(context: WebContext, path: str) -> Read:
    with serving(application(context)) as client:
        return look(client, path)


@pytest.mark.parametrize("path", ["/", "/snapshots/s1", "/cameras", "/cameras/front-door", "/status", "/upload"])
def test_every_address_begins_with_the_prefix_and_stays_here(tmp_path: Path, path: str) -> None:
    context = parts_for(tmp_path, settings=WebSettings(public_url="http://127.0.0.1/cams"), archives=())
    shown(context, tmp_path, "s1", detection=DOG)
    with serving(application(context)) as client:
        page = look(client, f"/cams{path}")
        assert page.addresses
        assert all(address.startswith("/cams/") for address in page.addresses)
        assert client.get("/cams/manifest.webmanifest").json()["start_url"] == "/cams/"
    close(context)


def test_a_picture_s_page_has_its_neighbours_under_the_filter(
    context: WebContext, client: Client, tmp_path: Path
) -> None:
    for number in range(5):
        taken_at = NOW + timedelta(minutes=number)
        shown(context, tmp_path, f"s{number}", taken_at=taken_at, detection=PERSON if number % 2 == 0 else DOG)
    turns = look(client, "/snapshots/s2?person=true").all("a", "turn")
    assert [turn["href"] for turn in turns] == ["/snapshots/s4?person=true", "/snapshots/s0?person=true"]


def test_a_picture_s_page_shows_the_same_moment_elsewhere(context: WebContext, client: Client, tmp_path: Path) -> None:
    shown(context, tmp_path, "s1")
    shown(context, tmp_path, "s2", camera=KITCHEN, taken_at=NOW + timedelta(seconds=3))
    page = look(client, "/snapshots/s1")
    assert "The same moment" in page.text
    assert "/snapshots/s2" in page.addresses


def test_boxes_can_be_seen_without_javascript(context: WebContext, client: Client, tmp_path: Path) -> None:
    shown(context, tmp_path, "s1")
    page = look(client, "/snapshots/s1?person=true")
    boxes = next(link["href"] for link in page.all("a") if "data-boxes-toggle" in link)
    assert page.all("img")[0]["src"] == "/api/snapshots/s1/preview"
    with_boxes = look(client, boxes)
    assert with_boxes.all("img")[0]["src"] == "/api/snapshots/s1/annotated"
    assert "/snapshots/s1?person=true" in with_boxes.addresses


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        ("timeout: 10.0.0.7 did not answer within 10 s", "The camera did not answer in time."),
        ("something_new: with a reason", "Something went wrong."),
    ],
)
def test_a_picture_that_is_not_there_is_explained(
    context: WebContext, client: Client, tmp_path: Path, problem: str, sentence: str
) -> None:
    shown(context, tmp_path, "s1", problem=problem, path="", detection=Detection())
    page = look(client, "/snapshots/s1")
    assert sentence in page.text
    assert problem.partition(": ")[2] in page.text
    assert not page.all("img")


def test_a_correction_stands_beside_what_the_detector_said(context: WebContext, client: Client, tmp_path: Path) -> None:
    shown(context, tmp_path, "s1", detection=DOG)
    context.journal.change("s1", correction=Correction(("Fox",)))
    page = look(client, "/snapshots/s1")
    assert [parse_qs(urlsplit(chip["href"]).query)["label"] for chip in page.all("a", "chip")] == [["Fox"]]
    assert "fake saw: Dog 80" in page.text


def test_an_unknown_picture_is_a_page_with_a_way_back(client: Client) -> None:
    page = look(client, "/snapshots/never", status=404)
    assert "Not here" in page.text
    assert "/" in page.addresses


def test_a_camera_s_page_says_how_it_is_treated(tmp_path: Path) -> None:
    context = parts_for(tmp_path, cameras={FRONT: CameraInfo("Front", lambda: State.OPEN, lambda: 23.4)})
    shown(context, tmp_path, "s1")
    with serving(application(context)) as client:
        page = look(client, "/cameras/front-door")
        assert "paused for 23 s after failing" in page.text
        assert page.cards == ["s1"]
        assert "paused for 23 s after failing" in look(client, "/cameras").text
    close(context)


def test_masks_of_the_configuration_are_shown_and_cannot_be_edited(tmp_path: Path) -> None:
    masks = (((0.0, 0.0), (0.25, 0.0), (0.25, 0.5)),)
    context = parts_for(tmp_path, cameras={FRONT: CameraInfo("Front", lambda: State.CLOSED, lambda: 0.0, masks)})
    shown(context, tmp_path, "s1")
    with serving(application(context)) as client:
        page = client.get("/cameras/front-door").text
        assert '<polygon class="zone is-private" points="0.0,0.0 0.25,0.0 0.25,0.5 "/>' in page
        assert "privacy mask of the configuration" in page
        assert "data-zone-edit" not in page
    close(context)


def test_a_camera_that_is_configured_no_more_keeps_its_pictures(tmp_path: Path) -> None:
    context = parts_for(tmp_path)
    shown(context, tmp_path, "s1")
    fewer = parts_for(tmp_path, cameras={}, camera_config=FakeCameraConfig())
    with serving(application(fewer)) as client:
        page = look(client, "/cameras/front-door-camera")
        assert page.cards == ["s1"]
        assert not page.all("form", "shutter")
        assert not [link for link in page.all("a") if link["href"] == "/settings/cameras/front-door-camera"]
    close(fewer)
    close(context)


def test_a_picture_that_is_being_looked_at_is_waited_for(context: WebContext, client: Client, tmp_path: Path) -> None:
    seen = shown(context, tmp_path)
    context.journal.record(replace(seen.snapshot, id="fresh"))
    answer = client.get("/snapshots/fresh", headers=PAGE)
    assert (answer.status_code, answer.headers["Refresh"]) == (202, "1")
    assert "being looked at" in answer.text


def test_status_says_what_needs_attention(context: WebContext, client: Client) -> None:
    context.health.add("disk", lambda: Status(ok=True, detail="41.2 GB free"))
    context.health.add("fetch", lambda: Status(ok=True), live=True)
    assert "All systems working" in look(client, "/status").text
    context.health.add("broker", lambda: Status(ok=False, detail="not connected: listener"))
    page = look(client, "/status")
    assert "Needs attention" in page.text
    assert "Not connected: listener" in page.text
    assert "The archive folder" in page.text
    assert "Detector: fake.onnx (YOLOX) by hand" in page.text
    assert "Look yourself" in page.text


def test_an_archive_that_is_late_needs_attention_and_is_told_of_once(context: WebContext, client: Client) -> None:
    context.outcomes.expect("archive", "folder", title="the archive folder", kind="folder", tolerance=0)
    late = Status(ok=False, detail="7 pictures wait")
    context.health.add("archived to folder", lambda: late, critical=False, alarm=True)
    page = look(client, "/status")
    assert "Needs attention" in page.text
    assert page.text.count("he archive folder") == 2  # in the summary and in its row


def test_static_files_are_kept_for_ever_under_their_hash_only(client: Client) -> None:
    css = look(client, "/").all("link")
    address = next(link["href"] for link in css if link["href"].endswith("album.css"))
    served = client.get(address)
    assert served.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert served.headers["content-type"].startswith("text/css")
    assert served.headers["content-encoding"] == "gzip"
    version = address.split("/")[2]
    assert client.get(address.replace(version, "0123456789ab")).headers["cache-control"] == "no-cache"
    assert client.get(f"/static/{version}/../pages.py").status_code == 404
    assert client.get(f"/static/{version}/nothing.css").status_code == 404


def test_pages_load_nothing_that_is_not_there(context: WebContext, client: Client, tmp_path: Path) -> None:
    shown(context, tmp_path, "s1")
    page = look(client, "/")
    loaded = [link["href"] for link in page.all("link")] + [script["src"] for script in page.all("script")]
    assert len(loaded) >= 7
    assert [address for address in loaded if client.get(address).status_code != 200] == []
    icons = {use["href"] for use in page.all("use")}
    assert icons <= {f"#{symbol['id']}" for symbol in page.all("symbol")}


def test_a_picture_whose_file_is_missing_has_a_tile_that_says_so(
    context: WebContext, client: Client, tmp_path: Path
) -> None:
    lost, there = shown(context, tmp_path, "lost"), shown(context, tmp_path, "there")
    Path(lost.snapshot.path).unlink()
    assert Path(there.snapshot.path).exists()
    page = look(client, "/?by=picture")
    assert [image["src"] for image in page.all("img")] == ["/api/snapshots/there/thumbnail"]
    assert "File missing" in page.text
    for path, said in (("/snapshots/lost", "taken away by something else"), ("/cameras/front-door", "File missing")):
        page = look(client, path)
        assert said in page.text
        assert not [image for image in page.all("img") if "lost" in image["src"]]
