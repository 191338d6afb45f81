"""Pictures handed in over HTTP: a form or a bare body, one clear error for what is wrong, and nothing kept of it."""

from __future__ import annotations

import io
import struct
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.journal.entries import Entry
from app.messages import Detection, Inspection, Snapshot
from app.web.api.uploads import AT_ONCE
from app.web.application import application
from app.web.context import CameraInfo
from pylib.runtime.circuit_breaker import State
from tests.fakes.cameras import jpeg
from tests.fakes.pictures import encoded
from tests.fakes.web import FRONT, KITCHEN, MAX_PIXELS, close, parts_for, serving
from tests.unit.web.api.conftest import House

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def bomb() -> bytes:
    """A small PNG that claims 50,000 x 50,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def form(picture: bytes, *, name: str = "a.jpg", **fields: str) -> dict[str, Any]:
    """What a browser's form sends."""
    return {"files": {"image": (name, picture, "image/jpeg")}, "data": {"camera": "front-door", **fields}}


def of_size(size: int) -> bytes:
    """A whole JPEG of exactly so many bytes, the rest of them in comments."""
    picture, comments = jpeg(), b""
    while lacking := size - len(picture) - len(comments):
        length = min(lacking, 65_537)
        length -= 4 if 0 < lacking - length < 4 else 0
        comments += b"\xff\xfe" + struct.pack(">H", length - 2) + bytes(length - 4)
    return picture[:2] + comments + picture[2:]


def bare(picture: bytes, kind: str = "image/jpeg") -> dict[str, Any]:
    """What `curl --data-binary` sends."""
    return {"data": picture, "headers": {"Content-Type": kind}}


def test_a_form_s_picture_is_recorded_with_what_is_said_about_it(house: House) -> None:
    answer = house.client.post(
        "/api/snapshots", **form(jpeg(), taken_at=datetime.now(UTC).isoformat(), note="the parcel")
    )
    assert answer.status_code == 202, answer.text
    (snapshot,) = house.context.http_uploads.poll(1)
    assert (snapshot.id, snapshot.camera, snapshot.label) == (answer.json()["event_id"], FRONT, "Front")
    assert Path(snapshot.path).read_bytes() == jpeg()
    house.context.journal.inspect(Inspection(snapshot))
    assert house.client.get(f"/api/snapshots/{snapshot.id}").json()["note"] == "the parcel"


def test_what_a_form_says_counts_more_than_the_address_and_an_empty_field_says_nothing(house: House) -> None:
    query = {"camera": "küche", "note": "by the address", "taken_at": datetime.now(UTC).isoformat()}
    said = form(jpeg(), camera="", note="by the form")
    assert house.client.post("/api/snapshots", params=query, **said).status_code == 202
    (snapshot,) = house.context.http_uploads.poll(1)
    assert (snapshot.camera, snapshot.taken_at.isoformat()) == (KITCHEN, query["taken_at"])
    house.context.journal.inspect(Inspection(snapshot))
    assert house.client.get(f"/api/snapshots/{snapshot.id}").json()["note"] == "by the form"


@pytest.mark.parametrize("told", ["by its name", "by the form", "without a zone"])
def test_a_picture_is_of_the_time_that_is_told(tmp_path: Path, told: str) -> None:
    home = timezone(timedelta(hours=-5))
    context = parts_for(tmp_path, zone=home)
    taken = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    options = {
        "by its name": form(jpeg(), name=f"MDAlarm_{taken:%Y%m%d-%H%M%S}.jpg"),
        "by the form": form(jpeg(), taken_at=taken.isoformat()),
        "without a zone": form(jpeg(), taken_at=taken.astimezone(home).replace(tzinfo=None).isoformat()),
    }
    with serving(application(context)) as client:
        assert client.post("/api/snapshots", **options[told]).status_code == 202
    (snapshot,) = context.http_uploads.poll(1)
    assert snapshot.taken_at == taken
    close(context)


