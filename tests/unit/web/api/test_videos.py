"""Videos that cameras sent, over HTTP and on their pages: played in parts, under their type, gone with their event."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.messages import Detection
from tests.unit.web.api.conftest import House

FILM = bytes(range(256)) * 8


def shown(house: House, name: str = "a.mp4", **changes: object) -> Path:
    """An event with a video."""
    path = house.folder / "videos" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(FILM)
    house.shown("s1", video=str(path), origin="ftp", **changes)
    return path


def test_a_video_comes_as_a_whole_and_in_parts(house: House) -> None:
    shown(house)
    url = house.client.get("/api/snapshots/s1").json()["video_url"]
    whole = house.client.get(url)
    assert (whole.content, whole.headers["content-type"], whole.headers["accept-ranges"]) == (
        FILM,
        "video/mp4",
        "bytes",
    )
    assert whole.headers["x-content-type-options"] == "nosniff"
    part = house.client.get(url, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, FILM[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(FILM)}"
    assert house.client.get(url, headers={"Range": "bytes=9999-"}).status_code == 416
    assert house.client.get(url, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(
    ("name", "kind", "disposition"),
    [
        ("a.mov", "video/mp4", "inline"),
        ("a.webm", "video/webm", "inline"),
        ("a.avi", "video/x-msvideo", "inline"),
        ("a.dav", "application/octet-stream", "attachment"),
    ],
)
def test_each_comes_under_its_type(house: House, name: str, kind: str, disposition: str) -> None:
    shown(house, name)
    answer = house.client.get("/api/snapshots/s1/video")
    assert (answer.headers["content-type"], answer.headers["content-disposition"].split(";")[0]) == (kind, disposition)


def test_what_is_not_there_is_said(house: House) -> None:
    house.shown("s2")
    assert house.client.get("/api/snapshots/s2").json()["video_url"] is None
    assert house.client.get("/api/snapshots/s2/video").json()["error"].startswith("no_video: ")
    shown(house).unlink()
    gone = house.client.get("/api/snapshots/s1/video")
    assert (gone.status_code, gone.json()["error"].partition(":")[0]) == (404, "video_gone")


def test_a_video_goes_with_its_event(house: House) -> None:
    path = shown(house)
    assert house.client.delete("/api/snapshots/s1").status_code == 204
    assert not path.exists()
    assert house.context.journal.video_claims(["s1"])["s1"].gone


def test_its_page_plays_it_and_its_card_says_what_it_is(house: House) -> None:
    shown(house, detection=Detection())
    page = house.client.get("/snapshots/s1").text
    assert '<video controls playsinline preload="metadata" poster="/api/snapshots/s1/preview"' in page
    assert 'src="/api/snapshots/s1/video"' in page
    card = house.client.get("/").text
    assert 'title="Video"' in card
    assert ": video" in card


def test_one_that_browsers_do_not_play_is_to_be_downloaded(house: House) -> None:
    shown(house, "a.dav", path="", size=0)
    page = house.client.get("/snapshots/s1").text
    assert "<video" not in page
    assert "Browsers do not play this kind of video (dav)" in page
    assert 'href="/api/snapshots/s1/video" download' in page
