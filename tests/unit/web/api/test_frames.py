"""The frames of a burst over HTTP, and on the event's page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PIL import Image

from app.journal import Medium
from app.messages import Burst
from app.web.links import Links
from tests.fakes.bursts import NOW, walker
from tests.fakes.pictures import decoded, encoded
from tests.fakes.web import FRONT
from tests.unit.web.api.conftest import House


def shown(house: House) -> None:
    """An event of three pictures."""
    house.shown("s1", frames=3, burst=Burst(3))
    media = house.context.media
    paths = [media.store(walker(at), event_id="s1", name=f"{at:02d}.jpg") for at in range(3)]
    frames = [
        Medium(*(f"f{at}", "frame", "jpeg", FRONT, str(path), 9, 320, 180, NOW), snapshot="s1", position=at)
        for at, path in enumerate(paths)
    ]
    house.context.journal.record_media(frames)


def test_the_frames_of_an_event_come_one_by_one(house: House) -> None:
    shown(house)
    listed = house.client.get("/api/snapshots/s1").json()["frame_pictures"]
    assert [(one["number"], one["url"]) for one in listed] == [(n, f"/api/snapshots/s1/frames/{n}") for n in range(3)]
    answers = [house.client.get(one["url"]) for one in listed]
    assert [answer.content for answer in answers] == [walker(at) for at in range(3)]
    assert len({answer.headers["etag"] for answer in answers}) == 3
    assert "immutable" in answers[0].headers["cache-control"]
    again = house.client.get(listed[1]["url"], headers={"If-None-Match": answers[1].headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    small = house.client.get("/api/snapshots/s1/frames/2?thumbnail=true")
    assert (decoded(small.content).size, small.headers["etag"] != answers[2].headers["etag"]) == ((320, 180), True)


def test_what_is_no_frame_is_said(house: House) -> None:
    shown(house)
    assert house.client.get("/api/snapshots/s1/frames/3").json()["error"].startswith("no_such_frame: there are 3")
    assert house.client.get("/api/snapshots/s1/frames/01").status_code == 404
    assert house.client.get("/api/snapshots/s2/frames/0").status_code == 404
    house.context.media.drop("s1")
    for query in ("", "?thumbnail=true"):
        answer = house.client.get(f"/api/snapshots/s1/frames/1{query}")
        assert (answer.status_code, answer.json()["error"].partition(":")[0]) == (404, "picture_gone")


def test_a_link_opens_one_frame_and_no_other(house: House) -> None:
    shown(house)
    made = house.client.post("/api/snapshots/s1/link", json={"frame": 1}).json()["url"]
    path, _, query = made.partition("?")
    links: Links = house.context.links
    assert path.endswith("/api/snapshots/s1/frames/1")
    opened = [at for at in range(3) if links.permits(f"/api/snapshots/s1/frames/{at}", query)]
    assert (opened, links.permits("/api/snapshots/s1/image", query)) == ([1], False)
    file = house.context.media.path("s1", "01.jpg")
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    file.write_bytes(encoded(decoded(walker(1)), quality="keep", exif=exif.tobytes()))
    linked, own = (house.client.get(f"/api/snapshots/s1/frames/1{signed}") for signed in (f"?{query}", ""))
    assert (own.content, b"Maker" in linked.content) == (file.read_bytes(), False)
    assert decoded(linked.content).tobytes() == decoded(own.content).tobytes()
    assert linked.headers["etag"] != own.headers["etag"]


def test_a_trigger_asks_for_several_pictures(house: House) -> None:
    answer = house.client.post("/api/cameras/front-door/trigger", json={"burst": {"frames": 4, "look": "person"}})
    (trigger,) = house.context.journal.accepted(older_than=-1)
    assert (answer.status_code, trigger.burst) == (202, Burst(4, look="person"))
    refused = house.client.post("/api/cameras/front-door/trigger", json={"burst": {"frames": 31}})
    assert refused.status_code == 400


def test_the_page_shows_them_all_without_scripts(house: House) -> None:
    shown(house)
    page = house.client.get("/snapshots/s1", headers={"Accept": "text/html"}).text
    assert [page.count(f'src="/api/snapshots/s1/frames/{at}?thumbnail=true"') for at in range(3)] == [1, 1, 1]
    assert "Picture 3 of 3" in page


def test_frames_are_deleted_with_their_event(house: House) -> None:
    shown(house)
    assert house.client.ask("DELETE", "/api/snapshots/s1").status_code == 204
    assert house.context.journal.media_of("s1") == []
    assert not [*Path(house.folder, "media").rglob("*.jpg")]


def test_a_picture_is_not_shown_while_more_are_taken(house: House) -> None:
    snapshot = house.shown("s1").snapshot
    house.context.journal.record(replace(snapshot, id="s2", burst=Burst(3)))
    assert house.client.get("/api/snapshots/s2").json()["image_url"] is None