@pytest.mark.parametrize("make", [form, lambda picture: bare(picture, "application/octet-stream")])
def test_a_picture_may_have_just_as_many_bytes_as_are_allowed(house: House, make: Any) -> None:
    address = "/api/snapshots?camera=front-door"
    assert house.client.post(address, **make(of_size(1_000_000))).status_code == 202
    assert house.client.post(address, **make(of_size(1_000_001))).status_code == 413
    assert len(house.kept()) == 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP"])
def test_a_bare_picture_of_every_format_is_taken(house: House, kind: str) -> None:
    picture = encoded(Image.new("RGB", (40, 30), "navy"), kind)
    answer = house.client.post("/api/snapshots?camera=k%C3%BCche", **bare(picture, f"image/{kind.lower()}"))
    assert answer.status_code == 202, answer.text
    (snapshot,) = house.context.http_uploads.poll(1)
    assert (snapshot.camera, snapshot.width, snapshot.height) == (KITCHEN, 40, 30)


def test_whoever_waits_gets_the_event_and_at_once_when_it_is_a_known_picture(house: House) -> None:
    def pipeline() -> None:
        (snapshot,) = house.context.http_uploads.poll(5)
        seen = Inspection(snapshot, "fake", Detection())
        house.context.journal.inspect(seen)
        house.context.live.handle(seen)

    threading.Thread(target=pipeline).start()
    first = house.client.post("/api/snapshots?wait=5", **form(jpeg()))
    assert (first.status_code, first.json()["detector"]) == (200, "fake")
    again = house.client.post("/api/snapshots?wait=100", **form(jpeg()))
    assert (again.status_code, again.json()["event_id"]) == (200, first.json()["event_id"])


def test_the_event_that_comes_just_before_the_wait_is_not_missed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = house.context.journal
    entry = journal.entry

    def just_after(event_id: str) -> Entry | None:
        found = entry(event_id)
        for snapshot in house.context.http_uploads.poll(0):
            journal.inspect(Inspection(snapshot, "fake"))
            house.context.live.handle(Inspection(snapshot, "fake"))
        return found

    monkeypatch.setattr(journal, "entry", just_after)
    answer = house.client.post("/api/snapshots?wait=100", **form(jpeg()))
    assert (answer.status_code, answer.json()["detector"]) == (200, "fake")


def test_only_a_few_pictures_are_decoded_at_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    decoding, going_on = threading.Semaphore(0), threading.Event()
    submit = house.context.http_uploads.submit

    def slow(*args: Any, **options: Any) -> Snapshot:
        decoding.release()
        assert going_on.wait(60)
        return submit(*args, **options)

    monkeypatch.setattr(house.context.http_uploads, "submit", slow)
    with ThreadPoolExecutor(AT_ONCE + 2) as pool:
        sent = [pool.submit(house.client.post, "/api/snapshots", **form(jpeg())) for _ in range(AT_ONCE + 2)]
        assert all(decoding.acquire(timeout=60) for _ in range(AT_ONCE))
        assert not decoding.acquire(timeout=0.3)
        going_on.set()
        assert [answer.result().status_code for answer in sent] == [202] * (AT_ONCE + 2)


def test_the_only_camera_needs_no_name(tmp_path: Path) -> None:
    only = {FRONT: CameraInfo("Front", lambda: State.CLOSED, lambda: 0.0)}
    context = parts_for(tmp_path, cameras=only)
    with serving(application(context)) as client:
        assert client.post("/api/snapshots", **bare(jpeg())).status_code == 202
    close(context)


