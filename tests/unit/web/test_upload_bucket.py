"""Forms for a bucket: what S3 is told to accept, and where browsers send it."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from app.web.errors import BadGateway, BadRequest
from app.web.settings import UploadBucketSettings
from app.web.upload_bucket import UploadBucket, UploadBucketBlocked, plain_name
from pylib.aws.policy import Statement

LATE = datetime(2026, 3, 4, 23, 30, tzinfo=UTC)
FRONT = "Küche / Front"


@pytest.fixture(autouse=True)
def login(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(variable, "/dev/null")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "whatever")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def bucket(**settings: Any) -> UploadBucket:
    own = UploadBucketSettings(**{"bucket": "home", "region": "eu-central-1", **settings})
    return UploadBucket(own, max_bytes=5_000, zone=ZoneInfo("Europe/Berlin"), now=lambda: LATE)


def test_a_form_accepts_this_picture_of_this_camera_below_the_prefix_and_nothing_else() -> None:
    form = bucket(lifetime=60).form(camera=FRONT, name="a b.JPG", content_type="image/jpeg", note="Päckchen")
    assert form.key.startswith("uploads/küche-front/2026-03-05/")  # the home's day
    assert form.key.endswith("-a-b.jpg")
    policy = json.loads(base64.b64decode(form.fields["policy"]))
    for condition in (
        ["content-length-range", 1, 5_000],
        {"Content-Type": "image/jpeg"},
        {"x-amz-meta-camera": "K%C3%BCche%20%2F%20Front"},
        {"x-amz-meta-note": "P%C3%A4ckchen"},
        {"x-amz-meta-file-name": "a%20b.JPG"},
        {"bucket": "home"},
        {"key": form.key},
    ):
        assert condition in policy["conditions"]
    assert form.fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    assert (form.until - LATE).total_seconds() == 60
    assert "whatever" not in str(form)


def test_two_pictures_of_one_name_have_two_keys() -> None:
    one = bucket()
    assert len({one.form(camera=FRONT, name="a.jpg", content_type="image/jpeg").key for _ in range(3)}) == 3


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, "https://home.s3.eu-central-1.amazonaws.com"),
        ({"bucket": "with.dots"}, "https://s3.eu-central-1.amazonaws.com/with.dots"),
        ({"endpoint_url": "http://minio:9000", "path_style": True}, "http://minio:9000/home"),
    ],
)
def test_the_address_is_the_bucket_s_and_forms_go_there(settings: dict[str, Any], address: str) -> None:
    one = bucket(**settings)
    assert one.address == address
    assert one.form(camera=FRONT, name="a.jpg", content_type="image/jpeg").url.rstrip("/") == address


def test_the_address_is_known_before_there_is_a_login_and_a_form_says_that_one_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    one = bucket()
    assert one.address == "https://home.s3.eu-central-1.amazonaws.com"
    with pytest.raises(BadGateway, match="no_credentials: There is no AWS login"):
        one.form(camera=FRONT, name="a.jpg", content_type="image/jpeg")


def test_a_note_that_no_bucket_would_keep_is_refused_and_a_camera_s_umlauts_count() -> None:
    fits = 2048 - len("camera") - len("note") - len("K%C3%BCche%20%2F%20Front")
    form = bucket().form(camera=FRONT, name="a.jpg", content_type="image/jpeg", note="x" * fits)
    assert "x-amz-meta-file-name" not in form.fields  # which only has what the note leaves
    with pytest.raises(BadRequest, match="note_too_long"):
        bucket().form(camera=FRONT, name="a.jpg", content_type="image/jpeg", note="x" * (fits + 1))


def test_an_address_that_is_none_is_said_at_the_start() -> None:
    with pytest.raises(UploadBucketBlocked, match=r"bad_address: web\.upload_bucket: endpoint_url is no address"):
        bucket(endpoint_url="minio 9000")


@pytest.mark.parametrize(
    ("name", "content_type", "plain"),
    [
        ("Urlaub 2026 (1).JPG", "image/jpeg", "Urlaub-2026-1.jpg"),
        ("käse+%.png", "image/png", "käse.png"),
        ("", "image/webp", "picture.webp"),
        ("note.txt", "image/jpeg", "note-txt.jpg"),
        ("..", "image/jpeg", "picture.jpg"),
        ("x" * 300 + ".heic", "image/heic", "x" * 100 + ".heic"),
    ],
)
def test_a_name_becomes_one_that_keys_and_addresses_may_carry(name: str, content_type: str, plain: str) -> None:
    assert plain_name(name, content_type) == plain


@pytest.mark.parametrize(("given", "prefix"), [("in", "in/"), ("/in/here//", "in/here/")])
def test_a_prefix_is_a_folder(given: str, prefix: str) -> None:
    assert UploadBucketSettings(prefix=given).prefix == prefix


@pytest.mark.parametrize("name", ["s3://home/in", "home/in", "-home", "h"])
def test_what_is_no_bucket_s_name_is_refused_with_the_configuration(name: str) -> None:
    with pytest.raises(ValidationError, match="must be the name of a bucket, without s3:// and folders"):
        UploadBucketSettings(bucket=name)


def test_a_prefix_that_is_the_whole_bucket_is_refused() -> None:
    with pytest.raises(ValidationError, match="must name a folder"):
        UploadBucketSettings(prefix="/")


def test_it_needs_to_write_below_its_prefix_and_nothing_else() -> None:
    settings = UploadBucketSettings(bucket="home", prefix="in")
    assert list(UploadBucket.permissions(settings)) == [Statement(("s3:PutObject",), ("arn:aws:s3:::home/in/*",))]
