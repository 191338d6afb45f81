"""Pictures over HTTP: what they are, that browsers keep them, and where they went."""

from __future__ import annotations

import re
import time
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image

from app.media.picture import exif as exif_of
from app.media.picture import upright
from app.web.application import application
from app.web.settings import WebSettings
from pylib.settings.credentials import Secret
from tests.fakes.cameras import jpeg
from tests.fakes.pictures import busy, decoded, encoded
from tests.fakes.web import KITCHEN, close, parts_for, serving, shown
from tests.unit.web.api.conftest import House

KINDS = ["image", "thumbnail", "preview", "annotated"]


def test_a_picture_comes_as_it_was_taken(house: House) -> None:
    house.shown("s1", camera=KITCHEN)
    answer = house.client.get("/api/snapshots/s1/image")
    assert answer.content == jpeg(320, 240)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-disposition"] == "inline; filename*=utf-8''20260304-050607-k%C3%BCche-camera.jpg"


@pytest.mark.parametrize("kind", KINDS)
def test_every_picture_is_kept_by_browsers_and_asked_for_once(house: House, kind: str) -> None:
    house.shown("s1")
    first = house.client.get(f"/api/snapshots/s1/{kind}")
    assert first.content.startswith(b"\xff\xd8")
    assert first.headers["content-type"] == "image/jpeg"
    assert first.headers["cache-control"] == "private, max-age=31536000, immutable"
    again = house.client.get(f"/api/snapshots/s1/{kind}", headers={"If-None-Match": f'"x", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    for given, status in (('"another"', 200), ("*", 304)):
        assert house.client.get(f"/api/snapshots/s1/{kind}", headers={"If-None-Match": given}).status_code == status


def test_each_kind_is_a_picture_of_its_own(house: House) -> None:
    house.shown("s1", picture=jpeg(640, 480))
    answers = {kind: house.client.get(f"/api/snapshots/s1/{kind}") for kind in KINDS}
    sizes = {kind: decoded(answer.content).size for kind, answer in answers.items()}
    assert sizes == {"image": (640, 480), "thumbnail": (480, 360), "preview": (640, 480), "annotated": (640, 480)}
    assert len({answer.headers["etag"] for answer in answers.values()}) == len(KINDS)
    frame = decoded(answers["annotated"].content).getcolors(1 << 20) or []
    assert len(frame) > len(decoded(answers["preview"].content).getcolors(1 << 20) or [])


def test_a_thumbnail_has_the_width_that_is_asked_for_and_goes_with_its_picture(house: House) -> None:
    house.shown("s1", picture=jpeg(1280, 960))
    widths = house.context.thumbnail_widths
    answers = {width: house.client.get(f"/api/snapshots/s1/thumbnail?width={width}") for width in widths}
    assert {width: decoded(answer.content).width for width, answer in answers.items()} == {one: one for one in widths}
    usual = house.client.get("/api/snapshots/s1/thumbnail")
    assert answers[480].content == usual.content
    assert len({answer.headers["etag"] for answer in (*answers.values(), usual)}) == len(widths) + 1
    assert answers[160].headers["cache-control"] == usual.headers["cache-control"]
    kept = [path.name for path in (house.folder / "thumbnails").rglob("*.jpg")]
    assert sorted(kept) == ["s1-160.jpg", "s1-320.jpg", "s1-960.jpg", "s1-thumbnail.jpg"]
    assert house.client.ask("DELETE", "/api/snapshots/s1").status_code == 204
    assert [path for path in (house.folder / "thumbnails").rglob("*") if path.is_file()] == []


def test_another_width_is_refused_with_those_that_there_are(house: House) -> None:
    house.shown("s1")
    answers = [
        house.client.get("/api/snapshots/s1/thumbnail?width=161"),
        house.client.post("/api/snapshots/s1/link", json={"kind": "thumbnail", "width": 161}),
    ]
    for answer in answers:
        sentence = "unknown_width: thumbnails are 160, 320, 480, 960 pixels wide, not 161"
        assert (answer.status_code, answer.json()["error"]) == (422, sentence)
    for text in ("wide", "", "1.5"):
        answer = house.client.get(f"/api/snapshots/s1/thumbnail?width={text}")
        assert (answer.status_code, answer.json()["error"]) == (400, "bad_parameter: width: must be a whole number")
    assert house.client.get("/api/snapshots/s1/preview?width=160").status_code == 400


@pytest.mark.parametrize("wanted", [{}, {"kind": "image"}, {"kind": "thumbnail", "frame": 0}])
def test_a_link_to_anything_but_a_thumbnail_is_none_of_a_width(house: House, wanted: dict[str, object]) -> None:
    house.shown("s1")
    answer = house.client.post("/api/snapshots/s1/link", json={**wanted, "width": 160})
    assert (answer.status_code, answer.json()["error"].partition(":")[0]) == (422, "no_width")


@pytest.mark.parametrize("kind", KINDS)
def test_the_head_of_a_picture_is_its_headers(house: House, kind: str) -> None:
    house.shown("s1")
    whole = house.client.get(f"/api/snapshots/s1/{kind}")
    head = house.client.ask("HEAD", f"/api/snapshots/s1/{kind}")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))
    assert head.headers["etag"] == whole.headers["etag"]