@pytest.mark.parametrize("make", [form, lambda picture: bare(picture, "application/octet-stream")])
@pytest.mark.parametrize(
    ("picture", "status", "sentence"),
    [
        (b"", 422, "empty: "),
        (b"Hello, world", 415, "not_an_image: This is text"),
        (SVG, 415, "unsupported_format: This is an SVG file"),
        (b"<html><script>alert(1)</script></html>", 415, "not_an_image: This is a web page"),
        (b"GIF89a" + b"\0" * 50, 415, "unsupported_format: This is a GIF file"),
        (bomb(), 413, "pixel_bomb: The picture claims 50000 x 50000 pixels"),
        (jpeg(640, 480)[:2000], 422, "truncated: "),
        (jpeg().replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c"), 422, "undecodable: "),
        (jpeg()[:2] + b"\xff\xe5\0\2" * 300 + jpeg()[2:], 413, "metadata_bomb: "),
        (b"\0" * 1_200_000, 413, "too_large: this may have at most 1 MB"),
    ],
    ids=["empty", "text", "svg", "html", "gif", "bomb", "truncated", "damaged", "segments", "large"],
)
def test_what_is_no_picture_gets_one_clear_error_and_leaves_nothing(
    house: House, make: Any, picture: bytes, status: int, sentence: str
) -> None:
    answer = house.client.post("/api/snapshots?camera=front-door", **make(picture))
    assert answer.status_code == status, answer.text
    assert answer.json()["error"].startswith(sentence)
    assert house.kept() == []
    assert list(house.context.http_uploads.poll(0)) == []


def test_one_pixel_too_many_is_too_many(house: House) -> None:
    picture = encoded(Image.new("L", (MAX_PIXELS // 1000 + 1, 1000)), "PNG")
    assert house.client.post("/api/snapshots", **form(picture)).status_code == 413


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("kind", ["image/jpeg", "multipart/form-data; boundary=x"])
def test_fifty_megabytes_are_refused_whether_announced_or_not(house: House, announced: bool, kind: str) -> None:
    start = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'

    def streamed() -> Iterator[bytes]:
        yield start
        for _ in range(50):
            yield b"\0" * 1_000_000

    body: Any = io.BytesIO(start + b"\0" * 50_000_000) if announced else streamed()
    answer = house.client.post("/api/snapshots", data=body, headers={"Content-Type": kind})
    assert answer.status_code == 413
    assert answer.json() == {"error": "too_large: this may have at most 1 MB"}


@pytest.mark.parametrize("name", ["../../etc/passwd.jpg", "..", "/a.jpg", "..\\a.jpg", "a\x01.jpg", "x" * 300])
def test_a_file_s_name_with_folders_in_it_is_refused(house: House, name: str) -> None:
    # Written by hand: a client library would mend the name.
    quoted = name.replace("\\", "\\\\").encode()
    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="' + quoted + b'"\r\n\r\n'
    camera = b'\r\n--x\r\nContent-Disposition: form-data; name="camera"\r\n\r\nfront-door\r\n--x--\r\n'
    answer = house.client.post(
        "/api/snapshots", data=head + jpeg() + camera, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert answer.status_code == 400
    assert answer.json() == {"error": "bad_name: the file's name must be a plain name, without folders"}
    assert house.kept() == []


@pytest.mark.parametrize(
    ("options", "status", "sentence"),
    [
        (form(jpeg(), camera=""), 400, "camera_needed: camera: name the"),
        (form(jpeg(), camera="cellar"), 404, "unknown_camera: no camera 'cellar'"),
        (form(jpeg(), taken_at="soon"), 400, "bad_field: taken_at: must be a moment"),
        (form(jpeg(), colour="red"), 400, "bad_field: colour is unknown; there are: camera, taken_at, note"),
        (form(jpeg(), note="x" * 2001), 400, "bad_field: note: "),
        (form(jpeg(), note="x" * 20_000), 400, "bad_form: "),
        ({"data": {"camera": "front-door"}, "files": {"other": jpeg()}}, 400, "image_needed: "),
        ({"files": [("image", jpeg()), ("image", jpeg())]}, 400, "bad_form: "),
        ({"data": {"image": "text"}, "files": {"camera": b"front-door"}}, 400, "image_needed: "),
        ({"data": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 400, "bad_form: "),
        ({"data": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 400, "bad_form: "),
        ({"data": b"a=b", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 415, "unsupported_media"),
        (bare(SVG, "image/svg+xml"), 415, "unsupported_media: "),
        ({"data": jpeg()}, 415, "unsupported_media: "),
    ],
)
def test_what_is_wrong_with_an_upload_is_said_in_one_sentence(
    house: House, options: dict[str, Any], status: int, sentence: str
) -> None:
    answer = house.client.post("/api/snapshots", **options)
    assert (answer.status_code, answer.json()["error"][: len(sentence)]) == (status, sentence)
    assert house.kept() == []
