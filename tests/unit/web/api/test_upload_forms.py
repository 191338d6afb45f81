"""Forms for the bucket over HTTP: for what is a picture of ours, and where a bucket is set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.web.application import application
from app.web.settings import UploadBucketSettings
from app.web.upload_bucket import UploadBucket
from tests.fakes.web import FRONT, close, parts_for, serving
from tests.unit.web.api.conftest import House

PICTURE = {"camera": "front-door", "note": "the parcel", "name": "a.jpg", "type": "image/jpeg", "size": 1000}
ORIGIN = "http://minio.example:9000"


@pytest.fixture
def bucketed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A house whose uploads go to a bucket."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "whatever")
    settings = UploadBucketSettings(bucket="home", region="eu-central-1", endpoint_url=ORIGIN)
    context = parts_for(tmp_path, upload_bucket=UploadBucket(settings, max_bytes=1_000_000))
    with serving(application(context)) as client:
        yield House(client, context, tmp_path)
    close(context)


def test_a_form_says_where_the_picture_goes_and_what_its_snapshot_will_be_found_by(bucketed: House) -> None:
    answer = bucketed.client.post("/api/uploads/form", json=PICTURE)
    assert answer.status_code == 200, answer.text
    form = answer.json()
    assert (form["url"], form["bucket"]) == (f"{ORIGIN}/home", "home")
    assert form["fields"]["key"] == form["object_key"]
    assert form["fields"]["x-amz-meta-camera"] == "Front%20Door%20Camera"
    assert (form["fields"]["x-amz-meta-note"], form["fields"]["Content-Type"]) == ("the%20parcel", "image/jpeg")
    bucketed.shown("s1", bucket=form["bucket"], object_key=form["object_key"])
    snapshot = bucketed.client.get("/api/snapshots/s1").json()
    assert (snapshot["bucket"], snapshot["object_key"]) == (form["bucket"], form["object_key"])
    (signed,) = bucketed.context.journal.audited(limit=9)
    assert (signed.action, signed.subject, signed.detail) == ("upload form", FRONT, "a.jpg")


@pytest.mark.parametrize(
    ("name", "claimed", "content_type"),
    [
        ("IMG_1.HEIC", "", "image/heic"),
        ("a.jpeg", "", "image/jpeg"),
        ("a.jfif", "", "image/jpeg"),
        ("a.jpe", "image/pjpeg", "image/jpeg"),
        ("a.jpg", "image/jpg", "image/jpeg"),
        ("a.heif", "image/heif", "image/heic"),
        ("a.bmp", "image/x-ms-bmp", "image/bmp"),
        ("a.png", "application/octet-stream", "image/png"),
        ("scan", "image/webp", "image/webp"),
    ],
)
def test_where_a_browser_has_no_type_or_another_word_for_it_the_name_says_it(
    bucketed: House, name: str, claimed: str, content_type: str
) -> None:
    answer = bucketed.client.post("/api/uploads/form", json={**PICTURE, "name": name, "type": claimed})
    assert answer.status_code == 200, answer.text
    assert answer.json()["fields"]["Content-Type"] == content_type


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"camera": "attic"}, 404, "unknown_camera"),
        ({"camera": ""}, 400, "camera_needed"),
        ({"type": "text/html", "name": "a.html"}, 415, "unsupported_media"),
        ({"type": "", "name": "film.mp4"}, 415, "unsupported_media"),
        ({"type": "image/gif", "name": "a.gif"}, 415, "unsupported_media"),
        ({"size": 1_000_001}, 413, "too_large"),
        ({"size": 0}, 400, "size: must be greater than or equal to 1"),
        ({"name": "../a.jpg"}, 400, "bad_name"),
        ({"bucket": "another"}, 400, "bucket is unknown"),
        ({"note": "\0"}, 400, "note: must be text without control characters"),
        ({"note": "x" * 2001}, 400, "note: must have at most 2000 characters"),
    ],
)
def test_what_the_service_would_refuse_gets_no_form(
    bucketed: House, changes: dict[str, Any], status: int, said: str
) -> None:
    answer = bucketed.client.post("/api/uploads/form", json=PICTURE | changes)
    assert (answer.status_code, said in answer.json()["error"]) == (status, True), answer.text


def test_another_site_gets_none(bucketed: House) -> None:
    answer = bucketed.client.post("/api/uploads/form", json=PICTURE, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_pages_may_send_to_that_bucket_and_nowhere_else(bucketed: House) -> None:
    page = bucketed.client.get("/upload", headers={"Accept": "text/html"})
    assert f"connect-src 'self' {ORIGIN}/home;" in page.headers["content-security-policy"]
    assert page.headers["content-security-policy"].count(ORIGIN) == 1
    assert 'data-bucket="/api/uploads/form"' in page.text


def test_without_a_bucket_there_is_no_form_and_pages_send_to_us(house: House) -> None:
    answer = house.client.post("/api/uploads/form", json={**PICTURE, "camera": FRONT})
    assert (answer.status_code, answer.json()["error"].partition(":")[0]) == (404, "no_upload_bucket")
    page = house.client.get("/upload", headers={"Accept": "text/html"})
    assert "connect-src 'self';" in page.headers["content-security-policy"]
    assert "data-bucket" not in page.text