def test_a_picture_is_called_what_it_was_found_to_be(house: House) -> None:
    page = house.folder / "page.png"
    page.write_bytes(b"<html><script>alert(1)</script>")
    house.shown("s1", path=str(page))
    answer = house.client.get("/api/snapshots/s1/image")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_is_not_there_is_a_404_that_says_why(house: House, kind: str) -> None:
    house.shown("failed", path="", size=0, problem="timeout: no answer")
    gone = house.shown("gone")
    Path(gone.snapshot.path).unlink()
    house.shown("let go", path="")
    failed = house.client.get(f"/api/snapshots/failed/{kind}")
    assert (failed.status_code, failed.json()["error"]) == (404, "no_picture: timeout: no answer")
    for event_id in ("gone", "let go"):
        left = house.client.get(f"/api/snapshots/{event_id}/{kind}")
        assert (left.status_code, left.json()["error"]) == (404, "picture_gone: the picture is no longer in the cache")
    assert house.client.get(f"/api/snapshots/never/{kind}").status_code == 404


def test_a_picture_that_left_the_cache_is_said_to_be_where_it_is_archived(house: House) -> None:
    gone = house.shown("gone", targets=("folder",))
    house.context.journal.delivered("gone", "folder", md5="0" * 32)
    Path(gone.snapshot.path).unlink()
    error = house.client.get("/api/snapshots/gone/image").json()["error"]
    assert error == "picture_gone: the picture is no longer in the cache; it is archived in folder"


def test_a_link_opens_one_picture_to_who_has_it(tmp_path: Path) -> None:
    context = parts_for(
        tmp_path, settings=WebSettings(password=Secret("right"), public_url="https://home.example/cameras")
    )
    shown(context, tmp_path, "s1")
    with serving(application(context)) as client:
        right, now = {"Authorization": "Bearer right"}, time.time()
        link = client.post("/api/snapshots/s1/link", json={"kind": "thumbnail", "seconds": 60}, headers=right).json()
        assert link["url"].startswith("https://home.example/cameras/api/snapshots/s1/thumbnail?")
        expires = datetime.fromisoformat(link["expires"]).timestamp()
        assert int(now) + 60 <= expires <= time.time() + 60
        assert abs(int(link["url"].partition("expires=")[2].partition("&")[0]) - expires) <= 1  # either asks the clock
        path = link["url"].removeprefix("https://home.example")
        assert client.get(path).status_code == 200
        assert client.get(path.replace("thumbnail", "image")).status_code in (401, 403)
        assert client.get(re.sub("expires=[0-9]+", "expires=9999999999", path)).status_code in (401, 403)
        assert client.get("/api/snapshots/s1").status_code == 401
        wanted = {"kind": "thumbnail", "width": 160}
        narrow = client.post("/api/snapshots/s1/link", json=wanted, headers=right).json()["url"]
        narrow = narrow.removeprefix("https://home.example")
        assert decoded(client.get(narrow).content).width == 160
        for other in (narrow.replace("width=160", "width=320"), narrow.replace("width=160&", ""), f"{path}&width=320"):
            assert client.get(other).status_code in (401, 403)
    close(context)


@pytest.mark.parametrize(
    "said", [{"kind": "negative"}, {"seconds": 0}, {"seconds": 10**9}, {"seconds": "60"}, {"x": 1}]
)
def test_a_link_that_cannot_be_made_is_refused(house: House, said: dict[str, object]) -> None:
    house.shown("s1")
    answer = house.client.post("/api/snapshots/s1/link", json=said)
    assert answer.status_code == 400
    assert next(iter(said)) in answer.json()["error"]


def test_a_link_gives_the_pixels_and_not_the_place(tmp_path: Path) -> None:
    context = parts_for(tmp_path, settings=WebSettings(password=Secret("right"), public_url="http://home.example"))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0)})
    picture = encoded(busy(64, 48), exif=exif.tobytes())
    shown(context, tmp_path, "s1", picture=picture)
    right = {"Authorization": "Bearer right"}
    with serving(application(context)) as client:
        own = client.get("/api/snapshots/s1/image", headers=right)
        link = client.post("/api/snapshots/s1/link", json={"kind": "image"}, headers=right).json()["url"]
        linked = client.get(link.removeprefix("http://home.example"))
        assert (own.content, linked.status_code) == (picture, 200)
        assert dict(exif_of(linked.content)) == {0x0112: 6}
        assert b"Maker" not in linked.content
        assert upright(linked.content).tobytes() == upright(picture).tobytes()
        assert linked.headers["content-type"] == "image/jpeg"
        assert linked.headers["etag"] != own.headers["etag"]
        again = client.get(link.removeprefix("http://home.example"), headers={"If-None-Match": linked.headers["etag"]})
        assert again.status_code == 304
    close(context)
